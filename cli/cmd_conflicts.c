/*
 * cli/cmd_conflicts.c - two people wrote one cell without knowing of each other:
 * which is right?
 */
#include "cli/cmd.h"
#include "cli/table.h"
#include "node/facility/person.h"
#include "node/hub/hub_node.h"
#include "node/role.h"
#include "store/base/text.h"
#include "store/print.h"
#include "store/remote.h"
#include "store/verdict.h"
#include "sync/history.h"

#include <stdio.h>
#include <string.h>

static const char *
column_of(struct store_db *db, const struct store_conflict *c)
{
	return c->column == 0 ? NULL : store_catalog_table(db, c->table)->here[c->column - 1];
}

/* Of what column the other value is, for a row that was deleted; NULL if of none. */
static const char *
part_of(struct store_db *db, const struct store_conflict *c)
{
	return c->other.column == 0 ? NULL
	                            : store_catalog_table(db, c->table)->here[c->other.column - 1];
}

/* ---- showing ---- */

/* Of who has left nobody decides here. */
static const char *
state_word(const struct store_conflict *c)
{
	return c->open ? "open" : c->state == STORE_CONFLICT_LEFT ? "left" : "resolved";
}

static void
conflict_begin_json(struct json *j, struct store_db *db, const struct store_conflict *c)
{
	char site[STORE_PRINT_SITE];

	json_object(j);
	json_name(j, "id");
	json_hex(j, c->id, STORE_CONFLICT_ID);
	json_name(j, "table");
	json_text(j, store_catalog_table(db, c->table)->name);
	json_name(j, "key");
	store_print_key_json(j, c->key, c->key_len);
	json_name(j, "column");
	json_text(j, column_of(db, c));
	json_name(j, "shown");
	store_print_json(j, &c->shown.value);
	json_name(j, "other");
	store_print_json(j, &c->other.value);
	json_name(j, "site");
	store_print_site(site, store_catalog_site_of(db, c->shown.site));
	json_text(j, site);
	json_name(j, "other_site");
	store_print_site(site, store_catalog_site_of(db, c->other.site));
	json_text(j, site);
	json_name(j, "at");
	json_time(j, c->at_ms);
}

static void
conflict_end_json(struct json *j, const struct store_conflict *c)
{
	json_name(j, "state");
	json_text(j, state_word(c));
	json_end_object(j);
}

static void
conflict_json(struct json *j, struct store_db *db, const struct store_conflict *c)
{
	conflict_begin_json(j, db, c);
	conflict_end_json(j, c);
}

static void
conflict_row(struct table *t, struct store_db *db, const struct store_conflict *c)
{
	char id[2 * STORE_CONFLICT_ID + 1], at[TEXT_TIME_SIZE];
	struct buf key = { 0 }, shown = { 0 }, other = { 0 };
	const char *column = column_of(db, c);
	const char *texts[8];

	text_hex(id, c->id, STORE_CONFLICT_ID);
	id[8] = 0;
	text_time(at, c->at_ms);
	store_print_key_text(&key, c->key, c->key_len);
	if (column == NULL)
		buf_printf(&shown, "(deleted)");
	else
		store_print_text(&shown, &c->shown.value);
	if (column == NULL && c->other.column != 0)
		buf_printf(&other, "%s: ", part_of(db, c));
	store_print_text(&other, &c->other.value);
	texts[0] = id;
	texts[1] = state_word(c);
	texts[2] = store_catalog_table(db, c->table)->name;
	texts[3] = buf_str(&key);
	texts[4] = column == NULL ? "" : column;
	texts[5] = buf_str(&shown);
	texts[6] = buf_str(&other);
	texts[7] = at;
	table_row(t, texts);
	buf_free(&key);
	buf_free(&shown);
	buf_free(&other);
}

