#include "node/facility/street.h"
#include "node/facility/codes.h"
#include "node/facility/date.h"

#include "store/stmt.h"

#include <stdio.h>
#include <string.h>

/* facility.kind of home care points, as SQL. */
#define HOME "4"
_Static_assert(KIND_HOME == 4, "the kind that isn't named");

#define HOMES "3"
_Static_assert(STREET_HOMES == 3, "so many of them, or none is told of");

#define STREET FACILITY_STREET("f")

/* As the state numbers them. */
static bool
is_code(const char *text)
{
	size_t len = strlen(text);

	return (len == STREET_DIGITS || len == STREET_COMMUNITY_DIGITS) &&
	       strspn(text, "0123456789") == len;
}

int
facility_street_doubt(struct store_db *db, const char *code, char why[STREET_WHY], struct err *err)
{
	struct store_stmt s;
	bool strange;
	int rc;

	why[0] = 0;
	if (!is_code(code)) {
		snprintf(why, STREET_WHY,
		         "%.48s is no street's code, which has 9 digits, or 12 with the "
		         "community's",
		         code);
		return 0;
	}
	s = store_stmt_new(db, "SELECT EXISTS (SELECT 1 FROM population) AND NOT EXISTS (SELECT 1"
	                       " FROM population WHERE substr(subdistrict_code, 1, 9)"
	                       " = substr(?1, 1, 9))");
	store_stmt_put_text(&s, code);
	rc = store_stmt_step(&s, err);
	strange = rc == 1 && store_stmt_get_int(&s) != 0;
	store_stmt_end(&s);
	if (strange)
		snprintf(why, STREET_WHY, "%.48s is none of the streets in population", code);
	return rc < 0 ? rc : 0;
}

/* Children with an open case; one whom two tablets have registered is one. */
#define CHILDREN "count(DISTINCT coalesce(c.child_id, c.id))"

/* What the notices have to say, from the cases that are open: those are few, and have an index. */
#define OPEN                                                                                       \
	"WITH open_case(subdistrict_code, facility_id, disease_code, onset_date, cases, "          \
	"confirmed) AS (SELECT " STREET ","                                                        \
	" CASE f.kind WHEN " HOME " THEN '' ELSE c.facility_id END, c.disease_code, c.onset_date," \
	" CASE WHEN " CHILDREN " >= 5 THEN 5 WHEN " CHILDREN " >= 3 THEN 3 ELSE 1 END,"            \
	" max(CASE WHEN c.confirmed IN (1, 2, 3) THEN c.confirmed ELSE 1 END)"                     \
	" FROM symptom_case c JOIN facility f ON f.facility_id = c.facility_id"                    \
	" WHERE c.closed = 0 AND c.onset_date BETWEEN ?1 AND ?2 AND " STREET " IS NOT NULL"        \
	" AND c.disease_code IN (SELECT code FROM code_set WHERE set_code = 'disease'"             \
	" AND code <> 'OTH')"                                                                      \
	" AND (f.kind <> " HOME " OR (SELECT count(*) FROM facility g WHERE g.kind = " HOME        \
	" AND " FACILITY_STREET("g") " = " STREET ") >= " HOMES ")"                                \
	                             " GROUP BY 1, 2, 3, 4) "

#define SAME_KEY                                                                                   \
	"symptom_notice.subdistrict_code = o.subdistrict_code"                                     \
	" AND symptom_notice.facility_id = o.facility_id"                                          \
	" AND symptom_notice.disease_code = o.disease_code"                                        \
	" AND symptom_notice.onset_date = o.onset_date"

#define DIFFERS                                                                                    \
	"(symptom_notice.cases IS NOT o.cases OR symptom_notice.confirmed IS NOT o.confirmed"      \
	" OR symptom_notice.closed <> 0)"

#define MISSING "NOT EXISTS (SELECT 1 FROM symptom_notice WHERE " SAME_KEY ")"

#define OVER                                                                                       \
	"closed = 0 AND (subdistrict_code, facility_id, disease_code, onset_date) NOT IN"          \
	" (SELECT subdistrict_code, facility_id, disease_code, onset_date FROM open_case)"

static struct store_stmt
looking(struct store_db *db, const char *sql, int date)
{
	struct store_stmt s = store_stmt_new(db, sql);

	store_stmt_put_int(&s, date_add(date, -STREET_DAYS));
	store_stmt_put_int(&s, date_add(date, 1)); /* a clock may be ahead */
	return s;
}

