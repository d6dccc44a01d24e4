/*
 * node/hub/external_join.c - which facilities and streets the rows of a delivery speak of.
 *
 * One column names each: the one that was asked for, else the first whose name is known here.  A
 * facility is looked up in v1_facility_key, a street in v1_subdistrict, both when the view is read,
 * so that what the hub learns of a facility later counts.  Departments type by hand: blanks around
 * a key don't count, nor does the case of letters, and a code of 12 digits (社区) is its street's.
 *
 * What a delivery names facilities by is also kept in external_delivery_key, each key once with the
 * number of its rows, because v1_facility_external looks at all deliveries at once, and the names
 * of their columns are in nobody's program.
 */
#include "node/hub/external_priv.h"

#include "store/base/text.h"
#include "store/stmt.h"

#include <string.h>
#include <strings.h>

/* Columns by the names that departments give them, and the field of v1_facility_key that is in
 * them; "" any. */
struct known {
	const char *header, *field;
};

static const struct known facility_columns[] = {
	{ "facility_id", "facility_id" }, { "uscc", "uscc" },
	{ "统一社会信用代码", "uscc" },   { "filing_no", "filing_no" },
	{ "备案编号", "filing_no" },      { NULL, "" },
};

static const struct known street_columns[] = {
	{ "subdistrict_code", "" },
	{ "街道代码", "" },
	{ NULL, "" },
};

/* A column of the file, and what is in it; `name` is NULL if there is none. */
struct found {
	const char *name, *field;
};

static const char *
column_called(const struct external_taking *t, const char *name)
{
	for (size_t i = 0; i < t->header.count; i++)
		if (strcasecmp(t->header.fields[i].text, name) == 0)
			return t->header.fields[i].text;
	return NULL;
}

/* Of the known columns the first that the file has, or the one that is asked for, which may have
 * another name. */
static int
find(const struct external_taking *t, const struct known *known, const char *asked,
     struct found *out, struct err *err)
{
	*out = (struct found){ NULL, "" };
	for (; out->name == NULL && known->header != NULL; known++)
		if (asked == NULL || strcasecmp(asked, known->header) == 0)
			*out = (struct found){ column_called(t, known->header), known->field };
	if (asked == NULL || out->name != NULL)
		return 0;
	*out = (struct found){ column_called(t, asked), "" };
	return out->name != NULL
	               ? 0
	               : err_set(err, ERR_INVALID, "line 1: no column is called %.60s", asked);
}

/* ---- as SQL ---- */

/* A key as v1_facility_key has it. */
static void
put_key(struct buf *sql, const struct found *column)
{
	buf_printf(sql, strcmp(column->field, "facility_id") == 0 ? "trim(e." : "upper(trim(e.");
	external_put_name(sql, column->name);
	buf_printf(sql, strcmp(column->field, "facility_id") == 0 ? ")" : "))");
}

/* A street's code of nine digits, or its name. */
static void
put_street(struct buf *sql, const char *column)
{
	static const char *const parts[] = { "CASE WHEN length(trim(e.", ")) > 9 AND trim(e.",
		                             ") NOT GLOB '*[^0-9]*' THEN substr(trim(e.",
		                             "), 1, 9) ELSE trim(e.", ") END" };

	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		if (i > 0)
			external_put_name(sql, column);
		buf_printf(sql, "%s", parts[i]);
	}
}

static int
make_view(struct external_taking *t, const struct found *facility, const struct found *street,
          struct err *err)
{
	const char *name = t->file->name;
	struct buf sql = { 0 };

	buf_printf(&sql,
	           "DROP VIEW IF EXISTS v1_external_%s; CREATE VIEW v1_external_%s AS SELECT e.*,"
	           " d.source AS yz_source, d.date AS yz_date%s%s FROM external_%s e"
	           " JOIN external_delivery d ON d.name = '%s' AND d.replaced_ms IS NULL",
	           name, name, facility->name != NULL ? ", f.facility_id AS yz_facility_id" : "",
	           street->name != NULL ? ", s.name_zh AS yz_street" : "", name, name);
	if (facility->name != NULL) {
		buf_printf(&sql,
		           " LEFT JOIN (SELECT key, min(facility_id) AS facility_id"
		           " FROM v1_facility_key WHERE '%s' IN ('', field) GROUP BY key) f"
		           " ON f.key = ",
		           facility->field);
		put_key(&sql, facility);
	}
	if (street->name != NULL) {
		buf_printf(&sql, " LEFT JOIN (SELECT key, min(name_zh) AS name_zh FROM (SELECT"
		                 " subdistrict_code AS key, name_zh FROM v1_subdistrict UNION"
		                 " SELECT name_zh, name_zh FROM v1_subdistrict) GROUP BY key) s"
		                 " ON s.key = ");
		put_street(&sql, street->name);
	}
	return external_exec(t, &sql, err);
}

static int
note_keys(struct external_taking *t, const struct found *facility, struct err *err)
{
	struct buf sql = { 0 };

	buf_printf(&sql, "DELETE FROM external_delivery_key WHERE no IN (%lld, %lld);",
	           (long long)t->done->no, (long long)t->done->replaces);
	if (facility->name != NULL) {
		buf_printf(&sql,
		           "INSERT INTO external_delivery_key(no, key, field, rows) SELECT %lld, ",
		           (long long)t->done->no);
		put_key(&sql, facility);
		buf_printf(&sql, ", '%s', count(*) FROM external_%s e WHERE ", facility->field,
		           t->file->name);
		put_key(&sql, facility);
		buf_printf(&sql, " <> '' GROUP BY 2");
	}
	return external_exec(t, &sql, err);
}

/* ---- what came of it ---- */

static int
count(struct external_taking *t, const struct found *column, const char *joined,
      struct external_joined *out, struct err *err)
{
	struct buf sql = { 0 };
	int rc;

	if (column->name == NULL)
		return 0;
	text_copy(out->column, sizeof out->column, column->name);
	buf_printf(&sql, "SELECT count(%s) FROM v1_external_%s", joined, t->file->name);
	rc = buf_check(&sql, err);
	if (rc == 0)
		rc = store_stmt_int(t->db, buf_str(&sql), 0, &out->rows, err);
	buf_free(&sql);
	return rc;
}

int
external_join(struct external_taking *t, struct err *err)
{
	struct found facility = { 0 }, street = { 0 };
	int rc = find(t, facility_columns, t->file->facility_column, &facility, err);

	if (rc == 0)
		rc = find(t, street_columns, t->file->street_column, &street, err);
	if (rc == 0)
		rc = make_view(t, &facility, &street, err);
	if (rc == 0)
		rc = note_keys(t, &facility, err);
	if (rc == 0)
		rc = count(t, &facility, "yz_facility_id", &t->done->facility, err);
	return rc == 0 ? count(t, &street, "yz_street", &t->done->street, err) : rc;
}
