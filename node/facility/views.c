#include "node/facility/views.h"
#include "node/facility/assets_priv.h"

#include "store/base/buf.h"
#include "store/base/hash.h"
#include "store/base/text.h"
#include "store/catalog.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define CREATE "CREATE VIEW "
#define MARK "  -- personal"
#define ALL_MARK "-- personal: all of it"
#define MADE_KEY "facility_views"

enum { FILES = 3, VIEWS_MAX = 128 };

static const char *const files[FILES] = { facility_asset_views, facility_asset_views_rows,
	                                  facility_asset_views_district };
enum { DISTRICT = 2 /* of `files` */ };

/* ---- reading the files ---- */

/* A text of several lines, taken line by line. */
struct lines {
	const char *at;
};

static bool
next_line(struct lines *l, const char **line, size_t *len)
{
	if (*l->at == 0)
		return false;
	*line = l->at;
	*len = strcspn(l->at, "\n");
	l->at += *len + (l->at[*len] == '\n');
	return true;
}

static bool
begins(const char *line, size_t len, const char *with)
{
	return len >= strlen(with) && strncmp(line, with, strlen(with)) == 0;
}

static bool
is_marked(const char *line, size_t len)
{
	return len > strlen(MARK) && begins(line + len - strlen(MARK), strlen(MARK), MARK);
}

/* What is gathered of a view, until its last line. */
struct gathered {
	struct buf about, sql, personal;
	bool all_personal;
};

static void
clear(struct gathered *g)
{
	buf_clear(&g->about);
	buf_clear(&g->sql);
	buf_clear(&g->personal);
	g->all_personal = false;
}

static void
take_comment(struct gathered *g, const char *line, size_t len)
{
	if (begins(line, len, ALL_MARK)) {
		g->all_personal = true;
		return;
	}
	line += 2;
	len -= 2;
	if (len > 0 && line[0] == ' ') {
		line++;
		len--;
	}
	buf_printf(&g->about, "%s%.*s", g->about.len > 0 ? "\n" : "", (int)len, line);
}

/* The name that a line of one column, "c.name,", gives. */
static void
take_personal(struct gathered *g, const char *line, size_t len)
{
	size_t from;

	while (len > 0 && line[len - 1] != ',')
		len--;
	len -= len > 0;
	for (from = len; from > 0 && strchr(" .", line[from - 1]) == NULL;)
		from--;
	buf_printf(&g->personal, "%s%.*s", g->personal.len > 0 ? " " : "", (int)(len - from),
	           line + from);
}

static void
take_sql(struct gathered *g, bool personal, const char *line, size_t len)
{
	if (is_marked(line, len)) {
		take_personal(g, line, len);
		if (!personal)
			return;
		len -= strlen(MARK);
	}
	buf_printf(&g->sql, "%s%.*s", g->sql.len > 0 ? "\n" : "", (int)len, line);
}

static const char *
keep(struct arena *a, struct buf *text)
{
	const char *s = buf_str(text);

	return text->bad ? NULL : arena_copy(a, s, strlen(s));
}

/* What has been gathered, without the semicolon at its end, as a view. */
static bool
finish(struct gathered *g, struct arena *a, struct facility_view *out)
{
	const char *name;

	g->sql.len -= g->sql.len > 0;
	out->about = keep(a, &g->about);
	out->sql = keep(a, &g->sql);
	out->personal = keep(a, &g->personal);
	out->all_personal = g->all_personal;
	if (out->about == NULL || out->sql == NULL || out->personal == NULL)
		return false;
	name = out->sql + strlen(CREATE);
	out->name = arena_copy(a, name, strcspn(name, " \n("));
	return out->name != NULL;
}

/* All views of one file; false without memory. */
static bool
read_file(const char *text, struct facility_views_ask ask, struct arena *a,
          struct facility_view *list, size_t *count)
{
	struct lines lines = { text };
	struct gathered g = { 0 };
	const char *line;
	size_t len;
	bool good = true;

