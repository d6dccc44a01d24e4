/*
 * sync/pack.c - zstd frames without what we know anyway.
 *
 *   0  u8 dictionary number
 *   1  the frame as RFC 8878 has it, but for its magic number:
 *      u8 0 (no checksum, no dictionary number, no size) · u8 window · blocks
 *
 * A frame from outside is walked block by block before zstd sees it: there must
 * be exactly one, whole, with nothing behind it.  It is unpacked into a buffer
 * of the length it must have, so zstd allocates nothing for its window.
 *
 * The dictionary teaches zstd what a small body looks like, and the schemas of
 * the facility's tables (packaging/train-dict).  A large body learns more from
 * itself.
 *
 * Making a context costs more than packing a unit.  One of each is kept when it
 * is not in use; a second thread makes its own and drops it.
 */
#include "sync/pack.h"

#define ZSTD_STATIC_LINKING_ONLY /* for the magicless format, which is in every libzstd since 1.4  \
                                  */
#include <stdatomic.h>
#include <zstd.h>

enum {
	NO_DICTIONARY = 0,
	DICTIONARIES = 1, /* numbers 1 and up */
	NEWEST = 1,
	FRAME_PLAIN = 0, /* the only frame header descriptor that we write */
	HEADER = 3,      /* dictionary number, descriptor, window */
	SMALL = 1 << 16, /* bytes that may take the best effort, and a dictionary */
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

int
sync_pack(const uint8_t *raw, size_t len, struct buf *out, struct err *err)
{
	size_t bound = ZSTD_compressBound(len), packed = 0, start = out->len;
	const ZSTD_CDict *dict = len <= SMALL ? packing_dictionary() : NULL;
	ZSTD_CCtx *z = take_packer();
	uint8_t *at;

	buf_u8(out, dict == NULL ? NO_DICTIONARY : NEWEST);
	at = buf_grow(out, bound);
	if (z == NULL || at == NULL) {
		ZSTD_freeCCtx(z);
		out->len = start;
		return no_memory(err);
	}
	if (set_up(z, dict))
		packed = ZSTD_compress2(z, at, bound, raw, len);
	give_packer(z);
	if (packed == 0 || ZSTD_isError(packed)) {
		out->len = start;
		return no_memory(err); /* with room for the bound nothing else can fail */
	}
	out->len = start + 1 + packed;
	return 0;
}

/* ---- unpacking ---- */

/* Is it one whole frame of the kind we write, window in bounds, and nothing else? */
static bool
one_frame(const uint8_t *packed, size_t len)
{
	size_t at = HEADER;
	unsigned last = 0;

	if (len < HEADER || packed[0] > DICTIONARIES || packed[1] != FRAME_PLAIN)
		return false;
	/* RFC 8878, 3.1.1.1.2: 2^(10 + exponent), and eighths of it: exponent in the upper 5 bits
	 */
	if (packed[2] > (SYNC_WINDOW_LOG_MAX - 10) << 3)
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

int
sync_unpack(const uint8_t *packed, size_t len, size_t raw_len, struct buf *out, struct err *err)
{
	size_t got, start = out->len;
	const ZSTD_DDict *dict;
	ZSTD_DCtx *z;
	uint8_t *at;

	if (!one_frame(packed, len))
		return err_set(err, ERR_CORRUPT, "body of %zu bytes is not one zstd frame", len);
	dict = unpacking_dictionary(packed[0]);
	z = take_unpacker();
	at = buf_grow(out, raw_len);
	if (z == NULL || at == NULL || (dict == NULL && packed[0] != NO_DICTIONARY)) {
		ZSTD_freeDCtx(z);
		return no_memory(err);
	}
	got = ZSTD_DCtx_refDDict(z, dict);
	if (!ZSTD_isError(got))
		got = ZSTD_decompressDCtx(z, at, raw_len, packed + 1, len - 1);
	give_unpacker(z);
	if (got == raw_len)
		return 0;
	out->len = start;
	if (ZSTD_isError(got))
		return err_set(err, ERR_CORRUPT, "body can't be unpacked: %s",
		               ZSTD_getErrorName(got));
	return err_set(err, ERR_CORRUPT, "body has %zu bytes instead of %zu", got, raw_len);
}
