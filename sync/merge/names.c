#include "store/stream.h"
#include "sync/merge/names_priv.h"

#include <string.h>

static const struct store_schema *
resolve(void *ctx, unsigned no, struct err *err)
{
	struct sync_names *names = ctx;
	int id = 0;

	for (size_t i = 0; i < names->count; i++)
		if (names->list[i].no == no)
			return names->list[i].schema;
	if (no > INT32_MAX ||
	    store_stream_schema(names->db, names->stream, (int)no, &id, err) < 0 || id == 0 ||
	    names->count == SYNC_NAMES_MAX)
		return NULL;
	names->list[names->count++] =
	        (struct sync_name){ .no = no, .schema = store_catalog_schema(names->db, id) };
	return names->list[names->count - 1].schema;
}

static struct sync_name *
find(struct sync_names *names, unsigned no)
{
	for (size_t i = 0; i < names->count; i++)
		if (names->list[i].no == no)
			return &names->list[i];
	return NULL;
}

/*
 * A segment that begins before the end of what we have says again what it called a schema.  If it
 * says something else it is of another branch, or contradicts itself: which of the two, its head
 * tells, and that needs the records as their writer meant them.
 */
static int
define(void *ctx, const struct sync_definition *def, struct err *err)
{
	struct sync_names *names = ctx;
	struct err why = { 0 };
	const struct store_schema *known = resolve(names, def->no, &why);
	struct sync_name *name = find(names, def->no);
	/* the records that define it may go before the rest of what is called so */
	const uint8_t *bytes = arena_copy(names->arena, def->bytes, def->len);
	struct store_schema *schema;
	int rc;

	if (why.code != 0)
		return err_set(err, why.code, "%s", why.msg);
	if (bytes == NULL)
		return err_set(err, ERR_NOMEM, "sync: out of memory");
	rc = store_schema_read(bytes, def->len, names->arena, &schema, err);
	if (rc < 0)
		return rc;
	if (known != NULL && memcmp(known->hash, schema->hash, STORE_SCHEMA_HASH) == 0)
		return 0;
	if (name != NULL && name->def != NULL)
		return err_set(err, ERR_CORRUPT, "schema %u of the stream is defined twice",
		               def->no);
	if (name == NULL && names->count == SYNC_NAMES_MAX)
		return err_set(err, ERR_CORRUPT, "a segment with more than %d schemas",
		               SYNC_NAMES_MAX);
	names->otherwise |= name != NULL;
	if (name == NULL)
		name = &names->list[names->count++];
	*name = (struct sync_name){
		.no = def->no, .schema = schema, .def = bytes, .def_len = def->len
	};
	return 0;
}

struct sync_codec_schemas
sync_names_schemas(struct sync_names *names)
{
	return (struct sync_codec_schemas){ .resolve = resolve, .define = define, .ctx = names };
}

static int
register_names(struct sync_names *names, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < names->count; i++) {
		struct sync_name *name = &names->list[i];

		if (name->def == NULL)
			continue;
		rc = store_catalog_learn(names->db, name->def, name->def_len, &name->schema, err);
		if (rc == 0)
			rc = store_stream_schema_add(names->db, names->stream, (int)name->no,
			                             name->schema->id, err);
	}
	return rc;
}

int
sync_names_learn(struct sync_names *names, struct sync_record *records, size_t count,
                 struct err *err)
{
	const struct store_schema *decoded[SYNC_NAMES_MAX] = { NULL };
	int rc;

	for (size_t i = 0; i < names->count; i++)
		decoded[i] = names->list[i].schema;
	rc = register_names(names, err);
	for (size_t i = 0; rc == 0 && i < count; i++) {
		struct store_change *c = &records[i].change;

		for (size_t k = 0; records[i].type == SYNC_CHANGE && k < names->count; k++)
			if (c->schema == decoded[k]) {
				c->schema = names->list[k].schema;
				break;
			}
	}
	return rc;
}
