#include "store/schema.h"
#include "store/base/hash.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

enum { FORMAT = 1, FLAG_HUB_ONLY = 1 };

static void
put_text(struct buf *out, const char *text)
{
	buf_lenbytes(out, text, strlen(text));
}

void
store_schema_write(struct buf *out, const struct store_schema *s)
{
	buf_u8(out, FORMAT);
	put_text(out, s->table);
	buf_u8(out, (uint8_t)s->kind);
	put_text(out, s->scope_prefix);
	buf_varint(out, (uint64_t)(s->scope_column + 1));
	buf_varint(out, s->column_count);
	for (unsigned i = 0; i < s->column_count; i++) {
		const struct store_column *c = &s->columns[i];

		put_text(out, c->name);
		put_text(out, c->type);
		buf_u8(out, c->key);
		buf_u8(out, c->rule);
		buf_u8(out, c->group);
		buf_u8(out, c->hub_only ? FLAG_HUB_ONLY : 0);
	}
}

/* A name as text with a zero behind it; no zero inside, not too long. */
static const char *
read_text(struct rd *r, struct arena *a, size_t max)
{
	size_t len;
	const uint8_t *bytes = rd_lenbytes(r, &len);
	const char *copy;

	if (r->bad || len > max || memchr(bytes, 0, len) != NULL) {
		r->bad = true;
		return "";
	}
	copy = arena_copy(a, bytes, len);
	if (copy == NULL)
		r->bad = true;
	return copy == NULL ? "" : copy;
}

static void
read_column(struct rd *r, struct arena *a, struct store_column *c)
{
	uint8_t flags;

	c->name = read_text(r, a, STORE_NAME_MAX);
	c->type = read_text(r, a, STORE_NAME_MAX);
	c->key = rd_u8(r);
	c->rule = rd_u8(r);
	c->group = rd_u8(r);
	flags = rd_u8(r);
	c->hub_only = flags == FLAG_HUB_ONLY;
	if (flags > FLAG_HUB_ONLY || c->rule > STORE_MAX || c->key > STORE_KEYS_MAX ||
	    c->name[0] == 0)
		r->bad = true;
}

static void
read_head(struct rd *r, struct arena *a, struct store_schema *s)
{
	uint64_t scope_column, count;
	uint8_t kind;

	if (rd_u8(r) != FORMAT)
		r->bad = true;
	s->table = read_text(r, a, STORE_NAME_MAX);
	kind = rd_u8(r);
	s->kind = kind == STORE_EVENT ? STORE_EVENT : STORE_RECORD;
	s->scope_prefix = read_text(r, a, STORE_SCOPE_MAX);
	scope_column = rd_varint(r);
	count = rd_varint(r);
	if (kind > STORE_EVENT || s->table[0] == 0 || count == 0 || count > STORE_COLUMNS_MAX ||
	    scope_column > count)
		r->bad = true;
	if (r->bad)
		return;
	s->scope_column = (int)scope_column - 1;
	s->column_count = (unsigned)count;
}

int
store_schema_read(const uint8_t *bytes, size_t len, struct arena *a, struct store_schema **out,
                  struct err *err)
{
	struct rd r = rd_from(bytes, len);
	struct store_schema *s = arena_take(a, 1, sizeof *s);
	int rc;

	if (s == NULL)
		return err_set(err, ERR_NOMEM, "schema: out of memory");
	read_head(&r, a, s);
	if (!r.bad)
		s->columns = arena_take(a, s->column_count, sizeof *s->columns);
	if (!r.bad && s->columns == NULL)
		return err_set(err, ERR_NOMEM, "schema: out of memory");
	for (unsigned i = 0; !r.bad && i < s->column_count; i++)
		read_column(&r, a, &s->columns[i]);
	if (!rd_done(&r) && a->spent)
		return err_set(err, ERR_NOMEM, "schema: out of memory");
	if (!rd_done(&r))
		return err_set(err, ERR_CORRUPT,
		               "schema definition of %zu bytes is not well-formed", len);
	*out = s;
	rc = store_schema_finish(s, err);
	if (rc == ERR_INVALID)
		err->code = rc = ERR_CORRUPT; /* but memory that is out isn't the peer's fault */
	return rc;
}

static int
check_names(const struct store_schema *s, struct err *err)
{
	for (unsigned i = 0; i < s->column_count; i++)
		for (unsigned k = 0; k < i; k++)
			if (strcmp(s->columns[i].name, s->columns[k].name) == 0)
				return err_set(err, ERR_INVALID, "table %s has the column %s twice",
				               s->table, s->columns[i].name);
	return 0;
}