	while (good && next_line(&lines, &line, &len)) {
		if (len == 0) {
			clear(&g); /* a comment that stands alone is of the file */
		} else if (g.sql.len == 0 && begins(line, len, "--")) {
			take_comment(&g, line, len);
		} else {
			take_sql(&g, ask.personal, line, len);
			if (line[len - 1] != ';')
				continue;
			list[*count].is_hubs = text == facility_asset_views_district;
			good = finish(&g, a, &list[*count]);
			*count += ask.personal || !g.all_personal;
			clear(&g);
		}
	}
	buf_free(&g.about);
	buf_free(&g.sql);
	buf_free(&g.personal);
	return good;
}

int
facility_views_list(struct facility_views_ask ask, struct arena *a, struct facility_view **list,
                    size_t *count, struct err *err)
{
	bool good;

	*count = 0;
	*list = arena_take(a, VIEWS_MAX, sizeof **list);
	good = *list != NULL;
	for (int i = 0; good && i < (ask.is_hub ? FILES : DISTRICT); i++)
		good = read_file(files[i], ask, a, *list, count);
	return good ? 0 : err_set(err, ERR_NOMEM, "views: out of memory");
}

bool
facility_views_owns(const char *name)
{
	char create[STORE_NAME_MAX + sizeof CREATE + 4];
	size_t len;

	if (strlen(name) > STORE_NAME_MAX)
		return false;
	len = (size_t)snprintf(create, sizeof create, "\n" CREATE "%s", name);
	for (int i = 0; i < FILES; i++)
		for (const char *at = files[i]; (at = strstr(at, "\n" CREATE)) != NULL; at++)
			if (strncasecmp(at, create, len) == 0 && strchr(" \n(", at[len]) != NULL)
				return true;
	return false;
}

/* ---- making them ---- */

/* Which views a file has is known by a hash of all their texts. */
static void
version_of(bool is_hub, char hex[2 * HASH_16 + 1])
{
	uint8_t all[HASH_16];
	struct hash h;

	hash_start(&h, sizeof all);
	for (int i = 0; i < (is_hub ? FILES : DISTRICT); i++)
		hash_add(&h, files[i], strlen(files[i]) + 1);
	hash_end(&h, all);
	text_hex(hex, all, sizeof all);
}

static int
is_made(struct store_db *db, const char *version, bool *made, struct err *err)
{
	struct buf there = { 0 };
	int rc = store_meta_get(db, MADE_KEY, &there, err);

	*made = rc == 0 && strcmp(buf_str(&there), version) == 0;
	buf_free(&there);
	return rc == ERR_NOTFOUND ? 0 : rc;
}

int
facility_views_are_made(struct store_db *db, bool is_hub, bool *yes, struct err *err)
{
	char version[2 * HASH_16 + 1];

	version_of(is_hub, version);
	return is_made(db, version, yes, err);
}

static int
drop(struct store_db *db, const struct facility_view *list, size_t count, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < count; i++) {
		char sql[STORE_NAME_MAX + 32];

		snprintf(sql, sizeof sql, "DROP VIEW IF EXISTS %s", list[i].name);
		rc = store_db_exec(db, sql, err);
	}
	return rc;
}

int
facility_views_drop(struct store_db *db, struct err *err)
{
	struct facility_views_ask ask = { .is_hub = true, .personal = true };
	struct facility_view *list;
	struct arena a = { 0 };
	size_t count;
	int rc = facility_views_list(ask, &a, &list, &count, err);

	if (rc == 0)
		rc = drop(db, list, count, err);
	if (rc == 0)
		rc = store_meta_set(db, MADE_KEY, "", 0, err);
	arena_free(&a);
	return rc < 0 ? err_wrap(err, "views") : 0;
}

int
facility_views_make(struct store_db *db, bool is_hub, struct err *err)
{
	struct facility_views_ask ask = { .is_hub = is_hub, .personal = true };
	char version[2 * HASH_16 + 1];
	struct facility_view *list;
	struct arena a = { 0 };
	size_t count;
	bool made;
	int rc;

	version_of(is_hub, version);
	rc = is_made(db, version, &made, err);
	if (rc < 0 || made)
		return rc;
	rc = facility_views_drop(db, err);
	if (rc == 0)
		rc = facility_views_list(ask, &a, &list, &count, err);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = store_db_exec(db, list[i].sql, err);
	if (rc == 0)
		rc = store_meta_set(db, MADE_KEY, version, strlen(version), err);
	arena_free(&a);
	return rc < 0 ? err_wrap(err, "views") : 0;
}
