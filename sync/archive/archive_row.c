/*
 * sync/archive/archive_row.c - what a row of yz_archive says, and the names of things.
 *
 * A row holds everything of its commit that can't be taken from elsewhere for
 * ever: a roll-up forgets heads and signatures inside a day, an erasure forgets
 * what was counted, a key is rotated, a node is renamed.  So the column `bounds`
 * is (lengths are LEB128):
 *
 *   u8 1 (format) · author's name · first line of the message
 *   32 public key of the commit's signature · 64 signature
 *   varint streams that grew · per stream: scope · varint n before · varint n
 *                              · 32 head · 64 signature of the head · 32 its public key
 *
 * Branch, number, time and commit id are columns of their own.
 */
#include "store/base/text.h"
#include "sync/archive/archive_priv.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
	FORMAT = 1,
	NODE_HEX = 2 * STORE_NODE_ID,
	SITE_HEX = 2 * (STORE_NODE_ID + STORE_EPOCH) + 1,
	BOUND_MIN = 3 + STORE_HEAD + STORE_SIGNATURE + SYNC_PUBLIC_KEY,
};

/* ---------------------------------------------------------------- names */

void
sync_archive_row_branch(char out[SYNC_ARCHIVE_BRANCH], const char *kind,
                        const struct sync_site *site)
{
	char node[2 * STORE_NODE_ID + 1], epoch[2 * STORE_EPOCH + 1];

	text_hex(node, site->node, STORE_NODE_ID);
	text_hex(epoch, site->epoch, STORE_EPOCH);
	snprintf(out, SYNC_ARCHIVE_BRANCH, "%s/%s-%s", kind, node, epoch);
}

bool
sync_archive_row_site(const char *branch, struct sync_site *site)
{
	const char *name = strchr(branch, '/');
	char node[NODE_HEX + 1];

	if (name == NULL || strlen(++name) != SITE_HEX || name[NODE_HEX] != '-')
		return false;
	memcpy(node, name, NODE_HEX);
	node[NODE_HEX] = 0;
	return text_unhex(site->node, STORE_NODE_ID, node) &&
	       text_unhex(site->epoch, STORE_EPOCH, name + sizeof node);
}

void
sync_archive_row_file(struct buf *out, const char *scope)
{
	for (size_t i = 0; scope[i] != 0; i++) {
		unsigned char c = (unsigned char)scope[i];
		bool plain =
		        (c < 0x80 && isalnum(c)) || c == '-' || c == '_' || (c == '.' && i > 0);

		if (c == '/')
			buf_u8(out, '+');
		else if (plain)
			buf_u8(out, c);
		else
			buf_printf(out, "%%%02X", c);
	}
}

/* ---------------------------------------------------------------- bytes */

static void
write_text(struct buf *out, const char *text)
{
	buf_lenbytes(out, text, strlen(text));
}

void
sync_archive_row_write(struct buf *out, const struct sync_archive_entry *entry)
{
	buf_u8(out, FORMAT);
	write_text(out, entry->name);
	write_text(out, entry->subject);
	buf_put(out, entry->key, sizeof entry->key);
	buf_put(out, entry->signature, sizeof entry->signature);
	buf_varint(out, entry->bound_count);
	for (size_t i = 0; i < entry->bound_count; i++) {
		const struct sync_archive_bound *b = &entry->bounds[i];

		write_text(out, b->scope);
		buf_varint(out, b->before);
		buf_varint(out, b->n);
		buf_put(out, b->head, sizeof b->head);
		buf_put(out, b->signature, sizeof b->signature);
		buf_put(out, b->key, sizeof b->key);
	}
}

/* Copies, with a zero behind; a zero inside would cut it short unseen. */
static const char *
read_text(struct rd *r, struct arena *a)
{
	size_t len;
	const uint8_t *bytes = rd_lenbytes(r, &len);
	const char *text = bytes == NULL ? NULL : arena_copy(a, bytes, len);

	if (text == NULL || strlen(text) != len)
		r->bad = true;
	return text;
}

static void
read_fixed(struct rd *r, uint8_t *out, size_t len)
{
	const uint8_t *bytes = rd_bytes(r, len);

	if (bytes != NULL)
		memcpy(out, bytes, len);
}

static void
read_bounds(struct rd *r, struct arena *a, struct sync_archive_entry *out)
{
	uint64_t count = rd_varint(r);

	if (r->bad || count > r->left / BOUND_MIN ||
	    (out->bounds = arena_take(a, count, sizeof *out->bounds)) == NULL) {
		r->bad = true;
		return;
	}
	out->bound_count = count;
	for (size_t i = 0; i < count; i++) {
		struct sync_archive_bound *b = &out->bounds[i];

		b->scope = read_text(r, a);
		b->before = rd_varint(r);
		b->n = rd_varint(r);
		read_fixed(r, b->head, sizeof b->head);
		read_fixed(r, b->signature, sizeof b->signature);
		read_fixed(r, b->key, sizeof b->key);
		r->bad = r->bad || b->n <= b->before;
	}
}

int
sync_archive_row_read(const struct store_archive_row *row, struct arena *a,
                      struct sync_archive_entry *out, struct err *err)
{
	struct rd r = rd_from(row->bounds, row->bounds_len);
	struct sync_site site;

	*out = (struct sync_archive_entry){ .branch = row->branch,
		                            .no = row->no,
		                            .at_ms = row->at_ms };
	snprintf(out->commit, sizeof out->commit, "%s", row->commit);
	r.bad = rd_u8(&r) != FORMAT || strlen(row->commit) != SYNC_ARCHIVE_ID ||
	        !sync_archive_row_site(row->branch, &site);
	out->name = read_text(&r, a);
	out->subject = read_text(&r, a);
	read_fixed(&r, out->key, sizeof out->key);
	read_fixed(&r, out->signature, sizeof out->signature);
	read_bounds(&r, a, out);
	if (!rd_done(&r))
		return err_set(err, ERR_CORRUPT, "archive: row %lld of %s is damaged",
		               (long long)row->no, row->branch);
	return 0;
}

int
sync_archive_row_list(struct store_db *db, const char *branch, struct arena *a,
                      struct sync_archive_entry **list, size_t *count, struct err *err)
{
	struct store_archive_row *rows;
	size_t row_count;
	int rc;

	*count = 0;
	if ((rc = store_archive_list(db, branch, a, &rows, &row_count, err)) < 0)
		return rc;
	*list = arena_take(a, row_count, sizeof **list);
	if (*list == NULL)
		return err_set(err, ERR_NOMEM, "archive: out of memory");
	for (; *count < row_count; ++*count)
		if ((rc = sync_archive_row_read(&rows[*count], a, &(*list)[*count], err)) < 0)
			return rc;
	return 0;
}
