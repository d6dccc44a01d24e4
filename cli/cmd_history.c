/* cli/cmd_history.c - every change of one row, cell by cell, with what stood there before. */
#include "cli/cmd.h"
#include "cli/table.h"
#include "node/role.h"
#include "store/base/text.h"
#include "store/inspect.h"
#include "store/print.h"
#include "sync/archive/archive.h"
#include "sync/history.h"

#include <stdio.h>
#include <string.h>

enum { COLUMNS = 512 }; /* of all versions of a table together */

/* One line: a cell's change, or a row's end. */
struct line {
	const struct sync_history_entry *entry;
	const char *column; /* NULL: the row was deleted */
	struct store_value value, before;
};

/* What each column held last, by name, while the changes are replayed. */
struct replay {
	struct store_db *db;
	size_t count;
	struct cell {
		const char *name;
		struct store_value value;
	} cells[COLUMNS];
	struct store_value by; /* recorded_by */
	char commit[SYNC_ARCHIVE_ID + 1];
	/* where a line goes */
	struct json *json;
	struct table *table;
};

static struct cell *
cell_of(struct replay *r, const char *name)
{
	for (size_t i = 0; i < r->count; i++)
		if (strcmp(r->cells[i].name, name) == 0)
			return &r->cells[i];
	if (r->count == COLUMNS)
		return NULL;
	r->cells[r->count] = (struct cell){ name, store_value_null() };
	return &r->cells[r->count++];
}

/* ---- a line ---- */

static const char *
facility_of(struct store_db *db, int scope)
{
	const char *name = store_catalog_scope_of(db, scope);

	return strncmp(name, "f/", 2) == 0 ? name + 2 : NULL;
}

static void
line_json(struct replay *r, const struct line *l)
{
	struct json *j = r->json;
	char site[STORE_PRINT_SITE];

	store_print_site(site, store_catalog_site_of(r->db, l->entry->change.site));
	json_object(j);
	json_name(j, "at");
	json_time(j, STORE_STAMP_MS(l->entry->change.stamp));
	json_name(j, "site");
	json_text(j, site);
	json_name(j, "facility");
	json_text(j, facility_of(r->db, l->entry->scope));
	json_name(j, "by");
	store_print_json(j, &r->by);
	json_name(j, "column");
	json_text(j, l->column);
	json_name(j, "value");
	store_print_json(j, &l->value);
	json_name(j, "before");
	store_print_json(j, &l->before);
	json_name(j, "n");
	if (l->entry->n == 0)
		json_null(j);
	else
		json_int(j, (int64_t)l->entry->n);
	json_name(j, "commit");
	json_text(j, r->commit[0] == 0 ? NULL : r->commit);
	json_end_object(j);
}

static void
line_row(struct replay *r, const struct line *l)
{
	char at[TEXT_TIME_SIZE], site[STORE_PRINT_SITE], n[24] = "waits", commit[11];
	struct buf value = { 0 }, before = { 0 };
	const char *texts[7];

	text_time(at, STORE_STAMP_MS(l->entry->change.stamp));
	store_print_site(site, store_catalog_site_of(r->db, l->entry->change.site));
	site[8] = 0;
	store_print_text(&value, &l->value);
	store_print_text(&before, &l->before);
	if (l->entry->n > 0)
		snprintf(n, sizeof n, "%llu", (unsigned long long)l->entry->n);
	snprintf(commit, sizeof commit, "%.10s", r->commit);
	texts[0] = at;
	texts[1] = site;
	texts[2] = l->column == NULL ? "(deleted)" : l->column;
	texts[3] = buf_str(&value);
	texts[4] = buf_str(&before);
	texts[5] = n;
	texts[6] = commit;
	table_row(r->table, texts);
	buf_free(&value);
	buf_free(&before);
}

static void
print_line(struct replay *r, const struct line *l)
{
	if (r->json != NULL)
		line_json(r, l);
	else
		line_row(r, l);
}

/* ---- replay ---- */

/* The proof commit that covers the change, if it is archived already. */
static void
find_commit(struct replay *r, const struct sync_history_entry *e)
{
	const struct store_site *site = store_catalog_site_of(r->db, e->stream_site);
	struct sync_site name;
	struct err err;

	memcpy(name.node, site->node, sizeof name.node);
	memcpy(name.epoch, site->epoch, sizeof name.epoch);
	if (e->n == 0 ||
	    sync_archive_commit_for(r->db, &name, store_catalog_scope_of(r->db, e->scope), e->n,
	                            r->commit, &err) < 0)
		r->commit[0] = 0;
}

