#include "node/grant.h"

#include "node/config.h"
#include "store/base/text.h"

#include <stdio.h>
#include <string.h>

static const char magic[] = "yizhan-grant-1";

enum { MAGIC = sizeof magic - 1 };

_Static_assert((int)GRANT_FACILITY == (int)CONFIG_ID_MAX, "what init takes can be granted");

int
grant_facility_check(const char *facility, struct err *err)
{
	if (config_is_facility_id(facility))
		return 0;
	return err_set(err, ERR_INVALID,
	               "a facility's ID has 1 to %d of A-Z a-z 0-9 - _, and this isn't one",
	               CONFIG_ID_MAX);
}

static void
add_scope(struct grant_scopes *scopes, const char *prefix, const char *name)
{
	snprintf(scopes->name[scopes->count++], STORE_SCOPE_MAX + 1, "%s%s", prefix, name);
}

int
grant_of_facility(struct grant *grant, const char *facility, const char *street, struct err *err)
{
	int rc = grant_facility_check(facility, err);

	if (rc == 0 && street != NULL && grant_facility_check(street, err) < 0)
		rc = err_wrap(err, "subdistrict");
	if (rc < 0)
		return rc;
	memset(grant, 0, sizeof *grant);
	text_copy(grant->facility, sizeof grant->facility, facility);
	add_scope(&grant->read, "", "all");
	add_scope(&grant->read, "f/", facility);
	if (street != NULL)
		add_scope(&grant->read, "s/", street);
	add_scope(&grant->write, "f/", facility);
	grant->roles = GRANT_FACILITY_NODE;
	return 0;
}

static void
write_scopes(struct buf *out, const struct grant_scopes *scopes)
{
	buf_varint(out, scopes->count);
	for (unsigned i = 0; i < scopes->count; i++)
		buf_lenbytes(out, scopes->name[i], strlen(scopes->name[i]));
}

void
grant_write(struct buf *out, struct grant *grant, const struct sync_key *hub)
{
	uint8_t signature[STORE_SIGNATURE];
	size_t from = out->len;

	memcpy(grant->hub_key, hub->public_key, SYNC_PUBLIC_KEY);
	buf_put(out, magic, MAGIC);
	buf_put(out, grant->node_key, SYNC_PUBLIC_KEY);
	buf_put(out, grant->node, STORE_NODE_ID);
	buf_lenbytes(out, grant->facility, strlen(grant->facility));
	write_scopes(out, &grant->read);
	write_scopes(out, &grant->write);
	buf_varint(out, grant->roles);
	buf_varint(out, (uint64_t)grant->version);
	buf_varint(out, (uint64_t)grant->issued_ms);
	buf_put(out, grant->hub_key, SYNC_PUBLIC_KEY);
	if (out->bad)
		return;
	sync_sign(hub, out->bytes + from, out->len - from, signature);
	buf_put(out, signature, STORE_SIGNATURE);
}

/* A text of at most `size` - 1 bytes without zeros; marks `r` bad otherwise. */
static void
read_text(struct rd *r, char *out, size_t size)
{
	size_t len;
	const uint8_t *bytes = rd_lenbytes(r, &len);

	out[0] = 0;
	if (bytes == NULL || len >= size || memchr(bytes, 0, len) != NULL) {
		r->bad = true;
		return;
	}
	memcpy(out, bytes, len);
	out[len] = 0;
}

static void
read_scopes(struct rd *r, struct grant_scopes *scopes)
{
	uint64_t count = rd_varint(r);

	if (count > GRANT_SCOPES) {
		r->bad = true;
		return;
	}
	scopes->count = (unsigned)count;
	for (unsigned i = 0; i < scopes->count; i++)
		read_text(r, scopes->name[i], sizeof scopes->name[i]);
}

static void
read_bytes(struct rd *r, uint8_t *out, size_t len)
{
	const uint8_t *bytes = rd_bytes(r, len);

	if (bytes != NULL)
		memcpy(out, bytes, len);
}

static bool
read_fields(struct rd *r, struct grant *grant)
{
	uint64_t roles, version, issued;

	memset(grant, 0, sizeof *grant);
	read_bytes(r, grant->node_key, SYNC_PUBLIC_KEY);
	read_bytes(r, grant->node, STORE_NODE_ID);
	read_text(r, grant->facility, sizeof grant->facility);
	read_scopes(r, &grant->read);
	read_scopes(r, &grant->write);
	roles = rd_varint(r);
	version = rd_varint(r);
	issued = rd_varint(r);
	read_bytes(r, grant->hub_key, SYNC_PUBLIC_KEY);
	grant->roles = (unsigned)roles;
	grant->version = (int64_t)version;
	grant->issued_ms = (int64_t)issued;
	return rd_done(r) && roles <= UINT32_MAX && version <= INT64_MAX && issued <= INT64_MAX;
}

int
grant_reread(const uint8_t *bytes, size_t len, struct grant *grant, struct err *err)
{
	struct rd r;

	if (len > GRANT_MAX || len < MAGIC + STORE_SIGNATURE || memcmp(bytes, magic, MAGIC) != 0)
		return err_set(err, ERR_CORRUPT, "these %zu bytes aren't a grant", len);
	r = rd_from(bytes + MAGIC, len - MAGIC - STORE_SIGNATURE);
	if (!read_fields(&r, grant) || grant_facility_check(grant->facility, err) < 0)
		return err_set(err, ERR_CORRUPT, "the grant isn't well-formed");
	return 0;
}

int
grant_read(const uint8_t *bytes, size_t len, const uint8_t hub_key[SYNC_PUBLIC_KEY],
           struct grant *grant, struct err *err)
{
	int rc = grant_reread(bytes, len, grant, err);

	if (rc < 0)
		return rc;
	len -= STORE_SIGNATURE;
	if (!sync_verify(hub_key, bytes, len, bytes + len))
		return err_set(err, ERR_DENIED, "the grant isn't signed by the hub's key");
	if (memcmp(grant->hub_key, hub_key, SYNC_PUBLIC_KEY) != 0)
		return err_set(err, ERR_DENIED, "the grant names another hub than signed it");
	return 0;
}

bool
grant_has(const struct grant_scopes *scopes, const char *scope)
{
	for (unsigned i = 0; i < scopes->count; i++)
		if (strcmp(scopes->name[i], scope) == 0)
			return true;
	return false;
}
