/*
 * sync/codec/pack.c - the blocks of a zstd frame, and no more than that.
 *
 *   0  u8 dictionary number
 *   1  check: first 4 bytes of BLAKE2b-128 over all other bytes
 *   5  blocks as RFC 8878, 3.1.1.2 has them, the last one marked
 *
 * A frame's magic number and header say nothing that we don't know.  The check
 * is there because zstd doesn't look at every bit of a block: one that is flipped
 * could go unnoticed, and the same records could have many forms.
 *
 * Bytes from outside are walked block by block before zstd sees them: there must
 * be one frame, whole, with nothing behind it.  It is unpacked into a buffer of the
 * length it must have, so zstd allocates nothing for its window.
 *
 * The dictionary teaches zstd what a small body looks like, and the schemas of
 * the facility's tables (packaging/train-dict).  A large body learns more from
 * itself.
 *
 * Making a context costs more than packing a unit.  One of each is kept when it
 * is not in use; a second thread makes its own and drops it.
 */
#include "sync/codec/pack.h"
#include "store/base/hash.h"

#define ZSTD_STATIC_LINKING_ONLY /* for the magicless format, which is in every libzstd since 1.4  \
                                  */
#include <assert.h>
#include <stdatomic.h>
#include <string.h>
#include <zstd.h>

enum {
	NO_DICTIONARY = 0,
	DICTIONARIES = 1, /* numbers 1 and up */
	NEWEST = 1,
	CHECK = 4,
	HEADER = 1 + CHECK,
	SMALL = 1 << 16, /* bytes that may take the best effort, and a dictionary */
	/* RFC 8878, 3.1.1.1: no size, no checksum, no dictionary number; 2^(10 + upper five bits)
	 */
	FRAME_DESCRIPTOR = 0,
	FRAME_WINDOW = (SYNC_WINDOW_LOG_MAX - 10) << 3,
	FRAME_HEADER = 2,
	LEVEL_SMALL = 12,
	LEVEL_LARGE = 3,
};

/* sync/dict/dict.S */
extern const uint8_t sync_dict_1[];
extern const uint64_t sync_dict_1_len;

static _Atomic(ZSTD_CCtx *) spare_packer;
static _Atomic(ZSTD_DCtx *) spare_unpacker;

/* Made at first use, then shared by all threads for good. */
static _Atomic(ZSTD_CDict *) packer_dictionary;
static _Atomic(ZSTD_DDict *) unpacker_dictionaries[DICTIONARIES + 1];

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "zstd: out of memory");
}

static void
checksum(uint8_t number, const uint8_t *blocks, size_t len, uint8_t out[CHECK])
{
	uint8_t full[HASH_16];
	struct hash h;

	hash_start(&h, sizeof full);
	hash_add(&h, &number, 1);
	hash_add(&h, blocks, len);
	hash_end(&h, full);
	memcpy(out, full, CHECK);
}

/* ---- packing ---- */

static const ZSTD_CDict *
packing_dictionary(void)
{
	ZSTD_CDict *dict = atomic_load(&packer_dictionary), *none = NULL;

	if (dict != NULL)
		return dict;
	dict = ZSTD_createCDict(sync_dict_1, (size_t)sync_dict_1_len, LEVEL_SMALL);
	if (dict == NULL || atomic_compare_exchange_strong(&packer_dictionary, &none, dict))
		return dict;
	ZSTD_freeCDict(dict); /* another thread was faster */
	return none;
}

static ZSTD_CCtx *
take_packer(void)
{
	ZSTD_CCtx *z = atomic_exchange(&spare_packer, NULL);

	if (z == NULL)
		z = ZSTD_createCCtx();
	if (z != NULL)
		ZSTD_CCtx_reset(z, ZSTD_reset_session_and_parameters);
	return z;
}

static void
give_packer(ZSTD_CCtx *z)
{
	ZSTD_freeCCtx(atomic_exchange(&spare_packer, z));
}

static bool
set_up(ZSTD_CCtx *z, const ZSTD_CDict *dict)
{
	const struct {
		ZSTD_cParameter name;
		int value;
	} parameters[] = {
		{ ZSTD_c_compressionLevel, LEVEL_LARGE }, /* a dictionary brings its own */
		{ ZSTD_c_contentSizeFlag, 0 },
		{ ZSTD_c_checksumFlag, 0 },
		{ ZSTD_c_dictIDFlag, 0 },
		{ ZSTD_c_format, ZSTD_f_zstd1_magicless },
	};

	for (size_t i = 0; i < sizeof parameters / sizeof parameters[0]; i++)
		if (ZSTD_isError(
		            ZSTD_CCtx_setParameter(z, parameters[i].name, parameters[i].value)))
			return false;
	return !ZSTD_isError(ZSTD_CCtx_refCDict(z, dict));
}

/* A frame becomes ours: its header makes way for number and check. */
static void
put_header(uint8_t number, uint8_t *packed, size_t len)
{
	assert(packed[HEADER - FRAME_HEADER] == FRAME_DESCRIPTOR &&
	       packed[HEADER - FRAME_HEADER + 1] <= FRAME_WINDOW);
	packed[0] = number;
	checksum(number, packed + HEADER, len - HEADER, packed + 1);
}

