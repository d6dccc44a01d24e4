#include "node/hub/asked.h"

#include "store/stmt.h"

#include <string.h>

/* quote() keeps NULL, numbers and texts apart, and ends what it quotes. */
#define SAYS(a) "quote(" a ") || ','"
#define AND_SAYS(a) " || " SAYS(a)
#define ANSWERED ", ifnull(review_no = ask_no, 0)"

static const struct asked_table {
	const char *table;
	const char *look, *count; /* parameter: id */
} tables[] = {
	{ "pickup_auth",
	  "SELECT " SAYS("child_id") AND_SAYS("name") AND_SAYS("relation") AND_SAYS("phone")
	          AND_SAYS("photo_id") AND_SAYS("valid_from") AND_SAYS("valid_to") AND_SAYS("kind")
	                  ANSWERED " FROM pickup_auth WHERE id = ?",
	  "UPDATE pickup_auth SET ask_no = ifnull(ask_no, 0) + 1 WHERE id = ?" },
	{ "course_order",
	  "SELECT " SAYS("course_code") AND_SAYS("child_id") AND_SAYS("buyer_name")
	          AND_SAYS("phone") AND_SAYS("places") AND_SAYS("from_date") AND_SAYS("to_date")
	                  AND_SAYS("note") ANSWERED " FROM course_order WHERE id = ?",
	  "UPDATE course_order SET ask_no = ifnull(ask_no, 0) + 1 WHERE id = ?" },
};

enum { TABLES = sizeof tables / sizeof tables[0] };

/* What the platform reads, and never writes. */
static const char *const not_theirs[] = { "ask_no",      "review",    "review_note",
	                                  "reviewed_at", "review_no", "done_at" };

static int
check_columns(const struct store_named_row *row, struct err *err)
{
	for (size_t i = 0; i < row->count; i++)
		for (size_t k = 0; k < sizeof not_theirs / sizeof not_theirs[0]; k++)
			if (strcmp(row->columns[i], not_theirs[k]) == 0)
				return err_set(err, ERR_INVALID,
				               "row: %s is the facility's answer, not to be "
				               "written here",
				               not_theirs[k]);
	return 0;
}

static struct store_stmt
about(struct store_db *db, const char *sql, const struct store_named_row *row)
{
	struct store_stmt s = store_stmt_new(db, sql);

	for (size_t i = 0; i < row->count; i++)
		if (strcmp(row->columns[i], "id") == 0)
			store_stmt_put_value(&s, &row->values[i]);
	return s;
}

/* 1 if there is such a row, or 0. */
static int
look(struct asked *asked, struct store_db *db, const struct store_named_row *row, struct err *err)
{
	struct store_stmt s = about(db, tables[asked->table].look, row);
	int rc = store_stmt_step(&s, err);

	if (rc == 1) {
		buf_printf(&asked->said, "%s", store_stmt_get_text(&s));
		asked->answered = store_stmt_get_int(&s) != 0;
	}
	store_stmt_end(&s);
	if (rc == 1 && buf_check(&asked->said, err) < 0)
		rc = err->code;
	return rc;
}

int
asked_before(struct asked *asked, struct store_db *db, const struct store_named_row *row,
             struct err *err)
{
	int rc;

	*asked = (struct asked){ .table = -1 };
	for (int i = 0; i < TABLES; i++)
		if (strcmp(tables[i].table, row->table) == 0)
			asked->table = i;
	if (asked->table < 0)
		return 0;
	rc = check_columns(row, err);
	if (rc == 0)
		rc = look(asked, db, row, err);
	return rc < 0 ? rc : 0;
}

int
asked_after(const struct asked *asked, struct store_db *db, const struct store_named_row *row,
            struct err *err)
{
	struct asked now = { .table = asked->table };
	struct store_stmt s;
	bool same;
	int rc;

	if (asked->table < 0)
		return 0;
	rc = look(&now, db, row, err);
	same = now.said.len == asked->said.len &&
	       (now.said.len == 0 || memcmp(now.said.bytes, asked->said.bytes, now.said.len) == 0);
	asked_end(&now);
	if (rc != 1 || same) /* a row that was deleted says nothing */
		return rc < 0 ? rc : 0;
	if (asked->answered)
		return err_set(err, ERR_INVALID,
		               "row: was answered as it is; make a new one, with a new id");
	s = about(db, tables[asked->table].count, row);
	return store_stmt_run(&s, err);
}

void
asked_end(struct asked *asked)
{
	buf_free(&asked->said);
}