/* Key positions are 1, 2, ... without a gap. */
static int
find_keys(struct store_schema *s, struct err *err)
{
	s->key_count = 0;
	s->cells = 0;
	for (unsigned i = 0; i < s->column_count; i++) {
		unsigned key = s->columns[i].key;

		if (key == 0)
			s->cells |= (uint64_t)1 << i;
		else if (key > STORE_KEYS_MAX)
			return err_set(err, ERR_INVALID, "table %s has more than %d key columns",
			               s->table, STORE_KEYS_MAX);
		else
			s->key_count++;
	}
	for (unsigned k = 0; k < s->key_count; k++) {
		unsigned found = 0;

		for (unsigned i = 0; i < s->column_count; i++)
			if (s->columns[i].key == k + 1) {
				s->keys[k] = i;
				found++;
			}
		if (found != 1)
			return err_set(err, ERR_INVALID, "table %s has no key column number %u",
			               s->table, k + 1);
	}
	if (s->key_count == 0)
		return err_set(err, ERR_INVALID, "table %s has no key", s->table);
	return 0;
}

int
store_schema_finish(struct store_schema *s, struct err *err)
{
	struct buf def = { 0 };
	int rc;

	assert(s->column_count <= STORE_COLUMNS_MAX);
	for (unsigned i = 0; i < s->column_count; i++)
		if (s->columns[i].here == NULL)
			s->columns[i].here = s->columns[i].name;
	rc = check_names(s, err);
	if (rc == 0)
		rc = find_keys(s, err);
	if (rc < 0)
		return rc;
	store_schema_write(&def, s);
	rc = buf_check(&def, err);
	if (rc == 0)
		hash_once(s->hash, sizeof s->hash, def.bytes, def.len);
	buf_free(&def);
	return rc;
}

uint64_t
store_schema_widen(const struct store_schema *s, uint64_t mask)
{
	uint64_t wide = mask;

	for (unsigned i = 0; i < s->column_count; i++) {
		if ((mask >> i & 1) == 0 || s->columns[i].group == 0)
			continue;
		for (unsigned k = 0; k < s->column_count; k++)
			if (s->columns[k].group == s->columns[i].group && s->columns[k].key == 0)
				wide |= (uint64_t)1 << k;
	}
	return wide;
}

bool
store_schema_is_hubs(const struct store_schema *s)
{
	bool any = false;

	for (unsigned i = 0; i < s->column_count; i++) {
		const struct store_column *c = &s->columns[i];

		if (c->key != 0 || (int)i == s->scope_column)
			continue;
		if (!c->hub_only)
			return false;
		any = true;
	}
	return any;
}

bool
store_schema_stays(const char *table)
{
	return strncasecmp(table, "yz_", 3) == 0 || strncasecmp(table, "hub_", 4) == 0 ||
	       strncasecmp(table, "local_", 6) == 0;
}

int
store_schema_find(const struct store_schema *s, const char *name)
{
	for (unsigned i = 0; i < s->column_count; i++)
		if (strcmp(s->columns[i].name, name) == 0)
			return (int)i;
	return -1;
}

int
store_schema_find_here(const struct store_schema *s, const char *name)
{
	for (unsigned i = 0; i < s->column_count; i++)
		if (strcmp(s->columns[i].here, name) == 0)
			return (int)i;
	return -1;
}

int
store_schema_scope(const struct store_schema *s, const struct store_value *values,
                   char out[STORE_SCOPE_MAX + 1], struct err *err)
{
	const struct store_value *v;
	size_t prefix = strlen(s->scope_prefix);

	memcpy(out, s->scope_prefix, prefix + 1);
	if (s->scope_column < 0)
		return 0;
	v = &values[s->scope_column];
	if (v->type != STORE_TEXT || v->len == 0 || memchr(v->bytes, 0, v->len) != NULL)
		return err_set(err, ERR_INVALID, "%s.%s holds no text: the row belongs to no scope",
		               s->table, s->columns[s->scope_column].name);
	if (prefix + v->len > STORE_SCOPE_MAX)
		return err_set(err, ERR_INVALID, "%s.%s is longer than %zu bytes", s->table,
		               s->columns[s->scope_column].name, STORE_SCOPE_MAX - prefix);
	memcpy(out + prefix, v->bytes, v->len);
	out[prefix + v->len] = 0;
	return 0;
}

void
store_schema_key(const struct store_schema *s, const struct store_value *values, struct buf *out)
{
	for (unsigned k = 0; k < s->key_count; k++)
		store_value_write(out, &values[s->keys[k]]);
}
