/* node/hub/offers_export.c - GET /v1/export. */
#include "node/http/form.h"
#include "node/hub/bearer.h"
#include "node/hub/export_log.h"
#include "node/hub/extract.h"
#include "node/hub/offers.h"
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
	char scope[STORE_SCOPE_MAX + 1];
	enum store_table_form form;
};

/* ---- the query ---- */

static int
read_form(struct asked *asked, const char *value, struct err *err)
{
	bool csv = strcmp(value, "csv") == 0;

	if (!csv && strcmp(value, "ndjson") != 0)
		return err_set(err, ERR_INVALID,
		               "format=%.20s isn't offered here; csv and ndjson are", value);
	asked->form = csv ? STORE_TABLE_EXCEL : STORE_TABLE_NDJSON;
	return 0;
}

static int
take_parameter(struct asked *asked, const char *name, const char *value, struct err *err)
{
	if (strcmp(name, "table") == 0)
		return form_copy(asked->table, sizeof asked->table, name, value, err);
	if (strcmp(name, "scope") == 0)
		return form_copy(asked->scope, sizeof asked->scope, name, value, err);
	if (strcmp(name, "format") == 0)
		return read_form(asked, value, err);
	return err_set(err, ERR_INVALID, "there is no parameter %.40s: table, format, scope", name);
}

static int
read_query(const char *query, struct asked *asked, struct err *err)
{
	struct form form = form_from(query, strlen(query));
	struct buf name = { 0 }, value = { 0 };
	int rc;

	*asked = (struct asked){ .form = STORE_TABLE_NDJSON };
	while ((rc = form_next(&form, &name, &value, err)) == 1) {
		rc = take_parameter(asked, buf_str(&name), buf_str(&value), err);
		if (rc < 0)
			break;
	}
	buf_free(&name);
	buf_free(&value);
	if (rc == 0 && asked->table[0] == 0)
		rc = err_set(err, ERR_INVALID, "table: is needed, /v1/export?table=NAME");
	return rc;
}

/* ---- the rows ---- */

/* A file that has no name any more. */
static int
open_spool(const struct offers *o, int *fd, struct err *err)
{
	char folder[PATH_SIZE], path[PATH_SIZE + 16];
	int rc = snapshot_folder(&o->snapshots, folder, sizeof folder, err);

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

static int
write_rows(const struct offers *o, struct store_stmt *s, enum store_table_form form,
           struct http_file *file, struct err *err)
{
	const atomic_bool *stop = o->snapshots.stop;
	struct buf out = { 0 };
	int rc = s->status == 0 ? 0 : store_stmt_step(s, err);

	if (rc == 0)
		store_table_head(&out, s, form);
	for (unsigned n = 1; rc == 0 && (rc = store_stmt_step(s, err)) == 1; n++) {
		store_table_row(&out, s, form);
		rc = out.len < FLUSH ? 0 : flush(o, &out, file, err);
		if (rc == 0 && n % LOOK_EVERY == 0 && stop != NULL && atomic_load(stop))
			rc = err_set(err, ERR_BUSY, "export: stopping");
	}
	if (rc == 0)
		rc = flush(o, &out, file, err);
	buf_free(&out);
	return rc;
}

/* All rows that the token may read, in the file; what it may not read isn't there (404). */
static int
spool(const struct offers *o, const struct token *token, const struct asked *asked,
      struct http_file *file, struct err *err)
{
	struct store_db *db = o->snapshots.db;
	const struct store_table *table;
	struct store_stmt s;
	struct extract x;
	int rc = store_db_begin(db, err);

	if (rc < 0)
		return rc;
	table = store_catalog_table_by_name(db, asked->table);
	if (table == NULL ||
	    !extract_of(token, table, asked->scope[0] == 0 ? NULL : asked->scope, &x))
		rc = err_set(err, ERR_NOTFOUND, "there is no table %.60s that this token reads",
		             asked->table);
	if (rc == 0)
		rc = open_spool(o, &file->fd, err);
	if (rc == 0)
		rc = store_transfer_select(db, &x.part, &s, err);
	if (rc == 0) {
		rc = write_rows(o, &s, asked->form, file, err);
		store_stmt_end(&s);
	}
	store_db_rollback(db);
	return rc;
}

/* ---- the answer ---- */

static void
tell(struct http_response *response, const struct asked *asked)
{
	bool csv = asked->form == STORE_TABLE_EXCEL;

	response->status = 200;
	response->type = csv ? "text/csv; charset=utf-8" : "application/x-ndjson";
	/* a table's name may hold anything, a header may not */
	http_field(response, "Content-Disposition", "attachment; filename=\"export.%s\"",
	           csv ? "csv" : "ndjson");
	http_field(response, "X-Content-Type-Options", "nosniff");
}

static int
note(struct offers *o, const struct token *token, const struct http_request *request,
     const struct asked *asked, uint64_t bytes, struct err *err)
{
	struct export_entry entry = {
		.token = token,
		.peer = request->peer,
		.what = asked->form == STORE_TABLE_EXCEL ? "export csv" : "export ndjson",
		.scope = asked->scope[0] == 0 ? token->scope : asked->scope,
		.tables = asked->table,
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
		rc = spool(o, &token, &asked, &file, &err);
	if (rc == 0)
		rc = note(o, &token, request, &asked, file.len, &err);
	if (rc == 0) {
		metrics_add(o->metrics, METRIC_EXPORTS, 1);
		tell(response, &asked);
		response->file = file;
	} else if (rc == ERR_INVALID || rc == ERR_NOTFOUND || rc == ERR_DENIED) {
		http_problem_body(response, rc == ERR_NOTFOUND ? 404 : http_status_of(rc), err.msg);
	} else {
		offers_sorry(response, &err);
	}
	if (file.fd >= 0 && (rc != 0 || file.len == 0))
		close(file.fd);
}
