#include "tests/merge_world.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALL_COLUMNS = WORLD_COLUMNS + 1, KEY_COLUMN = WORLD_COLUMNS };

static const char *const column_names[ALL_COLUMNS] = { "height", "mood",   "note", "revoked",
	                                               "score",  "weight", "id" };

/* Columns by position; a number behind a name is its group there. */
static const struct layout {
	int count;
	struct {
		int column;
		uint8_t group;
	} at[ALL_COLUMNS];
} layouts[WORLD_SCHEMAS + 1] = {
	[1] = { 5,
	        { { KEY_COLUMN, 0 }, { HEIGHT, 1 }, { WEIGHT, 1 }, { MOOD, 0 }, { REVOKED, 0 } } },
	[2] = { 6,
	        { { REVOKED, 0 },
	          { WEIGHT, 9 },
	          { NOTE, 0 },
	          { KEY_COLUMN, 0 },
	          { MOOD, 0 },
	          { HEIGHT, 9 } } },
	[3] = { 6,
	        { { NOTE, 0 },
	          { HEIGHT, 2 },
	          { SCORE, 0 },
	          { REVOKED, 0 },
	          { WEIGHT, 2 },
	          { KEY_COLUMN, 0 } } },
	[4] = { 2, { { KEY_COLUMN, 0 }, { REVOKED, 0 } } },
	[5] = { 4, { { KEY_COLUMN, 0 }, { HEIGHT, 1 }, { WEIGHT, 1 }, { NOTE, 1 } } },
};

/* The id of each thing in the three numberings; columns in the order of the enum. */
static const int column_ids[WORLD_NUMBERINGS][ALL_COLUMNS] = { { 2, 3, 4, 5, 6, 7, 1 },
	                                                       { 6, 5, 4, 3, 2, 1, 7 },
	                                                       { 3, 7, 1, 6, 2, 4, 5 } };
static const int site_ids[WORLD_NUMBERINGS][WORLD_SITES] = { { 0, 1, 2, 3, 4 },
	                                                     { 0, 4, 3, 2, 1 },
	                                                     { 0, 3, 1, 4, 2 } };
static const int schema_ids[WORLD_NUMBERINGS][WORLD_SCHEMAS + 1] = { { 0, 1, 2, 3, 4, 5 },
	                                                             { 0, 5, 4, 3, 2, 1 },
	                                                             { 0, 4, 2, 5, 1, 3 } };

/* Two sites are lives of one node; the seed's comes first. */
static const struct {
	uint8_t node, epoch;
} site_names[WORLD_SITES] = { { 0, 0 }, { 1, 5 }, { 1, 0x90 }, { 7, 0 }, { 0x80, 3 } };

struct replica {
	int numbering;
	struct store_batch *batch;
	struct store_site sites[WORLD_SITES];
	struct store_table tables[2];
	struct store_schema schemas[WORLD_SCHEMAS + 1];
	struct store_column columns[WORLD_SCHEMAS + 1][ALL_COLUMNS];
	const char *names[ALL_COLUMNS];
	uint8_t rules[ALL_COLUMNS];
	int by_name[ALL_COLUMNS];
	uint8_t keys[WORLD_KEYS][17];
	struct arena arena;
};

bool
world_is_max(enum world_column column)
{
	return column == REVOKED || column == SCORE;
}

const char *
world_name(enum world_column column)
{
	return column_names[column];
}

unsigned
world_columns(int schema)
{
	unsigned mask = 0;

	for (int i = 0; i < layouts[schema].count; i++)
		mask |= 1U << layouts[schema].at[i].column;
	return mask & ~(1U << KEY_COLUMN);
}

static void
make_schema(struct replica *r, int number)
{
	const struct layout *layout = &layouts[number];
	int id = schema_ids[r->numbering][number];
	struct store_schema *s = &r->schemas[id];
	struct err err;

	*s = (struct store_schema){ .id = id,
		                    .table_id = 1,
		                    .table = "growth",
		                    .scope_prefix = "all",
		                    .scope_column = -1,
		                    .column_count = (unsigned)layout->count,
		                    .columns = r->columns[id] };
	for (int i = 0; i < layout->count; i++) {
		int column = layout->at[i].column;

		s->columns[i] = (struct store_column){
			.name = column_names[column],
			.type = column == KEY_COLUMN ? "BLOB" : "INTEGER",
			.key = column == KEY_COLUMN,
			.rule = column != KEY_COLUMN && world_is_max((enum world_column)column),
			.group = layout->at[i].group,
			.id = column_ids[r->numbering][column],
		};
	}
	if (store_schema_finish(s, &err) < 0)
		abort();
}

