/* sync/archive/sshsig.c - see the picture of the bytes in sync/archive/sshsig.h. */
#include "sync/archive/sshsig.h"
#include "store/base/hash.h"

#include <assert.h>
#include <string.h>

enum { LINE = 70, SHA512 = 64, SIGNED_MAX = 128 };

static const char magic[] = "SSHSIG";
static const char key_type[] = "ssh-ed25519";

/* Only small constants and fixed sizes are put here, so memory is the only thing that can fail. */
static void
put_u32(struct buf *out, size_t value)
{
	buf_u8(out, (uint8_t)(value >> 24));
	buf_u8(out, (uint8_t)(value >> 16));
	buf_u8(out, (uint8_t)(value >> 8));
	buf_u8(out, (uint8_t)value);
}

static void
put_string(struct buf *out, const void *bytes, size_t len)
{
	put_u32(out, len);
	buf_put(out, bytes, len);
}

static void
put_text(struct buf *out, const char *text)
{
	put_string(out, text, strlen(text));
}

/* "ssh-ed25519" and a key or a signature, as one string. */
static void
put_typed(struct buf *out, const uint8_t *bytes, size_t len)
{
	put_u32(out, 4 + strlen(key_type) + 4 + len);
	put_text(out, key_type);
	put_string(out, bytes, len);
}

/* One to three bytes as four digits. */
static void
base64_group(char out[4], const uint8_t *bytes, size_t len)
{
	static const char digits[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t group = 0;

	for (size_t i = 0; i < 3; i++)
		group = group << 8 | (i < len ? bytes[i] : 0U);
	for (size_t i = 0; i < 4; i++)
		out[i] = i <= len ? digits[group >> (18 - 6 * i) & 63] : '=';
}

/* Base64 in lines of that many digits; 0: in one, without a line feed. */
static void
put_base64(struct buf *out, const uint8_t *bytes, size_t len, size_t line)
{
	size_t column = 0;
	char group[4];

	for (size_t i = 0; i < len; i += 3) {
		base64_group(group, bytes + i, len - i < 3 ? len - i : 3);
		for (size_t j = 0; j < sizeof group; j++) {
			if (line > 0 && column == line)
				buf_u8(out, '\n');
			column = column == line ? 1 : column + 1;
			buf_u8(out, (uint8_t)group[j]);
		}
	}
	if (line > 0)
		buf_u8(out, '\n');
}

/* The signed bytes of a message; they are always of one length. */
static size_t
signed_bytes(uint8_t out[SIGNED_MAX], const void *message, size_t len)
{
	static const uint8_t head[] = "SSHSIG\0\0\0\3git\0\0\0\0\0\0\0\6sha512\0\0\0\100";
	size_t head_len = sizeof head - 1;

	memcpy(out, head, head_len);
	hash_sha512(out + head_len, message, len);
	return head_len + SHA512;
}

void
sync_sshsig_sign(const struct sync_key *key, const void *message, size_t len,
                 uint8_t signature[STORE_SIGNATURE])
{
	uint8_t bytes[SIGNED_MAX];

	sync_sign(key, bytes, signed_bytes(bytes, message, len), signature);
}

bool
sync_sshsig_verify(const uint8_t public_key[SYNC_PUBLIC_KEY], const void *message, size_t len,
                   const uint8_t signature[STORE_SIGNATURE])
{
	uint8_t bytes[SIGNED_MAX];

	return sync_verify(public_key, bytes, signed_bytes(bytes, message, len), signature);
}

void
sync_sshsig_armor(struct buf *out, const uint8_t public_key[SYNC_PUBLIC_KEY],
                  const uint8_t signature[STORE_SIGNATURE])
{
	struct buf blob = { 0 };

	buf_put(&blob, magic, strlen(magic));
	put_u32(&blob, 1);
	put_typed(&blob, public_key, SYNC_PUBLIC_KEY);
	put_text(&blob, "git");
	put_text(&blob, "");
	put_text(&blob, "sha512");
	put_typed(&blob, signature, STORE_SIGNATURE);
	buf_printf(out, "-----BEGIN SSH SIGNATURE-----\n");
	put_base64(out, blob.bytes, blob.len, LINE);
	buf_printf(out, "-----END SSH SIGNATURE-----\n");
	out->bad = out->bad || blob.bad;
	buf_free(&blob);
}

void
sync_sshsig_public(struct buf *out, const uint8_t public_key[SYNC_PUBLIC_KEY])
{
	struct buf blob = { 0 };

	put_text(&blob, key_type);
	put_string(&blob, public_key, SYNC_PUBLIC_KEY);
	buf_printf(out, "%s ", key_type);
	put_base64(out, blob.bytes, blob.len, 0);
	out->bad = out->bad || blob.bad;
	buf_free(&blob);
}