int
sync_pack(const uint8_t *raw, size_t len, struct buf *out, struct err *err)
{
	size_t bound = ZSTD_compressBound(len), frame = 0, start = out->len;
	const ZSTD_CDict *dict = len <= SMALL ? packing_dictionary() : NULL;
	ZSTD_CCtx *z = take_packer();
	uint8_t *at = buf_grow(out, HEADER - FRAME_HEADER + bound);

	out->len = start;
	if (z == NULL || at == NULL) {
		ZSTD_freeCCtx(z);
		return no_memory(err);
	}
	if (set_up(z, dict))
		frame = ZSTD_compress2(z, at + HEADER - FRAME_HEADER, bound, raw, len);
	give_packer(z);
	if (frame <= FRAME_HEADER || ZSTD_isError(frame))
		return no_memory(err); /* with room for the bound nothing else can fail */
	out->len = start + HEADER - FRAME_HEADER + frame;
	put_header(dict == NULL ? NO_DICTIONARY : NEWEST, at, out->len - start);
	return 0;
}

/* ---- unpacking ---- */

/* Is it as it was packed, one whole frame and nothing else? */
static bool
is_whole(const uint8_t *packed, size_t len)
{
	uint8_t check[CHECK];
	size_t at = HEADER;
	unsigned last = 0;

	if (len < HEADER || packed[0] > DICTIONARIES)
		return false;
	checksum(packed[0], packed + HEADER, len - HEADER, check);
	if (memcmp(check, packed + 1, CHECK) != 0)
		return false;
	while (!last) {
		unsigned header, type, size;

		if (len - at < 3)
			return false;
		header =
		        packed[at] | (unsigned)packed[at + 1] << 8 | (unsigned)packed[at + 2] << 16;
		last = header & 1;
		type = header >> 1 & 3; /* raw, run of one byte, compressed, reserved */
		size = type == 1 ? 1 : header >> 3;
		at += 3;
		if (type == 3 || size > len - at)
			return false;
		at += size;
	}
	return at == len;
}

/* NULL for number 0, or without memory. */
static const ZSTD_DDict *
unpacking_dictionary(uint8_t number)
{
	ZSTD_DDict *dict = atomic_load(&unpacker_dictionaries[number]), *none = NULL;

	if (number == NO_DICTIONARY || dict != NULL)
		return dict;
	dict = ZSTD_createDDict(sync_dict_1, (size_t)sync_dict_1_len);
	if (dict == NULL ||
	    atomic_compare_exchange_strong(&unpacker_dictionaries[number], &none, dict))
		return dict;
	ZSTD_freeDDict(dict);
	return none;
}

static ZSTD_DCtx *
take_unpacker(void)
{
	ZSTD_DCtx *z = atomic_exchange(&spare_unpacker, NULL);

	if (z != NULL)
		return z;
	z = ZSTD_createDCtx();
	if (z != NULL)
		ZSTD_DCtx_setParameter(z, ZSTD_d_format, ZSTD_f_zstd1_magicless);
	return z;
}

static void
give_unpacker(ZSTD_DCtx *z)
{
	ZSTD_DCtx_reset(z, ZSTD_reset_session_only);
	ZSTD_freeDCtx(atomic_exchange(&spare_unpacker, z));
}

/* The frame, with its header put back, into `at` of exactly `raw_len` bytes; zstd's result. */
static int
unpack(const uint8_t *packed, size_t len, uint8_t *at, size_t raw_len, size_t *got)
{
	const ZSTD_DDict *dict = unpacking_dictionary(packed[0]);
	ZSTD_DCtx *z = take_unpacker();
	struct buf frame = { 0 };
	bool ready = z != NULL && (dict != NULL || packed[0] == NO_DICTIONARY);

	buf_u8(&frame, FRAME_DESCRIPTOR);
	buf_u8(&frame, FRAME_WINDOW);
	buf_put(&frame, packed + HEADER, len - HEADER);
	ready = ready && !frame.bad && !ZSTD_isError(ZSTD_DCtx_refDDict(z, dict));
	if (ready)
		*got = ZSTD_decompressDCtx(z, at, raw_len, frame.bytes, frame.len);
	if (z != NULL)
		give_unpacker(z);
	buf_free(&frame);
	return ready ? 0 : ERR_NOMEM;
}

int
sync_pack_check(const uint8_t *packed, size_t len, struct err *err)
{
	return is_whole(packed, len) ? 0
	                             : err_set(err, ERR_CORRUPT,
	                                       "body of %zu bytes is not as it was packed", len);
}

int
sync_unpack(const uint8_t *packed, size_t len, size_t raw_len, struct buf *out, struct err *err)
{
	size_t got = 0, start = out->len;
	uint8_t *at;

	if (sync_pack_check(packed, len, err) < 0)
		return err->code;
	at = buf_grow(out, raw_len);
	if (at == NULL || unpack(packed, len, at, raw_len, &got) < 0) {
		out->len = start;
		return no_memory(err);
	}
	if (got == raw_len)
		return 0;
	out->len = start;
	if (ZSTD_isError(got))
		return err_set(err, ERR_CORRUPT, "body can't be unpacked: %s",
		               ZSTD_getErrorName(got));
	return err_set(err, ERR_CORRUPT, "body has %zu bytes instead of %zu", got, raw_len);
}