static void
make_table(struct replica *r)
{
	static const int by_name[ALL_COLUMNS] = { HEIGHT,  KEY_COLUMN, MOOD,  NOTE,
		                                  REVOKED, SCORE,      WEIGHT };

	for (int c = 0; c < ALL_COLUMNS; c++) {
		int id = column_ids[r->numbering][c];

		r->names[id - 1] = column_names[c];
		r->rules[id - 1] = c != KEY_COLUMN && world_is_max((enum world_column)c);
		r->by_name[c] = column_ids[r->numbering][by_name[c]];
	}
	r->tables[1] = (struct store_table){ .id = 1,
		                             .name = "growth",
		                             .column_count = ALL_COLUMNS,
		                             .names = r->names,
		                             .rules = r->rules,
		                             .by_name = r->by_name };
}

struct replica *
replica_new(int numbering)
{
	struct replica *r = calloc(1, sizeof *r);

	if (r == NULL)
		abort();
	r->numbering = numbering;
	for (int i = 0; i < WORLD_SITES; i++) {
		struct store_site *site = &r->sites[site_ids[numbering][i]];

		site->id = site_ids[numbering][i];
		site->node[0] = site_names[i].node;
		site->epoch[0] = site_names[i].epoch;
	}
	for (int i = 1; i <= WORLD_SCHEMAS; i++)
		make_schema(r, i);
	make_table(r);
	for (int i = 0; i < WORLD_KEYS; i++) {
		r->keys[i][0] = 5; /* a blob of 16 bytes, canonical */
		r->keys[i][16] = (uint8_t)i;
	}
	r->batch = store_batch_memory_new(
	        &(struct store_batch_memory_names){ .sites = r->sites,
	                                            .tables = r->tables,
	                                            .schemas = r->schemas,
	                                            .site_count = WORLD_SITES,
	                                            .table_count = 2,
	                                            .schema_count = WORLD_SCHEMAS + 1 });
	if (r->batch == NULL)
		abort();
	return r;
}

void
replica_free(struct replica *r)
{
	if (r == NULL)
		return;
	store_batch_memory_free(r->batch);
	arena_free(&r->arena);
	free(r);
}

struct store_batch *
replica_batch(struct replica *r)
{
	return r->batch;
}

void
replica_clear(struct replica *r)
{
	store_batch_memory_clear(r->batch);
}

const uint8_t *
world_hash(struct replica *r, int schema)
{
	return r->schemas[schema_ids[r->numbering][schema]].hash;
}

int
replica_site(const struct replica *r, int site)
{
	for (int i = 0; i < WORLD_SITES; i++)
		if (site_ids[r->numbering][i] == site)
			return i;
	abort();
}

enum world_column
replica_column(const struct replica *r, int column)
{
	for (int i = 0; i < WORLD_COLUMNS; i++)
		if (column_ids[r->numbering][i] == column)
			return (enum world_column)i;
	abort();
}

/* In this replica's numbers; `values` has room for every column. */
static struct store_change
translate(const struct replica *r, const struct write *w, struct store_value *values)
{
	const struct layout *layout = &layouts[w->schema];
	struct store_change change = {
		.schema = &r->schemas[schema_ids[r->numbering][w->schema]],
		.op = w->op,
		.cl = w->cl,
		.stamp = w->stamp,
		.site = site_ids[r->numbering][w->site],
		.values = values,
		.key = r->keys[w->key],
		.key_len = sizeof r->keys[w->key],
	};

	for (int i = 0; i < layout->count; i++) {
		int column = layout->at[i].column;

		values[i] = store_value_null();
		if (column == KEY_COLUMN)
			values[i] = store_value_blob(r->keys[w->key] + 1, 16);
		else if (w->mask >> column & 1) {
			values[i] = w->values[column];
			change.mask |= (uint64_t)1 << i;
		}
	}
	return change;
}

int
replica_deliver(struct replica *r, const struct write *writes, size_t count,
                const struct sync_merge_watch *watch, bool wrote[WORLD_KEYS])
{
	struct store_row rows[WORLD_KEYS] = { 0 }, *list[WORLD_KEYS];
	struct store_value values[WORLD_WRITES][ALL_COLUMNS];
	struct err err;
	int changed = 0;

	assert(count <= WORLD_WRITES);
	for (int k = 0; k < WORLD_KEYS; k++) {
		list[k] = &rows[k];
		rows[k].table = 1;
		rows[k].scope = WORLD_SCOPE;
		rows[k].key = r->keys[k];
		rows[k].key_len = sizeof r->keys[k];
	}
	if (r->batch->get(r->batch, list, WORLD_KEYS, &r->arena, &err) < 0)
		abort();
	for (size_t i = 0; i < count; i++) {
		struct store_change change = translate(r, &writes[i], values[i]);

		if (sync_merge(r->batch, &rows[writes[i].key], &change, watch, &r->arena, &err) < 0)
			abort();
	}
	for (int k = 0; k < WORLD_KEYS; k++) {
		changed += rows[k].changed;
		if (wrote != NULL)
			wrote[k] = rows[k].write_row;
	}
	if (r->batch->put(r->batch, list, WORLD_KEYS, &err) < 0)
		abort();
	arena_free(&r->arena);
	return changed;
}

