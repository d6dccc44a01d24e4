#include "sync/pack_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum { LEVEL = 3, PIECE = 1 << 17 };

struct packing {
	ZSTD_CCtx *z;
	int from, to;
	uint8_t *in, *out; /* PIECE bytes each */
	uint64_t len;
	struct hash hash;
};

static int
write_all(struct packing *p, size_t len, struct err *err)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(p->to, p->out + done, len - done);

		if (n < 0 && errno != EINTR)
			return err_set(err, err_of_system(errno), "pack: write: %s",
			               strerror(errno));
		done += n < 0 ? 0 : (size_t)n;
	}
	hash_add(&p->hash, p->out, len);
	p->len += len;
	return 0;
}

/* Pack `len` bytes more; at the end also what the library still holds. */
static int
pack_piece(struct packing *p, size_t len, struct err *err)
{
	ZSTD_EndDirective mode = len == 0 ? ZSTD_e_end : ZSTD_e_continue;
	ZSTD_inBuffer in = { p->in, len, 0 };
	size_t left;

	do {
		ZSTD_outBuffer out = { p->out, PIECE, 0 };
		int rc;

		left = ZSTD_compressStream2(p->z, &out, &in, mode);
		if (ZSTD_isError(left))
			return err_set(err, ERR_IO, "pack: %s", ZSTD_getErrorName(left));
		rc = write_all(p, out.pos, err);
		if (rc < 0)
			return rc;
	} while (mode == ZSTD_e_end ? left > 0 : in.pos < in.size);
	return 0;
}

static int
pack_all(struct packing *p, struct err *err)
{
	off_t at = 0;
	ssize_t n;

	do {
		int rc;

		n = pread(p->from, p->in, PIECE, at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, ERR_IO, "pack: read: %s", strerror(errno));
		at += n;
		rc = pack_piece(p, (size_t)n, err);
		if (rc < 0)
			return rc;
	} while (n != 0);
	return 0;
}

int
sync_pack_file(int from, int to, uint64_t *len, uint8_t hash[HASH_16], struct err *err)
{
	struct packing p = { .z = ZSTD_createCCtx(), .from = from, .to = to };
	int rc;

	p.in = malloc(PIECE);
	p.out = malloc(PIECE);
	hash_start(&p.hash, HASH_16);
	if (p.z == NULL || p.in == NULL || p.out == NULL)
		rc = err_set(err, ERR_NOMEM, "pack: out of memory");
	else if (ZSTD_isError(ZSTD_CCtx_setParameter(p.z, ZSTD_c_compressionLevel, LEVEL)) ||
	         ZSTD_isError(ZSTD_CCtx_setParameter(p.z, ZSTD_c_checksumFlag, 1)))
		rc = err_set(err, ERR_IO, "pack: the library refuses");
	else
		rc = pack_all(&p, err);
	hash_end(&p.hash, hash);
	*len = p.len;
	ZSTD_freeCCtx(p.z);
	free(p.in);
	free(p.out);
	return rc;
}
