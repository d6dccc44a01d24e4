/*
 * node/hub/offers_export.c - GET /v1/export: a table's rows, or with format=fhir
 * the resources of a type (node/facility/fhir.h), whose rows are chosen by the same
 * rules (node/hub/extract.h).
 */
#include "node/facility/fhir.h"
#include "node/http/form.h"
#include "node/hub/bearer.h"
#include "node/hub/export_log.h"
#include "node/hub/extract.h"
#include "node/hub/offers.h"
#include "node/hub/snapshot_views.h"
#include "node/room.h"
#include "store/table_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FLUSH = 1 << 16, LOOK_EVERY = 1024, PATH_SIZE = 640 };

struct asked {
	char table[STORE_NAME_MAX + 1];
	char type[STORE_NAME_MAX + 1];
	char scope[STORE_SCOPE_MAX + 1];
	enum store_table_form form;
	bool fhir;
};

/* ---- the query ---- */

static int
read_form(struct asked *asked, const char *value, struct err *err)
{
	bool csv = strcmp(value, "csv") == 0;

	asked->fhir = strcmp(value, "fhir") == 0;
	if (!csv && !asked->fhir && strcmp(value, "ndjson") != 0)
		return err_set(err, ERR_INVALID,
		               "format=%.20s isn't offered here; csv, ndjson and fhir are", value);
	asked->form = csv ? STORE_TABLE_EXCEL : STORE_TABLE_NDJSON;
	return 0;
}

static int
take_parameter(void *ctx, const char *name, const char *value, struct err *err)
{
	struct asked *asked = ctx;

	if (strcmp(name, "table") == 0)
		return form_copy(asked->table, sizeof asked->table, name, value, err);
	if (strcmp(name, "scope") == 0)
		return form_copy(asked->scope, sizeof asked->scope, name, value, err);
	if (strcmp(name, "_type") == 0)
		return form_copy(asked->type, sizeof asked->type, name, value, err);
	if (strcmp(name, "format") == 0)
		return read_form(asked, value, err);
	return err_set(err, ERR_INVALID,
	               "there is no parameter %.40s: table, format, scope; _type with format=fhir",
	               name);
}

/* Whether they go together. */
static int
check_query(const struct asked *asked, struct err *err)
{
	if (asked->fhir && asked->type[0] == 0)
		return err_set(err, ERR_INVALID, "_type: is needed with format=fhir, one of %s",
		               facility_fhir_types());
	if (asked->fhir != (asked->type[0] != 0) || (asked->fhir && asked->table[0] != 0))
		return err_set(err, ERR_INVALID,
		               "_type goes with format=fhir, table with the other formats");
	if (!asked->fhir && asked->table[0] == 0)
		return err_set(err, ERR_INVALID, "table: is needed, /v1/export?table=NAME");
	return 0;
}

static int
read_query(const char *query, struct asked *asked, struct err *err)
{
	int rc;

	*asked = (struct asked){ .form = STORE_TABLE_NDJSON };
	rc = form_each(query, take_parameter, asked, err);
	return rc == 0 ? check_query(asked, err) : rc;
}

/* ---- the rows ---- */

/* A file that has no name any more. */
static int
open_spool(const struct offers *o, int *fd, struct err *err)
{
	char folder[PATH_SIZE], path[PATH_SIZE + 16];
	int rc = kept_folder(&o->snapshots, folder, sizeof folder, err);

	if (rc < 0)
		return rc;
	snprintf(path, sizeof path, "%s/export-XXXXXX", folder);
	*fd = mkstemp(path);
	if (*fd < 0)
		return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
	unlink(path);
	return 0;
}

/* How much will come nobody knows before; so the room is asked for at each piece, and an export
 * never fills the disk. */
static int
flush(const struct offers *o, struct buf *out, struct http_file *file, struct err *err)
{
	int rc = buf_check(out, err), fd = file->fd;

	if (rc == 0)
		rc = room_for(o->snapshots.dir, "an export", (int64_t)out->len, err);

	for (size_t done = 0; rc == 0 && done < out->len;) {
		ssize_t n = write(fd, out->bytes + done, out->len - done);

		if (n < 0 && errno != EINTR)
			rc = err_set(err, err_of_system(errno), "export: %s", strerror(errno));
		done += n < 0 ? 0 : (size_t)n;
	}
	file->len += out->len;
	buf_clear(out);
	return rc;
}

