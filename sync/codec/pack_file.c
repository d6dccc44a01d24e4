#include "sync/codec/pack_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

enum { LEVEL = 3, PIECE = 1 << 17 };

struct packing {
	struct sync_pack_file *file;
	ZSTD_CCtx *z;
	uint8_t *in, *out; /* PIECE bytes each */
	struct hash hash;
	struct hash_sha256 sha256;
};

static int
write_all(struct packing *p, size_t len, struct err *err)
{
	for (size_t done = 0; done < len;) {
		ssize_t n = write(p->file->to, p->out + done, len - done);

		if (n < 0 && errno != EINTR)
			return err_set(err, err_of_system(errno), "pack: write: %s",
			               strerror(errno));
		done += n < 0 ? 0 : (size_t)n;
	}
	hash_add(&p->hash, p->out, len);
	hash_sha256_add(&p->sha256, p->out, len);
	p->file->len += len;
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

		if (p->file->stop != NULL && atomic_load(p->file->stop))
			return err_set(err, ERR_BUSY, "pack: stopping");
		n = pread(p->file->from, p->in, PIECE, at);
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
sync_pack_file(struct sync_pack_file *file, struct err *err)
{
	struct packing p = { .file = file, .z = ZSTD_createCCtx() };
	int rc;

	p.in = malloc(PIECE);
	p.out = malloc(PIECE);
	file->len = 0;
	hash_start(&p.hash, HASH_16);
	hash_sha256_start(&p.sha256);
	if (p.z == NULL || p.in == NULL || p.out == NULL)
		rc = err_set(err, ERR_NOMEM, "pack: out of memory");
	else if (ZSTD_isError(ZSTD_CCtx_setParameter(p.z, ZSTD_c_compressionLevel, LEVEL)) ||
	         ZSTD_isError(ZSTD_CCtx_setParameter(p.z, ZSTD_c_checksumFlag, 1)))
		rc = err_set(err, ERR_IO, "pack: the library refuses");
	else
		rc = pack_all(&p, err);
	hash_end(&p.hash, file->hash);
	hash_sha256_end(&p.sha256, file->sha256);
	ZSTD_freeCCtx(p.z);
	free(p.in);
	free(p.out);
	return rc;
}
