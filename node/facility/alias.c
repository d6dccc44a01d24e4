#include "node/facility/alias.h"

#include "store/share.h"
#include "store/stmt.h"

#include <string.h>

/* Each registration but the lowest of its person, and that one. */
#define PAIRS                                                                                      \
	" FROM (SELECT c.id AS alias_id, c.facility_id, (SELECT min(o.id) FROM child o WHERE"      \
	" o.facility_id = c.facility_id AND o.id_hash = c.id_hash) AS child_id FROM child c"       \
	" WHERE c.id_hash IS NOT NULL) p WHERE p.alias_id <> p.child_id AND NOT EXISTS (SELECT 1"  \
	" FROM child_alias k WHERE k.alias_id = p.alias_id AND k.child_id = p.child_id)"

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "out of memory for registrations of one person");
}

struct pair {
	uint8_t child[STORE_ID], alias[STORE_ID];
	const char *facility;
};

static void
take_id(struct store_stmt *s, uint8_t out[STORE_ID])
{
	size_t len;
	const uint8_t *bytes = store_stmt_get_blob(s, &len);

	memset(out, 0, STORE_ID);
	if (len == STORE_ID)
		memcpy(out, bytes, STORE_ID);
}

/* Has one of the two left?  Then a link would be written of somebody who isn't ours. */
static int
have_left(struct store_db *db, const struct pair *pair, bool *yes, struct err *err)
{
	int rc = store_share_has_left(db, "child", pair->child, STORE_ID, yes, err);

	return rc < 0 || *yes ? rc
	                      : store_share_has_left(db, "child", pair->alias, STORE_ID, yes, err);
}

static int
find_pairs(struct store_db *db, struct arena *a, struct pair **list, size_t *count, struct err *err)
{
	struct store_stmt s;
	int64_t total = 0;
	int rc = store_stmt_int(db, "SELECT count(*)" PAIRS, 0, &total, err);

	*count = 0;
	if (rc < 0)
		return rc;
	*list = arena_take(a, (size_t)total + 1, sizeof **list);
	if (*list == NULL)
		return no_memory(err);
	s = store_stmt_new(db, "SELECT p.child_id, p.alias_id, p.facility_id" PAIRS);
	while (*count < (size_t)total && (rc = store_stmt_step(&s, err)) == 1) {
		struct pair *pair = &(*list)[*count];
		bool left = false;

		take_id(&s, pair->child);
		take_id(&s, pair->alias);
		pair->facility = store_stmt_copy_text(&s, a);
		rc = pair->facility == NULL ? no_memory(err) : have_left(db, pair, &left, err);
		if (rc < 0)
			break;
		*count += !left;
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
alias_unlinked(struct store_db *db, bool *yes, struct err *err)
{
	struct arena a = { 0 };
	struct pair *list;
	size_t count;
	int rc = find_pairs(db, &a, &list, &count, err);

	*yes = rc == 0 && count > 0;
	arena_free(&a);
	return rc;
}

int
alias_link(struct store_db *db, struct err *err)
{
	struct arena a = { 0 };
	struct pair *list;
	size_t count;
	int rc = find_pairs(db, &a, &list, &count, err);

	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct store_stmt s = store_stmt_new(db, "INSERT INTO child_alias(alias_id,"
		                                         " child_id, facility_id)"
		                                         " VALUES (?, ?, ?)");

		store_stmt_put_blob(&s, list[i].alias, STORE_ID);
		store_stmt_put_blob(&s, list[i].child, STORE_ID);
		store_stmt_put_text(&s, list[i].facility);
		rc = store_stmt_run(&s, err);
	}
	arena_free(&a);
	return rc < 0 ? err_wrap(err, "registrations of one person") : 0;
}

int
alias_list(struct store_db *db, struct arena *a, struct alias **list, size_t *count,
           struct err *err)
{
	struct store_stmt s;
	int64_t total = 0;
	int rc = store_stmt_int(db, "SELECT count(*) FROM child_alias", 0, &total, err);

	*count = 0;
	if (rc < 0)
		return rc;
	*list = arena_take(a, (size_t)total + 1, sizeof **list);
	if (*list == NULL)
		return no_memory(err);
	s = store_stmt_new(db, "SELECT k.facility_id, k.child_id, k.alias_id,"
	                       " coalesce(c.name, ''), coalesce(d.name, ''),"
	                       " coalesce(c.birth_date, 0) FROM child_alias k"
	                       " LEFT JOIN child c ON c.id = k.child_id"
	                       " LEFT JOIN child d ON d.id = k.alias_id ORDER BY 1, 2, 3");
	while (*count < (size_t)total && (rc = store_stmt_step(&s, err)) == 1) {
		struct alias *it = &(*list)[(*count)++];

		it->facility = store_stmt_copy_text(&s, a);
		take_id(&s, it->child);
		take_id(&s, it->alias);
		it->name = store_stmt_copy_text(&s, a);
		it->alias_name = store_stmt_copy_text(&s, a);
		it->birth_date = store_stmt_get_int(&s);
		if (it->facility == NULL || it->name == NULL || it->alias_name == NULL) {
			rc = no_memory(err);
			break;
		}
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}
