#include "node/json.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

struct json_doc {
	json_t *root; /* owned */
};

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
	*doc = malloc(sizeof **doc);
	if (*doc == NULL) {
		json_decref(root);
		return err_set(err, ERR_NOMEM, "JSON: out of memory");
	}
	(*doc)->root = root;
	return 0;
}

void
json_doc_free(struct json_doc *doc)
{
	if (doc == NULL)
		return;
	json_decref(doc->root);
	free(doc);
}

const char *
json_doc_text(const struct json_doc *doc, const char *name)
{
	return json_string_value(json_object_get(doc->root, name));
}

const char *
json_doc_text_in(const struct json_doc *doc, const char *outer, const char *name)
{
	return json_string_value(json_object_get(json_object_get(doc->root, outer), name));
}

bool
json_doc_int(const struct json_doc *doc, const char *name, int64_t *value)
{
	const json_t *member = json_object_get(doc->root, name);

	if (!json_is_integer(member))
		return false;
	*value = json_integer_value(member);
	return true;
}

const char *
json_doc_stranger(const struct json_doc *doc, const char *const *names)
{
	for (void *it = json_object_iter(doc->root); it != NULL;
	     it = json_object_iter_next(doc->root, it)) {
		const char *name = json_object_iter_key(it);
		size_t i = 0;

		while (names[i] != NULL && strcmp(names[i], name) != 0)
			i++;
		if (names[i] == NULL)
			return name;
	}
	return NULL;
}
