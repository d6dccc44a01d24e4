#include "node/http/form.h"

#include "store/base/buf.h"
#include "store/base/text.h"

#include <string.h>

struct form
form_from(const char *text, size_t len)
{
	return (struct form){ text, len };
}

/* Decode `len` bytes: "+" is a space, "%" begins two hex digits. */
static int
decode(struct buf *out, const char *text, size_t len, struct err *err)
{
	buf_clear(out);
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = text[i] == '+' ? ' ' : (uint8_t)text[i];

		if (byte == '%') {
			char hex[3] = "";

			if (len - i > 2)
				memcpy(hex, text + i + 1, 2);
			if (!text_unhex(&byte, 1, hex))
				return err_set(err, ERR_INVALID,
				               "a %% in the form begins no escape");
			i += 2;
		}
		if (byte == 0)
			return err_set(err, ERR_INVALID, "a NUL in the form");
		buf_u8(out, byte);
	}
	if (!text_is_utf8(out->bytes, out->len, NULL))
		return err_set(err, ERR_INVALID, "text in the form is not UTF-8");
	return buf_check(out, err);
}

int
form_next(struct form *form, struct buf *name, struct buf *value, struct err *err)
{
	const char *end, *equals;
	size_t len, name_len;

	while (form->left > 0 && *form->at == '&') {
		form->at++;
		form->left--;
	}
	if (form->left == 0)
		return 0;
	end = memchr(form->at, '&', form->left);
	len = end == NULL ? form->left : (size_t)(end - form->at);
	equals = memchr(form->at, '=', len);
	name_len = equals == NULL ? len : (size_t)(equals - form->at);

	if (decode(name, form->at, name_len, err) < 0)
		return err->code;
	if (equals == NULL)
		buf_clear(value);
	else if (decode(value, equals + 1, len - name_len - 1, err) < 0)
		return err->code;
	form->at += len;
	form->left -= len;
	return 1;
}

int
form_get(struct form form, const char *name, char *out, size_t size, struct err *err)
{
	struct buf key = { 0 }, value = { 0 };
	int rc;

	do {
		rc = form_next(&form, &key, &value, err);
	} while (rc > 0 && strcmp(buf_str(&key), name) != 0);
	if (rc > 0 && value.len >= size)
		rc = err_set(err, ERR_INVALID, "%s is longer than %zu bytes", name, size - 1);
	if (rc > 0)
		memcpy(out, buf_str(&value), value.len + 1);
	buf_free(&key);
	buf_free(&value);
	return rc;
}

int
form_copy(char *out, size_t size, const char *name, const char *value, struct err *err)
{
	if (strlen(value) >= size)
		return err_set(err, ERR_INVALID, "%s: %zu characters are too many", name,
		               strlen(value));
	memcpy(out, value, strlen(value) + 1);
	return 0;
}

int
form_each(const char *query, form_take *take, void *ctx, struct err *err)
{
	struct form form = form_from(query, strlen(query));
	struct buf name = { 0 }, value = { 0 };
	int rc;

	while ((rc = form_next(&form, &name, &value, err)) == 1) {
		rc = take(ctx, buf_str(&name), buf_str(&value), err);
		if (rc < 0)
			break;
	}
	buf_free(&name);
	buf_free(&value);
	return rc;
}

bool
form_is_single(struct form form)
{
	struct buf name = { 0 }, other = { 0 }, value = { 0 };
	struct err ignored;
	bool single = true;
	int left = FORM_NAMES_MAX;

	while (single && form_next(&form, &name, &value, &ignored) == 1) {
		struct form rest = form;

		single = left-- > 0;
		while (single && form_next(&rest, &other, &value, &ignored) == 1)
			single = strcmp(buf_str(&name), buf_str(&other)) != 0;
	}
	buf_free(&name);
	buf_free(&other);
	buf_free(&value);
	return single;
}

bool
form_cookie(const char *header, const char *name, char *out, size_t size)
{
	const char *at = header;
	size_t len = strlen(name);

	out[0] = 0;
	while (at != NULL && *at != 0) {
		at += strspn(at, "; ");
		if (strncmp(at, name, len) == 0 && at[len] == '=' &&
		    strcspn(at + len + 1, "; ") == size - 1) {
			memcpy(out, at + len + 1, size - 1);
			out[size - 1] = 0;
			return true;
		}
		at += strcspn(at, ";");
	}
	return false;
}

void
form_put(struct buf *out, const char *value)
{
	static const char plain[] =
	        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";

	for (; *value != 0; value++)
		if (strchr(plain, *value) != NULL)
			buf_u8(out, (uint8_t)*value);
		else
			buf_printf(out, "%%%02X", (unsigned)(unsigned char)*value);
}
