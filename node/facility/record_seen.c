/*
 * node/facility/record_seen.c - who may go on with what is said of a child.
 *
 * A row names the facility that wrote it (facility_id), for ever.  A child who is shared, or has
 * gone to another facility, takes her rows along: there they stand with the other's name, and count
 * in the scope of whoever reads them (store/share.h).  So what is about the child is asked for by
 * that scope; what is about a house keeps its name.
 */
#include "node/facility/record_priv.h"

#include "store/share.h"

#include <stdio.h>
#include <string.h>

/* By its column: 1 ours, 0 another's, ERR_NOTFOUND. */
static int
names_us(struct facility *f, const struct record_ref *ref, struct err *err)
{
	char sql[STORE_NAME_MAX + 64];
	struct store_stmt s;
	int rc;

	snprintf(sql, sizeof sql, "SELECT facility_id = ? FROM %s WHERE id = ?", ref->table);
	s = store_stmt_new(f->db, sql);
	store_stmt_put_text(&s, f->id);
	record_put_id(&s, ref->id);
	rc = store_stmt_step(&s, err);
	if (rc == 1)
		rc = store_stmt_get_int(&s) != 0;
	else if (rc == 0)
		rc = record_not_here(f, ref->what, ref->id, err);
	store_stmt_end(&s);
	return rc;
}

static bool
is_scope_of(const struct facility *f, const char *scope)
{
	return strncmp(scope, "f/", 2) == 0 && strcmp(scope + 2, f->id) == 0;
}

int
record_counts(struct facility *f, const char *table, const uint8_t *id, bool *yes, struct err *err)
{
	char scope[STORE_SCOPE_MAX + 1];
	int rc = store_share_scope_of(f->db, table, id, STORE_ID, scope, err);

	*yes = rc == 0 && is_scope_of(f, scope);
	return rc;
}

int
record_seen(struct facility *f, const struct record_ref *ref, struct err *err)
{
	char scope[STORE_SCOPE_MAX + 1];
	int ours, rc;

	if (ref->id == NULL)
		return err_set(err, ERR_INVALID, "%s: is needed", ref->what);
	ours = names_us(f, ref, err);
	rc = ours < 0 ? ours
	              : store_share_scope_of(f->db, ref->table, ref->id, STORE_ID, scope, err);
	if (rc < 0)
		return rc;
	if (strcmp(scope, STORE_SHARE_LEFT) == 0)
		return err_set(err, ERR_DENIED,
		               "%s: is of somebody who has left %s, and is written where they are "
		               "now",
		               ref->what, f->id);
	return ours || is_scope_of(f, scope) ? 0 : record_not_here(f, ref->what, ref->id, err);
}
