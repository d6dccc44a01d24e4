#include "tests/merge_world_priv.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const world_column_names[ALL_COLUMNS] = { "height", "mood",   "note", "revoked",
	                                              "score",  "weight", "id" };

const struct layout world_layouts[WORLD_SCHEMAS + 1] = {
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
	[5] = { 5,
	        { { KEY_COLUMN, 0 }, { HEIGHT, 1 }, { WEIGHT, 1 }, { NOTE, 1 }, { REVOKED, 1 } } },
};

/* Two sites are lives of one node; the seed's comes first. */
const struct world_site world_sites[WORLD_SITES] = {
	{ 0, 0 }, { 1, 5 }, { 1, 0x90 }, { 7, 0 }, { 0x80, 3 }
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

/* What the batch in memory borrows. */
struct replica_memory {
	struct store_site sites[WORLD_SITES];
	struct store_table tables[2];
	struct store_schema schemas[WORLD_SCHEMAS + 1];
	struct store_column columns[WORLD_SCHEMAS + 1][ALL_COLUMNS];
	const char *names[ALL_COLUMNS];
	uint8_t rules[ALL_COLUMNS];
	int by_name[ALL_COLUMNS];
};

static const char *world_type = "BLOB";
static enum world_engine engine;

void
world_declare(const char *type)
{
	world_type = type;
}

void
world_engine(enum world_engine chosen)
{
	engine = chosen;
}

void
world_must(int rc, const struct err *err)
{
	if (rc >= 0)
		return;
	fprintf(stderr, "%d: %s\n", rc, err->msg);
	abort();
}

bool
world_is_max(enum world_column column)
{
	return column == REVOKED || column == SCORE;
}

const char *
world_name(enum world_column column)
{
	return world_column_names[column];
}

unsigned
world_columns(int schema)
{
	unsigned mask = 0;

	for (int i = 0; i < world_layouts[schema].count; i++)
		mask |= 1U << world_layouts[schema].at[i].column;
	return mask & ~(1U << KEY_COLUMN);
}

void
world_schema(int number, struct store_column columns[ALL_COLUMNS], struct store_schema *out)
{
	const struct layout *layout = &world_layouts[number];
	struct err err;

	*out = (struct store_schema){ .table = "growth",
		                      .scope_prefix = "all",
		                      .scope_column = -1,
		                      .column_count = (unsigned)layout->count,
		                      .columns = columns };
	for (int i = 0; i < layout->count; i++) {
		int column = layout->at[i].column;

		columns[i] = (struct store_column){
			.name = world_column_names[column],
			.type = column == KEY_COLUMN ? "BLOB" : world_type,
			.key = column == KEY_COLUMN,
			.rule = column != KEY_COLUMN && world_is_max((enum world_column)column),
			.group = layout->at[i].group,
		};
	}
	world_must(store_schema_finish(out, &err), &err);
}

struct replica *
replica_bare(void)
{
	struct replica *r = calloc(1, sizeof *r);

	if (r == NULL)
		abort();
	for (int i = 0; i < WORLD_KEYS; i++) {
		r->keys[i][0] = 5; /* a blob of 16 bytes, canonical */
		r->keys[i][16] = (uint8_t)i;
	}
	return r;
}

static void
make_schema(struct replica *r, int number)
{
	int id = r->schema_ids[number];
	struct store_schema *s = &r->memory->schemas[id];

	world_schema(number, r->memory->columns[id], s);
	s->id = id;
	s->table_id = 1;
	for (unsigned i = 0; i < s->column_count; i++)
		s->columns[i].id = r->column_ids[world_layouts[number].at[i].column];
}

static void
make_table(struct replica *r)
{
	static const int by_name[ALL_COLUMNS] = { HEIGHT,  KEY_COLUMN, MOOD,  NOTE,
		                                  REVOKED, SCORE,      WEIGHT };
	struct replica_memory *m = r->memory;

	for (int c = 0; c < ALL_COLUMNS; c++) {
		int id = r->column_ids[c];

		m->names[id - 1] = world_column_names[c];
		m->rules[id - 1] = c != KEY_COLUMN && world_is_max((enum world_column)c);
		m->by_name[c] = r->column_ids[by_name[c]];
	}
	m->tables[1] = (struct store_table){ .id = 1,
		                             .name = "growth",
		                             .column_count = ALL_COLUMNS,
		                             .names = m->names,
		                             .rules = m->rules,
		                             .by_name = m->by_name };
}

static void
clear_memory(struct replica *r)
{
	store_batch_memory_clear(r->batch);
}

static void
digest_of_memory(struct replica *r, uint8_t sum[STORE_TERM], int64_t *live_rows)
{
	store_batch_memory_digest(r->batch, r->scope, sum, live_rows);
}

static void
free_memory(struct replica *r)
{
	store_batch_memory_free(r->batch);
	free(r->memory);
	free(r);
}

static const struct replica_engine in_memory = { .clear = clear_memory,
	                                         .digest = digest_of_memory,
	                                         .free = free_memory };

struct replica *
replica_new(int numbering)
{
	struct replica *r;
	struct replica_memory *m;

	if (engine == WORLD_POSTGRES)
		return replica_new_pg(numbering);
	r = replica_bare();
	m = calloc(1, sizeof *m);
	if (m == NULL)
		abort();
	r->engine = &in_memory;
	r->memory = m;
	r->table = 1;
	r->scope = 7;
	memcpy(r->site_ids, site_ids[numbering], sizeof r->site_ids);
	memcpy(r->column_ids, column_ids[numbering], sizeof r->column_ids);
	memcpy(r->schema_ids, schema_ids[numbering], sizeof r->schema_ids);
	for (int i = 0; i < WORLD_SITES; i++) {
		struct store_site *site = &m->sites[r->site_ids[i]];

		site->id = r->site_ids[i];
		site->node[0] = world_sites[i].node;
		site->epoch[0] = world_sites[i].epoch;
	}
	for (int i = 1; i <= WORLD_SCHEMAS; i++)
		make_schema(r, i);
	make_table(r);
	r->batch = store_batch_memory_new(
	        &(struct store_batch_memory_names){ .sites = m->sites,
	                                            .tables = m->tables,
	                                            .schemas = m->schemas,
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
	arena_free(&r->arena);
	r->engine->free(r);
}

struct store_batch *
replica_batch(struct replica *r)
{
	return r->batch;
}

static void
begin(struct replica *r)
{
	if (r->engine->begin != NULL)
		r->engine->begin(r);
}

static void
commit(struct replica *r)
{
	if (r->engine->commit != NULL)
		r->engine->commit(r);
}

void
replica_clear(struct replica *r)
{
	r->engine->clear(r);
}

const uint8_t *
world_hash(struct replica *r, int schema)
{
	return r->batch->schema(r->batch, r->schema_ids[schema])->hash;
}

int
replica_site(const struct replica *r, int site)
{
	for (int i = 0; i < WORLD_SITES; i++)
		if (r->site_ids[i] == site)
			return i;
	abort();
}

enum world_column
replica_column(const struct replica *r, int column)
{
	for (int i = 0; i < WORLD_COLUMNS; i++)
		if (r->column_ids[i] == column)
			return (enum world_column)i;
	abort();
}

/* In this replica's numbers; `values` has room for every column. */
static struct store_change
translate(const struct replica *r, const struct write *w, struct store_value *values)
{
	const struct layout *layout = &world_layouts[w->schema];
	struct store_change change = {
		.schema = r->batch->schema(r->batch, r->schema_ids[w->schema]),
		.op = w->op,
		.cl = w->cl,
		.stamp = w->stamp,
		.site = r->site_ids[w->site],
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

/* What is known of key `k`, before get. */
static struct store_row
asked_row(const struct replica *r, int k)
{
	return (struct store_row){ .table = r->table,
		                   .scope = r->scope,
		                   .key = r->keys[k],
		                   .key_len = sizeof r->keys[k] };
}

int
replica_deliver(struct replica *r, const struct write *writes, size_t count,
                const struct sync_merge_watch *watch, bool wrote[WORLD_KEYS])
{
	struct store_row rows[WORLD_KEYS], *list[WORLD_KEYS];
	struct store_value values[WORLD_WRITES][ALL_COLUMNS];
	struct err err;
	int changed = 0;

	assert(count <= WORLD_WRITES);
	for (int k = 0; k < WORLD_KEYS; k++) {
		list[k] = &rows[k];
		rows[k] = asked_row(r, k);
	}
	arena_free(&r->arena);
	begin(r);
	world_must(r->batch->get(r->batch, list, WORLD_KEYS, &r->arena, &err), &err);
	for (size_t i = 0; i < count; i++) {
		struct store_change change = translate(r, &writes[i], values[i]);

		world_must(
		        sync_merge(r->batch, &rows[writes[i].key], &change, watch, &r->arena, &err),
		        &err);
	}
	for (int k = 0; k < WORLD_KEYS; k++) {
		changed += rows[k].changed;
		if (wrote != NULL)
			wrote[k] = rows[k].write_row;
	}
	world_must(r->batch->put(r->batch, list, WORLD_KEYS, &err), &err);
	commit(r);
	return changed;
}

struct store_row
replica_row(struct replica *r, int key)
{
	struct store_row row = asked_row(r, key), *list = &row;
	struct err err;

	begin(r);
	world_must(r->batch->get(r->batch, &list, 1, &r->arena, &err), &err);
	commit(r);
	return row;
}

void
replica_digest(struct replica *r, uint8_t sum[STORE_TERM], int64_t *live_rows)
{
	r->engine->digest(r, sum, live_rows);
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
		size_t name = strlen(world_column_names[c]);

		if (len <= name || strncmp(text, world_column_names[c], name) != 0 ||
		    text[name] != '=')
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
			buf_printf(out, " %s=", world_column_names[c]);
			world_print_value(out, &w->values[c]);
		}
	}
}

static const struct store_cell *
cell_of(const struct replica *r, const struct store_row *row, int column)
{
	for (unsigned i = 0; i < row->cell_count; i++)
		if (row->cells[i].column == r->column_ids[column])
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
		buf_printf(out, " %s=", world_column_names[c]);
		world_print_value(out, &cell->value);
		if (cell->stamp != row.stamp || cell->site != row.site)
			buf_printf(out, "@%" PRId64 "/%d", cell->stamp,
			           replica_site(r, cell->site));
	}
}
