/*
 * cli/cmd_sql.c - run SQL as any program would: triggers, CHECK and foreign keys
 * on, all statements in one transaction, all or nothing.
 *
 * What only reads doesn't ask for the write lock.  The rows shown are those of
 * the last statement that gave any; one that could have and gave none doesn't
 * count.
 */
#include "cli/cmd.h"
#include "cli/table.h"
#include "node/facility/schema.h"
#include "store/print.h"
#include "store/protect.h"
#include "store/stmt.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* The rows of the last statement that gave some, in the form that is wanted. */
struct shown {
	bool json;
	struct buf rows;     /* json */
	struct table *table; /* else */
};

/* ---- one row ---- */

static int
row_table(struct table *t, struct store_stmt *s, struct err *err)
{
	size_t count = (size_t)store_stmt_columns(s);
	struct arena a = { 0 };
	const char **texts = arena_take(&a, count, sizeof *texts);
	struct buf text = { 0 };

	for (size_t i = 0; texts != NULL && i < count; i++) {
		struct store_value v = store_stmt_get_value(s);

		buf_clear(&text);
		store_print_text(&text, &v);
		texts[i] = arena_copy(&a, buf_str(&text), text.len);
	}
	if (texts != NULL)
		table_row(t, texts);
	buf_free(&text);
	arena_free(&a);
	return texts != NULL ? 0 : err_set(err, ERR_NOMEM, "out of memory for a row");
}

static int
begin_table(struct shown *shown, const struct store_stmt *s, struct err *err)
{
	size_t count = (size_t)store_stmt_columns(s);
	struct arena a = { 0 };
	const char **names = arena_take(&a, count, sizeof *names);

	for (size_t i = 0; names != NULL && i < count; i++)
		names[i] = store_stmt_column_name(s, (int)i);
	table_free(shown->table);
	shown->table = names == NULL ? NULL : table_new(names, count);
	arena_free(&a);
	return shown->table != NULL ? 0 : err_set(err, ERR_NOMEM, "out of memory for the table");
}

/* ---- one statement ---- */

/* The first row of a statement: what was shown before isn't any more. */
static int
begin_rows(struct shown *shown, struct json *j, const struct store_stmt *s, struct err *err)
{
	if (!shown->json)
		return begin_table(shown, s, err);
	buf_clear(&shown->rows);
	*j = json_to(&shown->rows);
	json_array(j);
	return 0;
}

static int
run_statement(struct store_stmt *s, struct shown *shown, struct err *err)
{
	struct json j = json_to(&shown->rows);
	bool any = false;
	int rc = 0;

	while (rc == 0 && (rc = store_stmt_step(s, err)) == 1) {
		rc = any ? 0 : begin_rows(shown, &j, s, err);
		any = true;
		if (rc == 0 && shown->json)
			store_print_row_json(&j, s);
		else if (rc == 0)
			rc = row_table(shown->table, s, err);
	}
	if (rc == 0 && any && shown->json)
		json_end_array(&j);
	return rc;
}

/* Where the first word of a statement begins, behind spaces and comments. */
static const char *
first_word(const char *sql)
{
	for (;;) {
		const char *end;

		sql += strspn(sql, " \t\r\n\f;");
		if (strncmp(sql, "\xef\xbb\xbf", 3) == 0) { /* SQLite takes it for a blank */
			sql += 3;
			continue;
		}
		if (strncmp(sql, "--", 2) == 0)
			end = strchr(sql, '\n');
		else if (strncmp(sql, "/*", 2) == 0)
			end = strstr(sql + 2, "*/");
		else
			return sql;
		if (end == NULL)
			return sql + strlen(sql);
		sql = end + (*end == '\n' ? 1 : 2);
	}
}

static int
refuse_transaction(const char *sql, struct err *err)
{
	static const struct {
		const char *word, *todo;
	} words[] = {
		{ "BEGIN", "leave it out" },
		{ "COMMIT", "leave it out" },
		{ "END", "leave it out" },
		{ "ROLLBACK", "leave it out" },
		{ "ATTACH", "read another file with yizhan -C DIR sql of its own" },
		{ "DETACH", "leave it out" },
		{ "VACUUM", "yizhan backup makes a small copy" },
	};
	const char *word = first_word(sql);
	size_t len = strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_");

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (len == strlen(words[i].word) && strncasecmp(word, words[i].word, len) == 0)
			return err_set(err, ERR_INVALID,
			               "%s can't stand here, because all statements are one "
			               "transaction already; %s",
			               words[i].word, words[i].todo);
	return 0;
}

/* Does every statement compile and write nothing?  (What doesn't compile yet may after the ones
 * before it have run, and those write.) */
static bool
only_reads(struct store_db *db, const char *sql)
{
	bool reads = true;

	while (reads && *sql != 0) {
		struct store_stmt s = store_stmt_first(db, sql, &sql);

		reads = s.status == 0 && store_stmt_readonly(&s);
		store_stmt_end(&s);
	}
	return reads;
}

static int
run_all(struct store_db *db, const char *sql, struct shown *shown, struct err *err)
{
	int rc = 0;

	while (rc == 0 && *first_word(sql) != 0) {
		struct store_stmt s;

		rc = refuse_transaction(sql, err);
		if (rc == 0)
			rc = store_protect_check(db, first_word(sql), facility_owns, err);
		if (rc < 0)
			break;
		s = store_stmt_first(db, sql, &sql);
		if (s.status != 0)
			rc = store_stmt_step(&s, err);
		else if (s.handle != NULL)
			rc = run_statement(&s, shown, err);
		store_stmt_end(&s);
	}
	return rc;
}

/* All statements in one transaction. */
static int
run_transaction(struct store_db *db, const char *sql, struct shown *shown, struct err *err)
{
	int rc;

	rc = only_reads(db, sql) ? store_db_exec(db, "BEGIN", err) : store_db_begin(db, err);
	if (rc < 0)
		return rc;
	rc = run_all(db, sql, shown, err);
	if (rc == 0)
		rc = store_db_commit(db, err);
	if (rc < 0)
		store_db_rollback(db);
	return rc == ERR_INVALID
	               ? cli_advise(err, "nothing was written, correct the SQL and run it again")
	               : rc;
}

static int
show(struct cli *cli, struct shown *shown, struct err *err)
{
	if (!shown->json)
		return shown->table == NULL ? 0 : table_print(shown->table, err);
	if (shown->rows.len == 0)
		buf_printf(&shown->rows, "[]");
	buf_u8(&shown->rows, '\n');
	return cli_print(cli, &shown->rows) == CLI_OK ? 0 : ERR_IO;
}

static int
run(struct cli *cli)
{
	struct shown shown = { .json = cli->json };
	struct store_db *db = NULL;
	struct err err = { 0 };
	int rc;

	rc = cli_open(cli, STORE_LOCAL, &db, &err);
	if (rc == 0)
		store_protect_engine(db);
	if (rc == 0)
		rc = run_transaction(db, cli->argv[0], &shown, &err);
	store_db_close(db);
	if (rc == 0)
		rc = show(cli, &shown, &err);
	buf_free(&shown.rows);
	table_free(shown.table);
	if (rc < 0)
		return err.code == 0 ? CLI_FAILED : cli_fail(cli, &err);
	return CLI_OK;
}

const struct cmd cmd_sql = {
	.name = "sql",
	.args = "\"STATEMENTS\"",
	.help = "run SQL in one transaction, captured like any other program's",
	.json = true,
	.min = 1,
	.max = 1,
	.run = run,
};
