#include "node/http/nonce.h"
#include "store/base/hash.h"
#include "store/base/mutant.h"
#include "store/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
nonce_make(char out[NONCE_SIZE], const uint8_t secret[32], int64_t now_s)
{
	uint8_t mac[HASH_16];

	snprintf(out, NONCE_SIZE, "%08x", (unsigned)(uint32_t)now_s);
	hash_keyed(mac, sizeof mac, out, 8, secret);
	text_hex(out + 8, mac, 8);
}

bool
nonce_good(const char *nonce, const uint8_t secret[32], int64_t now_s)
{
	char want[NONCE_SIZE], time[9];
	int64_t age, made;

	if (strlen(nonce) != NONCE_SIZE - 1)
		return false;
	memcpy(time, nonce, 8);
	time[8] = 0;
	made = (int64_t)strtoul(time, NULL, 16);
	age = now_s - made;
	nonce_make(want, secret, made);
	return MUT(26) ||
	       (age >= 0 && age <= NONCE_LIFE_S && hash_equal(want, nonce, NONCE_SIZE - 1));
}