struct store_row
replica_row(struct replica *r, int key)
{
	const struct store_row *row;

	for (size_t i = 0; (row = store_batch_memory_row(r->batch, i)) != NULL; i++)
		if (memcmp(row->key, r->keys[key], sizeof r->keys[key]) == 0)
			return *row;
	return (struct store_row){ 0 };
}

/* ---- words ---- */

static struct store_value
read_value(const char *text, size_t len)
{
	struct store_value v = { .type = STORE_TEXT, .bytes = (const uint8_t *)text, .len = len };
	char *end;

	if (len == 4 && memcmp(text, "NULL", 4) == 0)
		return store_value_null();
	strtod(text, &end);
	if (len == 0 || end != text + len)
		return v;
	return memchr(text, '.', len) != NULL ? store_value_real(strtod(text, NULL))
	                                      : store_value_int(strtoll(text, NULL, 10));
}

static void
read_cell(const char *text, size_t len, struct write *w)
{
	for (int c = 0; c < WORLD_COLUMNS; c++) {
		size_t name = strlen(column_names[c]);

		if (len <= name || strncmp(text, column_names[c], name) != 0 || text[name] != '=')
			continue;
		w->mask |= 1U << c;
		w->values[c] = read_value(text + name + 1, len - name - 1);
		return;
	}
	fprintf(stderr, "no such word: %.*s\n", (int)len, text);
	abort();
}

static void
read_word(const char *text, size_t len, struct write *w)
{
	int64_t number = strtoll(text + 1, NULL, 10);

	if (memchr(text, '=', len) != NULL) {
		read_cell(text, len, w);
		return;
	}
	switch (text[0]) {
	case 'I':
	case 'U':
	case 'D':
		w->op = text[0] == 'I'   ? STORE_INSERT
		        : text[0] == 'U' ? STORE_UPDATE
		                         : STORE_DELETE;
		w->cl = number;
		return;
	case 'v':
		w->schema = (int)number;
		return;
	case 's':
		w->site = (int)number;
		return;
	case 'k':
		w->key = (int)number;
		return;
	case '@':
		w->stamp = number;
		return;
	default:
		read_cell(text, len, w);
	}
}

static struct write
read_write(const char *text, size_t len)
{
	struct write w = { .schema = 1, .site = 1 };

	for (int c = 0; c < WORLD_COLUMNS; c++)
		w.values[c] = store_value_null();
	while (len > 0) {
		size_t word = 0;

		while (word < len && text[word] != ' ')
			word++;
		if (word > 0)
			read_word(text, word, &w);
		word += word < len;
		text += word;
		len -= word;
	}
	if (w.op == STORE_INSERT)
		w.mask = world_columns(w.schema);
	return w;
}

size_t
world_read(const char *text, struct write writes[WORLD_WRITES])
{
	size_t count = 0;

	while (*text != 0) {
		size_t len = strcspn(text, ";");

		assert(count < WORLD_WRITES);
		writes[count++] = read_write(text, len);
		text += len + (text[len] == ';');
	}
	return count;
}

void
world_print_value(struct buf *out, const struct store_value *v)
{
	switch (v->type) {
	case STORE_NULL:
		buf_printf(out, "NULL");
		return;
	case STORE_INT:
		buf_printf(out, "%" PRId64, v->num.i);
		return;
	case STORE_REAL:
		buf_printf(out, "%.1f", v->num.r);
		return;
	case STORE_TEXT:
	case STORE_BLOB:
		buf_put(out, v->bytes, v->len);
	}
}

void
world_print(struct buf *out, const struct write *writes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct write *w = &writes[i];

		buf_printf(out, "%s%c%" PRId64 " v%d s%d k%d @%" PRId64, i == 0 ? "" : "; ",
		           " IUD"[w->op], w -> cl, w -> schema, w -> site, w -> key, w -> stamp);
		for (int c = 0; c < WORLD_COLUMNS; c++) {
			if ((w->mask >> c & 1) == 0)
				continue;
			buf_printf(out, " %s=", column_names[c]);
			world_print_value(out, &w->values[c]);
		}
	}
}

static const struct store_cell *
cell_of(const struct replica *r, const struct store_row *row, int column)
{
	for (unsigned i = 0; i < row->cell_count; i++)
		if (row->cells[i].column == column_ids[r->numbering][column])
			return &row->cells[i];
	return NULL;
}

void
replica_print(struct replica *r, int key, struct buf *out)
{
	struct store_row row = replica_row(r, key);

	buf_printf(out, "cl%" PRId64 "%s @%" PRId64 "/%d", row.cl,
	           store_row_is_live(&row) ? " live" : "", row.stamp, replica_site(r, row.site));
	for (int c = 0; c < WORLD_COLUMNS; c++) {
		const struct store_cell *cell = cell_of(r, &row, c);

		if (cell == NULL)
			continue;
		buf_printf(out, " %s=", column_names[c]);
		world_print_value(out, &cell->value);
		if (cell->stamp != row.stamp || cell->site != row.site)
			buf_printf(out, "@%" PRId64 "/%d", cell->stamp,
			           replica_site(r, cell->site));
	}
}