/* What the rows go through on their way into the file. */
struct spooling {
	const struct offers *o;
	const struct token *token;
	const struct asked *asked;
	struct fhir fhir;
	struct buf out;
	struct http_file *file;
	char cursor[FEED_CURSOR]; /* of the moment that the rows are of */
};

static int
put_row(struct spooling *sp, struct store_stmt *s, struct err *err)
{
	if (sp->asked->fhir)
		return facility_fhir_row(&sp->fhir, s, &sp->out, err);
	store_table_row(&sp->out, s, sp->asked->form);
	return 0;
}

static int
write_rows(struct spooling *sp, struct store_stmt *s, struct err *err)
{
	const atomic_bool *stop = sp->o->snapshots.stop;
	int rc = s->status == 0 ? 0 : store_stmt_step(s, err);

	if (rc == 0 && !sp->asked->fhir)
		store_table_head(&sp->out, s, sp->asked->form);
	for (unsigned n = 1; rc == 0 && (rc = store_stmt_step(s, err)) == 1; n++) {
		rc = put_row(sp, s, err);
		if (rc == 0 && sp->out.len >= FLUSH)
			rc = flush(sp->o, &sp->out, sp->file, err);
		if (rc == 0 && n % LOOK_EVERY == 0 && stop != NULL && atomic_load(stop))
			rc = err_set(err, ERR_BUSY, "export: stopping");
	}
	if (rc == 0 && sp->asked->fhir)
		facility_fhir_end(&sp->fhir, &sp->out);
	return rc == 0 ? flush(sp->o, &sp->out, sp->file, err) : rc;
}

/* May the token read that table here?  What it may of it, if `x` isn't NULL. */
static bool
may_read(const struct spooling *sp, const char *name, struct extract *x)
{
	const struct store_table *table = store_catalog_table_by_name(sp->o->snapshots.db, name);
	struct extract unused;

	return table != NULL &&
	       extract_of(sp->token, table, sp->asked->scope[0] == 0 ? NULL : sp->asked->scope,
	                  x == NULL ? &unused : x);
}

/* What the token may read of the table, or of the view, of that name: what it may not read isn't
 * there (404). */
static int
choose(const struct spooling *sp, const char *name, struct arena *a, struct extract *x,
       struct err *err)
{
	struct store_db *db = sp->o->snapshots.db;
	int rc = 0;

	if (may_read(sp, name, x))
		return 0;
	if (store_catalog_table_by_name(db, name) == NULL && sp->asked->scope[0] == 0)
		rc = snapshot_views_extract(db, sp->token, name, a, x, err);
	if (rc == 0)
		rc = err_set(err, ERR_NOTFOUND, "there is no table %.60s that this token reads",
		             name);
	return rc < 0 ? rc : 0;
}

static int
spool_table(struct spooling *sp, const char *name, const char *const *order, struct err *err)
{
	struct arena a = { 0 };
	struct store_stmt s;
	struct extract x;
	int rc = choose(sp, name, &a, &x, err);

	x.part.order = order;
	if (rc == 0)
		rc = store_transfer_select(sp->o->snapshots.db, &x.part, &s, err);
	if (rc == 0) {
		rc = write_rows(sp, &s, err);
		store_stmt_end(&s);
	}
	arena_free(&a);
	return rc;
}

/* All sources of the type, each of which the token must read. */
static int
spool_type(struct spooling *sp, struct err *err)
{
	const struct fhir_type *type = sp->fhir.type;
	int rc = 0;

	for (size_t i = 0; i < FHIR_SOURCES && type->sources[i].table != NULL; i++)
		if (!may_read(sp, type->sources[i].table, NULL) ||
		    (type->sources[i].needs != NULL && !may_read(sp, type->sources[i].needs, NULL)))
			return err_set(err, ERR_NOTFOUND,
			               "%s is made of tables that this token doesn't read all of",
			               type->name);
	for (size_t i = 0; rc == 0 && i < FHIR_SOURCES && type->sources[i].table != NULL; i++) {
		sp->fhir.source = &type->sources[i];
		rc = spool_table(sp, type->sources[i].table, type->sources[i].order, err);
	}
	return rc;
}

