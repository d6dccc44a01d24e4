/*
 * tests/fuzz/archive.c - any bytes as what the archive keeps: a row, a branch, a
 * file of a day's segments, a signature in SSH form.
 *
 * Input: what it is (1 byte), the bytes: 0 the row's `bounds`; 1 a branch's name;
 * 2 segments end to end, whose checks and signatures are made right; else a
 * message to sign.
 */
#include "store/base/hash.h"
#include "sync/archive/archive_priv.h"
#include "sync/archive/sshsig.h"
#include "tests/fuzz/peer.h"

#include <stdlib.h>
#include <string.h>

#define COMMIT "0123456789abcdef0123456789abcdef01234567"
#define BRANCH "proof/000102030405060708090a0b0c0d0e0f-0001020304050607"

enum { LIMIT = 8 << 20 };

static void
read_row(const uint8_t *data, size_t size)
{
	struct store_archive_row row = {
		.branch = BRANCH, .no = 1, .bounds = data, .bounds_len = size, .commit = COMMIT
	};
	struct arena a = { .limit = LIMIT };
	struct sync_archive_entry entry;
	struct buf out = { 0 };
	struct err err;
	int rc = sync_archive_row_read(&row, &a, &entry, &err);

	HOLDS(rc == 0 || rc == ERR_CORRUPT);
	if (rc == 0) {
		sync_archive_row_write(&out, &entry);
		HOLDS(help_same(&out, data, size));
	}
	buf_free(&out);
	arena_free(&a);
}

static void
read_names(const uint8_t *data, size_t size)
{
	char *text = help_text(data, size), branch[SYNC_ARCHIVE_BRANCH];
	struct sync_site site, again;
	struct buf file = { 0 };

	if (sync_archive_row_site(text, &site)) {
		sync_archive_row_branch(branch, "proof", &site);
		HOLDS(sync_archive_row_site(branch, &again));
		HOLDS(memcmp(&site, &again, sizeof site) == 0);
		HOLDS(strcasecmp(strchr(branch, '/'), strchr(text, '/')) == 0);
	}
	sync_archive_row_file(&file, text);
	HOLDS(strpbrk(buf_str(&file), "/\\ \n") == NULL && buf_str(&file)[0] != '.');
	buf_free(&file);
	free(text);
}

static void
sign(const uint8_t *data, size_t size)
{
	struct sync_key key = help_key(1), other = help_key(2);
	uint8_t signature[STORE_SIGNATURE];
	struct buf armor = { 0 };

	sync_sshsig_sign(&key, data, size, signature);
	HOLDS(sync_sshsig_verify(key.public_key, data, size, signature));
	HOLDS(!sync_sshsig_verify(other.public_key, data, size, signature));
	sync_sshsig_armor(&armor, key.public_key, signature);
	HOLDS(strncmp(buf_str(&armor), "-----BEGIN SSH SIGNATURE-----\n", 30) == 0);
	signature[size % STORE_SIGNATURE] ^= 1;
	HOLDS(!sync_sshsig_verify(key.public_key, data, size, signature));
	if (size >= STORE_SIGNATURE)
		HOLDS(!sync_sshsig_verify(key.public_key, data, size,
		                          data + size - STORE_SIGNATURE));
	buf_free(&armor);
}

/* ---- a day's segments ---- */

/* The next segment of the file, following `w` and signed, if it can be proven. */
static void
mend_segment(const struct sync_archive_walk *w, uint64_t *n, uint8_t head[STORE_HEAD], struct rd *r,
             struct buf *out)
{
	struct sync_archive_schemas known = w->schemas;
	struct sync_codec_schemas schemas = sync_archive_schemas_of(&known);
	struct sync_key key = help_key(1);
	struct arena a = { .limit = LIMIT };
	struct store_segment seg;
	struct sync_record *records;
	struct sync_site site;
	const char *scope;
	uint8_t *body;
	size_t count;
	struct err err;

	if (sync_segment_read(r, &a, &seg, &site, &scope, &err) == 0 &&
	    (body = arena_copy(&a, seg.body, seg.body_len)) != NULL) {
		help_mend_pack(body, seg.body_len);
		seg.body = body;
		seg.last = *n + 1 + (seg.last - seg.first);
		seg.first = *n + 1;
		memcpy(seg.head_before, head, STORE_HEAD);
		if (sync_segment_prove(&seg, &schemas, &a, &records, &count, &err) == 0) {
			seg.is_signed = true;
			memcpy(seg.key, key.public_key, sizeof seg.key);
			sync_sign_head(&key, &w->site, w->scope, seg.last, seg.head, seg.signature);
			*n = seg.last;
			memcpy(head, seg.head, STORE_HEAD);
		}
		sync_segment_write(out, &seg, &w->site, w->scope);
	} else {
		r->left = 0;
	}
	arena_free(&a);
}

/* Segments made right are walked to their end, without the last byte they aren't. */
static void
walk(const uint8_t *data, size_t size)
{
	enum { CHECK = 8, SEGMENTS = 4 };
	static struct peer node;
	struct sync_archive_walk w = { .scope = "f/F1" };
	struct buf file = { 0 }, mended = { 0 };
	uint8_t head[STORE_HEAD] = { 0 }, check[HASH_16];
	uint64_t n = 0;
	struct rd r;
	struct err err;

	if (node.db == NULL) { /* its only stream has named its schemas */
		peer_open(&node, false);
		peer_write(&node,
		           "INSERT INTO daily(child, day, facility_id) VALUES ('c', 1, 'F1');"
		           "INSERT INTO note(id, facility_id) VALUES (x'01', 'F1')");
	}
	w.schemas = (struct sync_archive_schemas){ .db = node.db, .stream = 1 };
	memcpy(w.site.node, node.node.r.self.node, STORE_NODE_ID);
	memcpy(w.site.epoch, node.node.r.self.epoch, STORE_EPOCH);
	buf_put(&file, data, size);
	if (size > CHECK) { /* of the last one: the others come out of seeds */
		hash_once(check, sizeof check, data, size - CHECK);
		memcpy(file.bytes + size - CHECK, check, CHECK);
	}
	r = rd_from(file.bytes, file.len);
	for (int i = 0; i < SEGMENTS && r.left > 0; i++)
		mend_segment(&w, &n, head, &r, &mended);
	if (sync_archive_walk_file(&w, &mended, &err) == 0) {
		HOLDS(w.n == n && memcmp(w.head, head, STORE_HEAD) == 0);
		HOLDS(sync_archive_walk_end(&w, &err) == 0);
	} else {
		HOLDS(err.code == ERR_CORRUPT || err.code == ERR_NOMEM);
	}
	if (mended.len > 0) {
		w.n = 0;
		memset(w.head, 0, sizeof w.head);
		mended.len--;
		HOLDS(sync_archive_walk_file(&w, &mended, &err) < 0);
	}
	buf_free(&file);
	buf_free(&mended);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 1)
		return 0;
	switch (data[0]) {
	case 0:
		read_row(data + 1, size - 1);
		break;
	case 1:
		read_names(data + 1, size - 1);
		break;
	case 2:
		walk(data + 1, size - 1);
		break;
	default:
		sign(data + 1, size - 1);
	}
	return 0;
}
