#include "node/json.h"

#include <jansson.h>
#include <string.h>

/* A json_doc is jansson's own object under our name; it is never dereferenced here. */
static json_t *
object_of(const struct json_doc *doc)
{
	return (json_t *)(uintptr_t)doc;
}

int
json_doc_read(const void *bytes, size_t len, size_t max, struct json_doc **doc, struct err *err)
{
	json_error_t error;
	json_t *root;

	*doc = NULL;
	if (len > max)
		return err_set(err, ERR_INVALID, "a JSON document of %zu bytes; at most %zu go",
		               len, max);
	root = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, &error);
	if (root == NULL)
		return err_set(err, ERR_INVALID, "not JSON at line %d, column %d: %s", error.line,
		               error.column, error.text);
	if (!json_is_object(root)) {
		json_decref(root);
		return err_set(err, ERR_INVALID, "the JSON document isn't an object");
	}
	*doc = (struct json_doc *)(void *)root;
	return 0;
}

void
json_doc_free(struct json_doc *doc)
{
	json_decref(object_of(doc));
}

const char *
json_doc_text(const struct json_doc *doc, const char *name)
{
	return json_string_value(json_object_get(object_of(doc), name));
}

bool
json_doc_int(const struct json_doc *doc, const char *name, int64_t *value)
{
	const json_t *member = json_object_get(object_of(doc), name);

	if (!json_is_integer(member))
		return false;
	*value = json_integer_value(member);
	return true;
}

const char *
json_doc_stranger(const struct json_doc *doc, const char *const *names)
{
	json_t *root = object_of(doc);

	for (void *it = json_object_iter(root); it != NULL; it = json_object_iter_next(root, it)) {
		const char *name = json_object_iter_key(it);
		size_t i = 0;

		while (names[i] != NULL && strcmp(names[i], name) != 0)
			i++;
		if (names[i] == NULL)
			return name;
	}
	return NULL;
}