/* All rows that the token may read, in the file. */
static int
spool(struct spooling *sp, struct err *err)
{
	struct store_db *db = sp->o->snapshots.db;
	int rc;

	sp->fhir = (struct fhir){ .db = db,
		                  .now_ms = env_wall_ms(sp->o->snapshots.env),
		                  .type = facility_fhir_type(sp->asked->type) };
	if (sp->asked->fhir && sp->fhir.type == NULL)
		return err_set(err, ERR_NOTFOUND, "_type=%.40s isn't offered here; %s are",
		               sp->asked->type, facility_fhir_types());
	rc = store_db_begin(db, err);
	if (rc < 0)
		return rc;
	rc = feed_cursor(db, sp->cursor, err);
	if (rc == 0)
		rc = open_spool(sp->o, &sp->file->fd, err);
	if (rc == 0)
		rc = sp->asked->fhir ? spool_type(sp, err)
		                     : spool_table(sp, sp->asked->table, NULL, err);
	store_db_rollback(db);
	buf_free(&sp->out);
	return rc;
}

/* ---- the answer ---- */

static void
tell(struct http_response *response, const struct asked *asked, const char *cursor)
{
	bool csv = asked->form == STORE_TABLE_EXCEL;

	response->status = 200;
	response->type = csv           ? "text/csv; charset=utf-8"
	                 : asked->fhir ? "application/fhir+ndjson"
	                               : "application/x-ndjson";
	/* a table's name may hold anything, a header may not */
	http_field(response, "Content-Disposition", "attachment; filename=\"export.%s\"",
	           csv ? "csv" : "ndjson");
	http_field(response, "X-Content-Type-Options", "nosniff");
	http_field(response, "Yz-Cursor", "%s", cursor);
	http_field(response, "Link", "</v1/changes?since=%s>; rel=\"next\"", cursor);
}

static int
note(struct offers *o, const struct token *token, const struct http_request *request,
     const struct asked *asked, uint64_t bytes, struct err *err)
{
	struct export_entry entry = {
		.token = token,
		.peer = request->peer,
		.what = asked->fhir                        ? "export fhir"
		        : asked->form == STORE_TABLE_EXCEL ? "export csv"
		                                           : "export ndjson",
		.scope = asked->scope[0] == 0 ? token->scope : asked->scope,
		.tables = asked->fhir ? asked->type : asked->table,
		.bytes = bytes,
	};

	if (strcmp(request->method, "HEAD") == 0 ||
	    export_log_add(o->log, &entry, env_wall_ms(o->snapshots.env), err) == 0)
		return 0;
	/* whatever it was, it isn't the reader's fault */
	return err_set(err, ERR_IO, "it could not be noted that a table leaves, so none does");
}

void
offers_export(struct offers *o, const struct http_request *request,
              const struct offers_headers *headers, struct http_response *response)
{
	struct http_file file = { .fd = -1 };
	struct token token;
	struct asked asked;
	struct spooling sp = { .o = o, .token = &token, .asked = &asked, .file = &file };
	struct err err;
	int rc;

	http_field(response, "Cache-Control", "no-store");
	if (bearer_check(o->snapshots.db, headers->authorization, env_wall_ms(o->snapshots.env),
	                 &token, response) < 0)
		return;
	rc = read_query(request->query, &asked, &err);
	if (rc >= 0 && asked.scope[0] != 0 && !token_reads_scope(&token, asked.scope))
		rc = err_set(&err, ERR_DENIED, "this token reads %s, not %s", token.scope,
		             asked.scope);
	if (rc >= 0)
		rc = spool(&sp, &err);
	if (rc == 0)
		rc = note(o, &token, request, &asked, file.len, &err);
	if (rc == 0) {
		metrics_add(o->metrics, METRIC_EXPORTS, 1);
		tell(response, &asked, sp.cursor);
		response->file = file;
	} else if (rc == ERR_INVALID || rc == ERR_NOTFOUND || rc == ERR_DENIED) {
		http_problem_body(response, rc == ERR_NOTFOUND ? 404 : http_status_of(rc), err.msg);
	} else {
		offers_sorry(response, &err);
	}
	if (file.fd >= 0 && (rc != 0 || file.len == 0))
		close(file.fd);
}
