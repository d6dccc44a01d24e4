#include "node/pin.h"

#include <stdio.h>
#include <string.h>

static const char prefix[] = "sha256//";

enum { PREFIX = sizeof prefix - 1, DIGITS = PIN_TAIL - 1 };

static bool
is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Copy 43 digits of base64 whose last two are `from`, as `to`; false if they aren't. */
static bool
copy_digits(char *out, const char *in, const char from[2], const char to[2])
{
	/* 32 bytes leave two bits over, which are zero */
	static const char last[] = "AEIMQUYcgkosw048";

	for (int i = 0; i < DIGITS; i++) {
		bool plain = is_alphanumeric(in[i]);

		if (!plain && (in[i] == 0 || (in[i] != from[0] && in[i] != from[1])))
			return false;
		out[i] = plain ? in[i] : in[i] == from[0] ? to[0] : to[1];
	}
	return strchr(last, in[DIGITS - 1]) != NULL;
}

int
pin_tail(const char *setting, char tail[PIN_TAIL], struct err *err)
{
	const char *end = strchr(setting, ';');
	size_t len = end == NULL ? strlen(setting) : (size_t)(end - setting);

	tail[DIGITS] = 0;
	if (len == PIN_SIZE - 1 && strncmp(setting, prefix, PREFIX) == 0 &&
	    setting[PREFIX + DIGITS] == '=' && copy_digits(tail, setting + PREFIX, "+/", "-_"))
		return 0;
	return err_set(err, ERR_INVALID,
	               "http.pin: \"%.60s\" is no pin; it is sha256// and the base64 of SHA-256 of "
	               "the TLS key",
	               setting);
}

int
pin_of_code(const char *typed, char pin[PIN_SIZE], struct err *err)
{
	const char *dot = strchr(typed, '.');
	size_t len = dot == NULL ? 0 : strcspn(dot + 1, " \t\r\n");

	pin[0] = 0;
	if (dot == NULL)
		return 0;
	if (len != DIGITS || !copy_digits(pin + PREFIX, dot + 1, "-_", "+/")) {
		pin[0] = 0;
		return err_set(
		        err, ERR_INVALID,
		        "what stands behind the code's dot is not a whole TLS key; copy all "
		        "of it, or leave dot and rest away where the certificate is trusted");
	}
	memcpy(pin, prefix, PREFIX);
	memcpy(pin + PREFIX + DIGITS, "=", 2);
	return 1;
}
