/*
 * node/code.c - the bits of a code, most significant first, in 28 symbols.
 *
 * The two check symbols make the word s0..s27 a codeword of the Reed-Solomon
 * code over GF(32) with roots 1 and a:  sum s_i = 0  and  sum s_i * a^i = 0.
 * Its distance is 3, so one wrong character, two wrong ones and two swapped ones
 * are always noticed; of anything else one in 1 024 passes, and then the hub
 * refuses it.
 */
#include "node/code.h"

#include "store/base/hash.h"

#include <string.h>

enum {
	CHECKED = CODE_CHARS - 2, /* symbols before the check */
	FIELD = 0x25,             /* x^5 + x^2 + 1, of which x is a generator */
};

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* ---------------------------------------------------------------- GF(32) */

static unsigned
times(unsigned a, unsigned b)
{
	unsigned product = 0;

	for (; b != 0; b >>= 1) {
		if ((b & 1) != 0)
			product ^= a;
		a <<= 1;
		if ((a & 32) != 0)
			a ^= FIELD;
	}
	return product;
}

/* a^n. */
static unsigned
power(unsigned a, unsigned n)
{
	unsigned result = 1;

	while (n-- > 0)
		result = times(result, a);
	return result;
}

static void
sums(const uint8_t *symbols, size_t count, unsigned *plain, unsigned *weighted)
{
	unsigned weight = 1;

	*plain = *weighted = 0;
	for (size_t i = 0; i < count; i++) {
		*plain ^= symbols[i];
		*weighted ^= times(symbols[i], weight);
		weight = times(weight, 2);
	}
}

static void
add_check(uint8_t symbols[CODE_CHARS])
{
	unsigned plain, weighted, last, second;

	sums(symbols, CHECKED, &plain, &weighted);
	second = power(2, CHECKED);
	last = power(2, CHECKED + 1);
	/* x + y = plain and x * second + y * last = weighted; a^30 is the inverse of a */
	symbols[CHECKED + 1] =
	        (uint8_t)times(weighted ^ times(plain, second), power(second ^ last, 30));
	symbols[CHECKED] = (uint8_t)(plain ^ symbols[CHECKED + 1]);
}

/* ---------------------------------------------------------------- bits */

static void
to_symbols(const struct code *code, uint8_t symbols[CODE_CHARS])
{
	for (unsigned i = 0; i < 10; i++)
		symbols[i] = code->secret >> (45 - 5 * i) & 31;
	for (unsigned i = 0; i < 16; i++) {
		unsigned bit = 5 * i, pair;

		pair = (unsigned)code->hub[bit / 8] << 8;
		if (bit / 8 + 1 < CODE_HUB)
			pair |= code->hub[bit / 8 + 1];
		symbols[10 + i] = pair >> (11 - bit % 8) & 31;
	}
	add_check(symbols);
}

static void
from_symbols(struct code *code, const uint8_t symbols[CODE_CHARS])
{
	memset(code, 0, sizeof *code);
	for (unsigned i = 0; i < 10; i++)
		code->secret = code->secret << 5 | symbols[i];
	for (unsigned bit = 0; bit < 8 * CODE_HUB; bit++)
		if ((symbols[10 + bit / 5] >> (4 - bit % 5) & 1) != 0)
			code->hub[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

/* ---------------------------------------------------------------- the door */

static void
hash_hub(uint8_t out[CODE_HUB], const uint8_t hub_key[CODE_KEY])
{
	uint8_t all[HASH_16];

	hash_once(all, sizeof all, hub_key, CODE_KEY);
	memcpy(out, all, CODE_HUB);
}

void
code_make(struct code *code, const uint8_t secret[CODE_SECRET], const uint8_t hub_key[CODE_KEY])
{
	memset(code, 0, sizeof *code);
	for (unsigned i = 0; i < CODE_SECRET; i++)
		code->secret = code->secret << 8 | secret[i];
	code->secret &= ((uint64_t)1 << 50) - 1;
	hash_hub(code->hub, hub_key);
}

void
code_plain(const struct code *code, char out[CODE_CHARS + 1])
{
	uint8_t symbols[CODE_CHARS];

	to_symbols(code, symbols);
	for (unsigned i = 0; i < CODE_CHARS; i++)
		out[i] = digits[symbols[i]];
	out[CODE_CHARS] = 0;
}

void
code_text(const struct code *code, char out[CODE_TEXT])
{
	char plain[CODE_CHARS + 1];

	code_plain(code, plain);
	for (unsigned i = 0; i < CODE_CHARS; i++) {
		if (i > 0 && i % 4 == 0)
			*out++ = '-';
		*out++ = plain[i];
	}
	*out = 0;
}

void
code_name(const struct code *code, char out[CODE_NAME])
{
	char plain[CODE_CHARS + 1];

	code_plain(code, plain);
	memcpy(out, plain, CODE_NAME - 1);
	out[CODE_NAME - 1] = 0;
}

/* The symbol of a typed character, or -1. */
static int
symbol_of(char c)
{
	const char *at;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		c = '0';
	if (c == 'I' || c == 'L')
		c = '1';
	at = c == 0 ? NULL : strchr(digits, c);
	return at == NULL ? -1 : (int)(at - digits);
}

#define TYPE_IT "type it again as the hub shows it"

int
code_read(const char *text, struct code *code, struct err *err)
{
	uint8_t symbols[CODE_CHARS];
	unsigned plain, weighted;
	size_t count = 0;

	for (const char *at = text; *at != 0; at++) {
		int symbol;

		if (*at == '.')
			break; /* what follows is for TLS, see node/pin.h */
		if (strchr(" -\t\r\n", *at) != NULL)
			continue;
		symbol = symbol_of(*at);
		if (symbol < 0)
			return err_set(err, ERR_INVALID,
			               "the code's character %zu can't be in a code: only digits "
			               "and letters without U; " TYPE_IT,
			               count + 1);
		if (count < CODE_CHARS)
			symbols[count] = (uint8_t)symbol;
		count++;
	}
	if (count != CODE_CHARS)
		return err_set(err, ERR_INVALID,
		               "a code has 28 characters, this one has %zu; " TYPE_IT, count);
	sums(symbols, CODE_CHARS, &plain, &weighted);
	if (plain != 0 || weighted != 0)
		return err_set(err, ERR_INVALID,
		               "the code is mistyped: one of its characters is wrong or two "
		               "have changed places; " TYPE_IT);
	from_symbols(code, symbols);
	return 0;
}

bool
code_is_of(const struct code *code, const uint8_t hub_key[CODE_KEY])
{
	uint8_t hub[CODE_HUB];

	hash_hub(hub, hub_key);
	return hash_equal(hub, code->hub, CODE_HUB);
}