static int
print_rows(struct store_db *db, const struct store_conflict *list, size_t count, struct err *err)
{
	static const char *const names[] = { "ID",     "STATE", "TABLE", "KEY",
		                             "COLUMN", "SHOWN", "OTHER", "AT" };
	struct table *t = table_new(names, sizeof names / sizeof names[0]);
	int rc;

	if (t == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for the table");
	for (size_t i = 0; i < count; i++)
		conflict_row(t, db, &list[i]);
	rc = table_print(t, err);
	table_free(t);
	return rc;
}

/* ---- sub-commands; each in a transaction that the caller has begun ---- */

static int
list(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out, struct err *err)
{
	struct store_conflict *found;
	struct json j = json_to(out);
	size_t count;
	int rc = store_inbox_list(db, cli_option(cli, "all") == NULL, a, &found, &count, err);

	if (rc < 0)
		return rc;
	if (!cli->json && count == 0) {
		buf_printf(out, "no conflict is open");
		return 0;
	}
	if (!cli->json)
		return print_rows(db, found, count, err);
	json_array(&j);
	for (size_t i = 0; i < count; i++)
		conflict_json(&j, db, &found[i]);
	json_end_array(&j);
	return 0;
}

/* ---- one of them, with all that is known of it ---- */

struct detail {
	struct store_db *db;
	const struct store_conflict *c;
	struct node_role role;
	uint8_t hub[STORE_NODE_ID]; /* all zero if none is known */
	struct sync_history_list list;
	/* the change that shows, the one that lost, and the last one before both; NULL if no record
	   of this file has it */
	const struct sync_history_entry *shown, *other, *before;
};

/* The column that the values are of; a row's is the first that the loser wrote. */
static const char *
value_column(const struct detail *d)
{
	return d->c->column != 0 ? column_of(d->db, d->c) : part_of(d->db, d->c);
}

static const struct store_value *
value_in(const struct sync_history_entry *e, const char *column)
{
	int at = column == NULL ? -1 : store_schema_find_here(e->change.schema, column);

	return at < 0 || (e->change.mask >> at & 1) == 0 ? NULL : &e->change.values[at];
}

static bool
is_version(const struct sync_history_entry *e, const struct store_cell *cell)
{
	return e->change.stamp == cell->stamp && e->change.site == cell->site;
}

/* The history is in the order of versions. */
static void
find_changes(struct detail *d)
{
	const struct store_conflict *c = d->c;
	int64_t first =
	        c->column != 0 && c->shown.stamp < c->other.stamp ? c->shown.stamp : c->other.stamp;

	for (size_t i = 0; i < d->list.count; i++) {
		const struct sync_history_entry *e = &d->list.entries[i];

		if (is_version(e, &c->shown))
			d->shown = e;
		if (is_version(e, &c->other))
			d->other = e;
		if (e->change.stamp < first && value_in(e, value_column(d)) != NULL)
			d->before = e;
	}
}

/* On which device: its own name for itself if this is the hub, which knows it. */
static void
device_of(const struct detail *d, int site, struct buf *out)
{
	const struct store_site *s = store_catalog_site_of(d->db, site);
	char text[STORE_PRINT_SITE];
	struct store_site self;
	struct hub_node node;
	struct arena a = { 0 };
	struct err err;

	store_print_site(text, s);
	if (store_meta_self(d->db, &self, &err) == 0 &&
	    memcmp(self.node, s->node, STORE_NODE_ID) == 0)
		buf_printf(out, d->role.is_hub ? "the hub" : "this node");
	else if (memcmp(d->hub, s->node, STORE_NODE_ID) == 0)
		buf_printf(out, "the hub");
	else if (d->role.is_hub && hub_node_find(d->db, s->node, &a, &node, &err) == 1 &&
	         node.label[0] != 0)
		buf_printf(out, "%s", node.label);
	else
		buf_printf(out, "%.8s", text);
	arena_free(&a);
}

/* Who recorded it: the name, or the id if nobody here has it; nothing if the change doesn't say. */
static void
who_wrote(const struct detail *d, const struct sync_history_entry *e, struct buf *out)
{
	const struct store_value *by = e == NULL ? NULL : value_in(e, "recorded_by");
	struct err err;

	if (by == NULL || by->type == STORE_NULL)
		return;
	if (facility_person_name(d->db, by, out, &err) < 0 || out->len == 0)
		store_print_text(out, by);
}

static void
side_json(struct json *j, const struct detail *d, const struct store_cell *cell, bool is_shown)
{
	const struct sync_history_entry *e = is_shown ? d->shown : d->other;
	struct buf by = { 0 }, device = { 0 };

	who_wrote(d, e, &by);
	device_of(d, cell->site, &device);
	json_name(j, is_shown ? "shown_at" : "other_at");
	json_time(j, STORE_STAMP_MS(cell->stamp));
	json_name(j, is_shown ? "shown_by" : "other_by");
	json_text(j, by.len == 0 ? NULL : buf_str(&by));
	json_name(j, is_shown ? "shown_device" : "other_device");
	json_text(j, buf_str(&device));
	buf_free(&by);
	buf_free(&device);
}

static void
detail_json(const struct detail *d, struct buf *out)
{
	struct json j = json_to(out);

	conflict_begin_json(&j, d->db, d->c);
	json_name(&j, "part");
	json_text(&j, value_column(d));
	side_json(&j, d, &d->c->shown, true);
	side_json(&j, d, &d->c->other, false);
	json_name(&j, "before");
	if (d->before == NULL)
		json_null(&j);
	else
		store_print_json(&j, value_in(d->before, value_column(d)));
	conflict_end_json(&j, d->c);
}

static void
put_value(struct buf *out, const struct store_value *v)
{
	if (v == NULL || v->type == STORE_NULL)
		buf_printf(out, "nothing");
	else
		store_print_text(out, v);
}

static void
side_text(const struct detail *d, const struct store_cell *cell, bool is_shown, struct buf *out)
{
	const struct sync_history_entry *e = is_shown ? d->shown : d->other;
	char at[TEXT_TIME_SIZE];
	struct buf by = { 0 };

	text_time(at, STORE_STAMP_MS(cell->stamp));
	buf_printf(out, "\n  %-7s ", is_shown ? "shown" : "other");
	if (is_shown && d->c->column == 0)
		buf_printf(out, e != NULL && e->change.op == STORE_DELETE ? "the row is deleted"
		                                                          : "the row is made anew");
	else
		put_value(out, &cell->value);
	buf_printf(out, " · %s · ", at);
	who_wrote(d, e, &by);
	if (by.len > 0)
		buf_printf(out, "%s · ", buf_str(&by));
	device_of(d, cell->site, out);
	buf_free(&by);
}

static void
detail_text(const struct detail *d, struct buf *out)
{
	const struct store_conflict *c = d->c;
	char id[2 * STORE_CONFLICT_ID + 1];

	text_hex(id, c->id, STORE_CONFLICT_ID);
	buf_printf(out, "%.8s · %s · %s ", id, state_word(c),
	           store_catalog_table(d->db, c->table)->name);
	store_print_key_text(out, c->key, c->key_len);
	buf_printf(out, " %s", value_column(d) == NULL ? "" : value_column(d));
	side_text(d, &c->shown, true, out);
	side_text(d, &c->other, false, out);
	buf_printf(out, "\n  before  ");
	put_value(out, d->before == NULL ? NULL : value_in(d->before, value_column(d)));
	if (c->open)
		buf_printf(out, "\n  yizhan conflicts resolve %.8s --take shown|other%s", id,
		           c->column == 0 ? "" : "|VALUE");
}

static int
read_detail(const struct cli *cli, struct detail *d, struct sync_history *h, struct arena *a,
            struct err *err)
{
	struct store_remote hub = { 0 };
	int rc = store_verdict_find(d->db, cli->argv[1], a, &d->c, err);

	if (rc == 0)
		rc = sync_history_row(h, d->c->table, d->c->key, d->c->key_len, &d->list, err);
	if (rc == 0)
		rc = store_remote_get(d->db, "hub", a, &hub, err);
	if (rc == 0 && hub.enrolled)
		sync_node_id(d->hub, hub.key);
	if (rc == 0)
		find_changes(d);
	return rc;
}

/* The history seals what waits, looks, and rolls all back. */
static int
show(const struct cli *cli, struct buf *out, struct err *err)
{
	struct detail d = { 0 };
	struct sync_history *h = NULL;
	struct arena a = { 0 };
	int rc = cli_open(cli, STORE_MERGE, &d.db, err);

	if (rc == 0)
		rc = node_role_get(d.db, &d.role, err);
	if (rc == 0)
		rc = sync_history_begin(d.db, d.role.is_hub, &h, err);
	if (rc == 0)
		rc = read_detail(cli, &d, h, &a, err);
	if (rc == 0 && cli->json)
		detail_json(&d, out);
	else if (rc == 0)
		detail_text(&d, out);
	buf_u8(out, '\n');
	sync_history_end(h);
	store_db_close(d.db);
	arena_free(&a);
	return rc;
}

static int
run_show(struct cli *cli)
{
	struct buf out = { 0 };
	struct err err;
	int rc = show(cli, &out, &err), code = rc < 0 ? cli_fail(cli, &err) : cli_print(cli, &out);

	buf_free(&out);
	return code;
}

/* ---- resolving ---- */

static int
copy_row(const struct store_schema *schema, const struct store_value *row, struct arena *a,
         struct store_value **out, struct err *err)
{
	*out = arena_take(a, schema->column_count, sizeof **out);
	for (unsigned i = 0; *out != NULL && i < schema->column_count; i++) {
		(*out)[i] = row[i];
		if (row[i].type != STORE_TEXT && row[i].type != STORE_BLOB)
			continue;
		(*out)[i].bytes = arena_copy(a, row[i].bytes, row[i].len);
		if ((*out)[i].bytes == NULL)
			*out = NULL;
	}
	return *out != NULL ? 0 : err_set(err, ERR_NOMEM, "out of memory for a row");
}

/* The deleted row as it would be without its deletion. */
static int
revive(const struct cli *cli, const char *id, struct arena *a, struct store_value **row,
       struct err *err)
{
	const struct store_conflict *c;
	const struct store_schema *schema;
	struct sync_history *h = NULL;
	struct store_db *db = NULL;
	struct store_value *found;
	struct node_role role;
	int rc = cli_open(cli, STORE_MERGE, &db, err);

	if (rc == 0)
		rc = node_role_get(db, &role, err);
	if (rc == 0)
		rc = sync_history_begin(db, role.is_hub, &h, err);
	if (rc == 0)
		rc = store_verdict_find(db, id, a, &c, err);
	if (rc == 0 && c->column == 0 && c->open) {
		schema = store_catalog_table(db, c->table)->local;
		if (schema == NULL)
			rc = err_set(err, ERR_INVALID,
			             "its table is not tracked here any more; take what is shown");
		if (rc == 0)
			rc = sync_history_revive(h, schema,
			                         &(struct store_row){ .key = c->key,
			                                              .key_len = c->key_len,
			                                              .cl = c->cl },
			                         &found, err);
		if (rc == 0)
			rc = copy_row(schema, found, a, row, err);
	}
	sync_history_end(h);
	store_db_close(db);
	return rc;
}

static int
read_choice(struct store_db *db, const char *take, struct arena *a, struct store_verdict *v,
            struct err *err)
{
	const struct store_schema *s = store_catalog_table(db, v->conflict->table)->local;
	const char *column = column_of(db, v->conflict);
	int at = s == NULL || column == NULL ? -1 : store_schema_find_here(s, column);

	if (strcmp(take, "shown") == 0) {
		v->take = STORE_TAKE_SHOWN;
		return 0;
	}
	if (strcmp(take, "other") == 0) {
		v->take = STORE_TAKE_OTHER;
		return 0;
	}
	v->take = STORE_TAKE_VALUE;
	if (at < 0)
		return err_set(err, ERR_INVALID,
		               "a value can't be given for a whole row; take shown or other");
	return store_print_parse_value(s->columns[at].type, take, a, &v->value, err);
}

static int
resolve(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out,
        struct err *err)
{
	const char *take = cli_option(cli, "take");
	struct store_verdict v = { .by = cli_who() };
	struct store_conflict done;
	struct json j = json_to(out);
	struct store_value *row = NULL;
	int rc = 0;

	if (strcmp(take, "other") == 0) {
		store_db_rollback(db); /* two writers can't be at once */
		rc = revive(cli, cli->argv[1], a, &row, err);
		if (rc == 0)
			rc = store_db_begin(db, err);
	}
	v.row = row;
	if (rc == 0)
		rc = store_verdict_find(db, cli->argv[1], a, &v.conflict, err);
	if (rc == 0)
		rc = read_choice(db, take, a, &v, err);
	if (rc == 0)
		rc = store_verdict_give(db, &v, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc < 0 || v.conflict == NULL)
		return rc;
	done = *v.conflict;
	done.open = false;
	if (cli->json)
		conflict_json(&j, db, &done);
	else
		buf_printf(out, "resolved: %s", take);
	return 0;
}

/* ---- the command ---- */

static int
run(struct cli *cli)
{
	const char *word = cli->argc == 0 ? "list" : cli->argv[0];
	bool takes_id = strcmp(word, "show") == 0 || strcmp(word, "resolve") == 0;

	if (!takes_id && strcmp(word, "list") != 0)
		return cli_usage(cli, "conflicts can't \"%s\"", word);
	if (takes_id && cli->argc < 2)
		return cli_usage(cli, "%s needs the ID of a conflict", word);
	if (!takes_id && cli->argc > 1)
		return cli_usage(cli, "\"%s\" is one word too many", cli->argv[1]);
	if (strcmp(word, "list") == 0)
		return cli_run_sub(cli, list, STORE_READ);
	if (strcmp(word, "show") == 0)
		return run_show(cli);
	if (cli_option(cli, "take") == NULL)
		return cli_usage(cli, "resolve needs --take shown, other or a value");
	return cli_run_sub(cli, resolve, STORE_LOCAL);
}

static const struct cmd_option options[] = {
	{ "take", "shown|other|VALUE", "resolve: what is right" },
	{ "all", NULL, "list: also those that are resolved, or of who has left" },
	{ 0 },
};

const struct cmd cmd_conflicts = {
	.name = "conflicts",
	.args = "[list | show ID | resolve ID]",
	.help = "list and resolve what two people wrote without knowing of each other",
	.options = options,
	.json = true,
	.max = 2,
	.run = run,
};
