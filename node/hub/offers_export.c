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
#include "node/hub/spool.h"
#include "store/table_text.h"

#include <string.h>

struct asked {
	char table[STORE_NAME_MAX + 1];
	char type[STORE_NAME_MAX + 1];
	char scope[STORE_SCOPE_MAX + 1];
	char since[FEED_CURSOR + 16]; /* too long a cursor is told of by the feed */
	enum store_table_form form;
	bool fhir, form_given, changes;
};

/* ---- the query ---- */

static int
read_form(struct asked *asked, const char *value, struct err *err)
{
	bool csv = strcmp(value, "csv") == 0;

	asked->form_given = true;
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

	if (strcmp(name, "table") == 0 && value[0] == 0)
		return err_set(err, ERR_INVALID,
		               "table: no name is given; the manifest of all tables is asked for "
		               "without this parameter");
	if (strcmp(name, "table") == 0)
		return form_copy(asked->table, sizeof asked->table, name, value, err);
	if (strcmp(name, "scope") == 0)
		return form_copy(asked->scope, sizeof asked->scope, name, value, err);
	if (strcmp(name, "_type") == 0)
		return form_copy(asked->type, sizeof asked->type, name, value, err);
	if (strcmp(name, "format") == 0)
		return read_form(asked, value, err);
	if (strcmp(name, "since") == 0) {
		asked->changes = value[0] != 0;
		return form_copy(asked->since, sizeof asked->since, name, value, err);
	}
	return err_set(err, ERR_INVALID,
	               "there is no parameter %.40s: table, format, scope; _type with format=fhir; "
	               "since with neither table nor format",
	               name);
}

/* Is it all tables that are asked for? */
static bool
is_manifest(const struct asked *asked)
{
	return asked->table[0] == 0 && !asked->fhir;
}

/* Whether they go together. */
static int
check_query(const struct asked *asked, struct err *err)
{
	if (asked->fhir && asked->type[0] == 0)
		return err_set(err, ERR_INVALID, "_type: is needed with format=fhir, one of %s",
		               facility_fhir_types());
	if (asked->fhir && strchr(asked->type, ',') != NULL) /* FHIR's bulk export takes a list */
		return err_set(err, ERR_INVALID,
		               "_type: one type at a time is offered; ask once for each of %s",
		               facility_fhir_types());
	if (asked->fhir != (asked->type[0] != 0) || (asked->fhir && asked->table[0] != 0))
		return err_set(err, ERR_INVALID,
		               "_type goes with format=fhir, table with the other formats");
	if (!asked->fhir && asked->form_given && asked->table[0] == 0)
		return err_set(err, ERR_INVALID,
		               "table: is needed with a format, /v1/export?table=NAME; the "
		               "manifest of all tables has neither");
	if (asked->changes && !is_manifest(asked))
		return err_set(err, ERR_INVALID,
		               "since: goes with the manifest, which has neither table nor format");
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

/* What the rows go through on their way into the file. */
struct spooling {
	const struct offers *o;
	const struct token *token;
	const struct asked *asked;
	struct fhir fhir;
	struct spool file;
	char cursor[FEED_CURSOR]; /* of the moment that the rows are of */
};

/* spool_rows() */
static int
put_row(void *ctx, struct store_stmt *s, struct buf *out, struct err *err)
{
	struct spooling *sp = ctx;

	if (sp->asked->fhir)
		return facility_fhir_row(&sp->fhir, s, out, err);
	store_table_row(out, s, sp->asked->form);
	return 0;
}

static int
write_rows(struct spooling *sp, struct store_stmt *s, struct err *err)
{
	int rc = 0;

	if (s->status == 0 && !sp->asked->fhir)
		store_table_head(&sp->file.out, s, sp->asked->form);
	rc = spool_rows(&sp->file, s, put_row, sp, err);
	if (rc == 0 && sp->asked->fhir)
		facility_fhir_end(&sp->fhir, &sp->file.out);
	return rc == 0 ? spool_flush(&sp->file, true, err) : rc;
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
		rc = spool_open(&sp->file, &sp->o->snapshots, err);
	if (rc == 0)
		rc = sp->asked->fhir ? spool_type(sp, err)
		                     : spool_table(sp, sp->asked->table, NULL, err);
	store_db_rollback(db);
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

/* The manifest of all tables. */
static void
answer_manifest(struct offers *o, const struct token *token, const struct asked *asked,
                const struct http_request *request, struct http_response *response)
{
	struct export_ask all = { .token = token,
		                  .since = asked->changes ? asked->since : NULL,
		                  .scope = asked->scope[0] == 0 ? NULL : asked->scope };

	offers_manifest(o, &all, request->query, response);
}

/* One table, or one type. */
static void
answer_rows(struct offers *o, const struct token *token, const struct asked *asked,
            const struct http_request *request, struct http_response *response)
{
	struct spooling sp = { .o = o, .token = token, .asked = asked, .file = { .fd = -1 } };
	struct err err;
	int rc = spool(&sp, &err);

	if (rc == 0)
		rc = note(o, token, request, asked, sp.file.len, &err);
	if (rc == 0) {
		metrics_add(o->metrics, METRIC_EXPORTS, 1);
		tell(response, asked, sp.cursor);
		response->file = (struct http_file){ .fd = sp.file.fd, .len = sp.file.len };
	} else if (rc == ERR_INVALID || rc == ERR_NOTFOUND) {
		http_problem_body(response, rc == ERR_NOTFOUND ? 404 : http_status_of(rc), err.msg);
	} else {
		offers_sorry(response, &err);
	}
	if (response->file.len > 0)
		sp.file.fd = -1; /* it is the answer's */
	spool_close(&sp.file);
}

void
offers_export(struct offers *o, const struct http_request *request,
              const struct offers_headers *headers, struct http_response *response)
{
	struct token token;
	struct asked asked;
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
	if (rc < 0)
		http_problem_body(response, http_status_of(rc), err.msg);
	else if (is_manifest(&asked))
		answer_manifest(o, &token, &asked, request, response);
	else
		answer_rows(o, &token, &asked, request, response);
}