int
facility_street_stale(struct store_db *db, int date, bool *yes, struct err *err)
{
	static const char look[] =
	        OPEN "SELECT 1 FROM open_case o LEFT JOIN symptom_notice ON " SAME_KEY
	             " WHERE symptom_notice.onset_date IS NULL OR " DIFFERS
	             " UNION ALL SELECT 1 FROM symptom_notice WHERE " OVER " LIMIT 1";
	struct store_stmt s = looking(db, look, date);
	int rc = store_stmt_step(&s, err);

	store_stmt_end(&s);
	*yes = rc == 1;
	return rc < 0 ? rc : 0;
}

int
facility_street_keep(struct store_db *db, int date, struct err *err)
{
	/* one statement would insert over rows that are there, and an insert tells every cell */
	static const char *const writes[] = {
		OPEN
		"UPDATE symptom_notice SET cases = o.cases, confirmed = o.confirmed, closed = 0"
		" FROM open_case o WHERE " SAME_KEY " AND " DIFFERS,
		OPEN "INSERT INTO symptom_notice(subdistrict_code, facility_id, disease_code,"
		     " onset_date, cases, confirmed, closed) SELECT o.subdistrict_code,"
		     " o.facility_id, o.disease_code, o.onset_date, o.cases, o.confirmed, 0"
		     " FROM open_case o WHERE " MISSING,
		OPEN "UPDATE symptom_notice SET closed = 1 WHERE " OVER,
	};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < sizeof writes / sizeof writes[0]; i++) {
		struct store_stmt s = looking(db, writes[i], date);

		rc = store_stmt_run(&s, err);
	}
	return rc;
}

/* ------------------------------------------------------------------ at a facility */

#define DISEASE(lang)                                                                              \
	"coalesce((SELECT name_" lang " FROM code_set WHERE set_code = 'disease' AND code ="       \
	" n.disease_code ORDER BY version DESC LIMIT 1), n.disease_code)"
#define DISEASE_ZH DISEASE("zh")
#define DISEASE_EN DISEASE("en")

/* What was of a street that the facility has left stays in its file; that the district has told. */
#define OWN_STREET "(SELECT " STREET " FROM facility f WHERE f.facility_id = ?1)"

/* Of the home care points together: it may be the one that asks. */
#define MAY_BE_OWN                                                                                 \
	"n.facility_id = '' AND n.cases < 3 AND EXISTS (SELECT 1 FROM symptom_case c"              \
	" JOIN facility f ON f.facility_id = c.facility_id WHERE c.facility_id = ?1"               \
	" AND f.kind = " HOME " AND c.closed = 0 AND c.disease_code = n.disease_code"              \
	" AND c.onset_date = n.onset_date)"

static const char newest[] =
        "SELECT CASE n.facility_id WHEN '' THEN '' ELSE coalesce(nullif(p.name, ''),"
        " n.facility_id) END, n.onset_date, n.cases, n.confirmed, " DISEASE_ZH ", " DISEASE_EN
        " FROM symptom_notice n LEFT JOIN facility_public p ON p.facility_id = n.facility_id"
        " WHERE n.closed = 0 AND n.facility_id <> ?1 AND n.onset_date >= ?2"
        " AND n.subdistrict_code = coalesce(" OWN_STREET ", n.subdistrict_code)"
        " AND NOT (" MAY_BE_OWN ")"
        " ORDER BY n.onset_date DESC, n.disease_code, n.facility_id LIMIT ?3";

int
facility_street_list(struct facility *f, int date, struct arena *a, struct street_notices *out,
                     struct err *err)
{
	struct store_stmt s;
	int rc = 0;

	*out = (struct street_notices){ .list = arena_take(a, STREET_LISTED, sizeof *out->list) };
	if (out->list == NULL)
		return err_set(err, ERR_NOMEM, "notices of the street: out of memory");
	s = store_stmt_new(f->db, newest);
	store_stmt_put_text(&s, f->id);
	store_stmt_put_int(&s, date_add(date, -STREET_DAYS));
	store_stmt_put_int(&s, STREET_LISTED + 1);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct street_notice *n;

		out->more = out->count == STREET_LISTED;
		if (out->more)
			break;
		n = &out->list[out->count++];
		n->facility = store_stmt_copy_text(&s, a);
		n->onset_date = (int)store_stmt_get_int(&s);
		n->cases = store_stmt_get_int(&s);
		n->confirmed = store_stmt_get_int(&s);
		n->disease_zh = store_stmt_copy_text(&s, a);
		n->disease_en = store_stmt_copy_text(&s, a);
	}
	store_stmt_end(&s);
	if (rc >= 0 && a->spent)
		rc = err_set(err, ERR_NOMEM, "notices of the street: out of memory");
	return rc < 0 ? rc : 0;
}