static void
replay_cells(struct replay *r, const struct sync_history_entry *e)
{
	const struct store_schema *s = e->change.schema;
	int by = store_schema_find(s, "recorded_by");

	if (by >= 0 && (e->change.mask >> by & 1) != 0)
		r->by = e->change.values[by];
	for (unsigned i = 0; i < s->column_count; i++) {
		struct line l = { .entry = e, .column = s->columns[i].here };
		struct cell *cell;

		if ((e->change.mask >> i & 1) == 0)
			continue;
		cell = cell_of(r, s->columns[i].name);
		if (cell == NULL)
			continue;
		l.value = e->change.values[i];
		l.before = cell->value;
		cell->value = l.value;
		/* a new row's empty cells tell nothing */
		if (e->change.op != STORE_INSERT || l.value.type != STORE_NULL ||
		    l.before.type != STORE_NULL)
			print_line(r, &l);
	}
}

static void
replay(struct replay *r, const struct sync_history_list *list)
{
	r->by = store_value_null();
	for (size_t i = 0; i < list->count; i++) {
		struct line end = { &list->entries[i], NULL, store_value_null(),
			            store_value_null() };

		find_commit(r, &list->entries[i]);
		if (list->entries[i].change.op != STORE_DELETE) {
			replay_cells(r, &list->entries[i]);
			continue;
		}
		print_line(r, &end);
		r->count = 0; /* another life begins empty */
		r->by = store_value_null();
	}
}

static int
print_all(const struct cli *cli, struct replay *r, const struct sync_history_list *list,
          struct err *err)
{
	static const char *const names[] = { "AT",     "SITE", "COLUMN", "VALUE",
		                             "BEFORE", "N",    "COMMIT" };
	struct buf out = { 0 };
	struct json j = json_to(&out);
	int rc = 0;

	if (cli->json) {
		r->json = &j;
		json_array(&j);
		replay(r, list);
		json_end_array(&j);
		buf_u8(&out, '\n');
		r->json = NULL;
		rc = cli_print(cli, &out) == CLI_OK ? 0 : ERR_IO;
		buf_free(&out);
		return rc;
	}
	r->table = table_new(names, sizeof names / sizeof names[0]);
	if (r->table == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	replay(r, list);
	rc = table_print(r->table, err);
	table_free(r->table);
	return rc;
}

/* ---- the command ---- */

/* Nothing is told of the key: was there ever a row? */
static int
no_history(const struct cli *cli, const struct replay *r, const struct store_table *table,
           const struct buf *key, struct err *err)
{
	int scope, rc = store_inspect_scope(r->db, table->id, key->bytes, key->len, &scope, err);

	if (rc < 0)
		return rc;
	return scope != 0 ? err_set(err, ERR_NOTFOUND,
	                            "%s has the row with the key %.100s, but this file has no "
	                            "record of what was written to it; look at the hub",
	                            table->name, cli->argv[1])
	                  : err_set(err, ERR_NOTFOUND,
	                            "%s has no row with the key %.100s and never had; look for it "
	                            "with yizhan sql",
	                            table->name, cli->argv[1]);
}

static int
look_up(const struct cli *cli, struct sync_history *h, struct replay *r, struct err *err)
{
	const struct store_table *table = store_catalog_table_by_name(r->db, cli->argv[0]);
	struct sync_history_list list = { 0 };
	struct buf key = { 0 };
	int rc;

	if (table == NULL || table->local == NULL)
		return err_set(err, ERR_NOTFOUND,
		               "table %.80s is not tracked here; yizhan schema show says which are",
		               cli->argv[0]);
	rc = store_print_parse_key(table->local, cli->argv[1], &key, err);
	if (rc == ERR_INVALID)
		rc = cli_advise(err, "write it as yizhan log and yizhan sql show it");
	if (rc == 0)
		rc = sync_history_row(h, table->id, key.bytes, key.len, &list, err);
	if (rc == 0 && list.count == 0)
		rc = no_history(cli, r, table, &key, err);
	buf_free(&key);
	return rc < 0 ? rc : print_all(cli, r, &list, err);
}

static int
run(struct cli *cli)
{
	struct sync_history *h = NULL;
	struct node_role role;
	struct replay r = { 0 };
	struct err err = { 0 };
	int rc;

	rc = cli_open(cli, STORE_MERGE, &r.db, &err);
	if (rc == 0)
		rc = node_role_get(r.db, &role, &err);
	if (rc == 0)
		rc = sync_history_begin(r.db, role.is_hub, &h, &err);
	if (rc == 0)
		rc = look_up(cli, h, &r, &err);
	sync_history_end(h);
	store_db_close(r.db);
	if (rc < 0)
		return err.code == 0 ? CLI_FAILED : cli_fail(cli, &err);
	return CLI_OK;
}

const struct cmd cmd_history = {
	.name = "history",
	.args = "TABLE KEY",
	.help = "show every change of a row, with what stood there before",
	.json = true,
	.min = 2,
	.max = 2,
	.run = run,
};
