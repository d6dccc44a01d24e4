/*
 * tests/fuzz/code.c - any text as an enrolment code: refused, or a code that is
 * written as it was typed; and no code with a slip in it.  What stands behind a dot
 * is a whole key of the TLS front, or refused (node/pin.h).
 *
 * Input: where to slip (1 byte), what to put there (1 byte), the text.
 */
#include "node/code.h"
#include "node/pin.h"
#include "tests/fuzz/help.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* The text before its dot as its one form: no separators, upper case, O and I and L as digits. */
static void
check_typed(const char *text, const char *plain)
{
	for (; *text != 0 && *text != '.'; text++) {
		char c = (char)toupper((unsigned char)*text);

		if (strchr(" -\t\r\n", c) != NULL)
			continue;
		if (c == 'O')
			c = '0';
		if (c == 'I' || c == 'L')
			c = '1';
		HOLDS(c == *plain);
		plain++;
	}
	HOLDS(*plain == 0);
}

/* One wrong character, and two that changed places. */
static void
check_slips(const char *plain, uint8_t at, uint8_t by)
{
	static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	char bent[CODE_CHARS + 1];
	struct code code;
	struct err err;

	memcpy(bent, plain, sizeof bent);
	at %= CODE_CHARS;
	bent[at] = digits[by % 32];
	HOLDS(bent[at] == plain[at] || code_read(bent, &code, &err) == ERR_INVALID);
	memcpy(bent, plain, sizeof bent);
	by %= CODE_CHARS;
	bent[at] = plain[by];
	bent[by] = plain[at];
	HOLDS(plain[at] == plain[by] || code_read(bent, &code, &err) == ERR_INVALID);
}

/* The key behind the dot, to the setting and back. */
static void
check_pin(const char *text)
{
	const char *dot = strchr(text, '.');
	char pin[PIN_SIZE], tail[PIN_TAIL];
	struct err err;
	int rc = pin_of_code(text, pin, &err);

	HOLDS(rc == 1 || rc == 0 || rc == ERR_INVALID);
	HOLDS(rc != 0 || dot == NULL);
	HOLDS((rc == 1) == (pin[0] != 0));
	if (rc == 1)
		HOLDS(pin_tail(pin, tail, &err) == 0 && strncmp(tail, dot + 1, PIN_TAIL - 1) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char plain[CODE_CHARS + 1], shown[CODE_TEXT], name[CODE_NAME], *text;
	struct code code, again;
	struct err err;
	int rc;

	if (size < 2)
		return 0;
	text = help_text(data + 2, size - 2);
	check_pin(text);
	rc = code_read(text, &code, &err);
	HOLDS(rc == 0 || rc == ERR_INVALID);
	if (rc == 0) {
		code_plain(&code, plain);
		code_text(&code, shown);
		code_name(&code, name);
		check_typed(text, plain);
		HOLDS(strncmp(plain, name, CODE_NAME - 1) == 0);
		HOLDS(code_read(shown, &again, &err) == 0 && again.secret == code.secret &&
		      memcmp(again.hub, code.hub, CODE_HUB) == 0);
		check_slips(plain, data[0], data[1]);
	}
	free(text);
	return 0;
}
