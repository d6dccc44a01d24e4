/*
 * tests/fuzz/grant.c - any bytes as a grant: never one without the hub's
 * signature, and with it refused, or the grant whose bytes they are.
 *
 * Input: the bytes of a grant; they are read as they are, then signed once more.
 */
#include "node/grant.h"
#include "tests/fuzz/help.h"

#include <stdlib.h>
#include <string.h>

static void
check_read(const uint8_t *bytes, size_t size, const struct sync_key *hub)
{
	struct grant grant;
	struct buf out = { 0 };
	struct err err;
	int rc = grant_read(bytes, size, hub->public_key, &grant, &err);

	HOLDS(rc == 0 || rc == ERR_CORRUPT || rc == ERR_DENIED);
	if (rc == 0) {
		grant_write(&out, &grant, hub);
		HOLDS(help_same(&out, bytes, size));
		HOLDS(size <= GRANT_MAX && grant_facility_check(grant.facility, &err) == 0);
		for (unsigned i = 0; i < grant.write.count; i++)
			HOLDS(grant_has(&grant.write, grant.write.name[i]));
	}
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sync_key hub = help_key(0);
	uint8_t *copy;

	check_read(data, size, &hub);
	if (size < STORE_SIGNATURE + SYNC_PUBLIC_KEY)
		return 0;
	copy = malloc(size);
	HOLDS(copy != NULL);
	memcpy(copy, data, size);
	memcpy(copy + size - STORE_SIGNATURE - SYNC_PUBLIC_KEY, hub.public_key, SYNC_PUBLIC_KEY);
	sync_sign(&hub, copy, size - STORE_SIGNATURE, copy + size - STORE_SIGNATURE);
	check_read(copy, size, &hub);
	copy[size - 1 - data[0] % size] ^= 0x10;
	{
		struct grant grant;
		struct err err;

		HOLDS(grant_read(copy, size, hub.public_key, &grant, &err) < 0);
	}
	free(copy);
	return 0;
}
