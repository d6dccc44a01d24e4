/*
 * sync/archive/archive_proof.c - a row of yz_archive to a signed commit, byte for byte.
 *
 * The same code makes a new commit, makes up for one that a power cut prevented,
 * rebuilds the repository and verifies it; what is here must therefore never
 * change its output.  (A new form would be a new format number of the row.)
 *
 *   tree      per stream one file, named after the scope (sync_archive_row_file):
 *                 stream f/F001
 *                 records 192
 *                 head <hex>
 *                 signature <hex>
 *                 key <hex>
 *   commit    author and committer: NAME <node id@yizhan>, time of the row in whole seconds, +0000
 *             gpgsig: SSHSIG over the commit without it
 *             message: the row's line, then per stream that grew three trailers:
 *                 Stream: f/F001
 *                 Records: 97-192
 *                 Head: <hex>
 */
#include "store/base/text.h"
#include "sync/archive/archive_priv.h"
#include "sync/archive/sshsig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
sync_archive_proof_free(struct sync_archive_proof *p)
{
	free(p->files);
	p->files = NULL;
	p->file_count = p->file_room = 0;
}

/* ---------------------------------------------------------------- tree */

static void
put_hex(struct buf *out, const char *name, const uint8_t *bytes, size_t len)
{
	char hex[2 * STORE_SIGNATURE + 1];

	text_hex(hex, bytes, len);
	buf_printf(out, "%s%s\n", name, hex);
}

/* The place of a name among the files, or where it has to go. */
static size_t
find(const struct sync_archive_proof *p, const char *name)
{
	size_t low = 0, high = p->file_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(p->files[middle].name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int
make_room(struct sync_archive_proof *p, struct err *err)
{
	size_t room = p->file_room == 0 ? 8 : 2 * p->file_room;
	struct sync_archive_file *files;

	if (p->file_count < p->file_room)
		return 0;
	files = realloc(p->files, room * sizeof *files);
	if (files == NULL)
		return err_set(err, ERR_NOMEM, "archive: out of memory");
	p->files = files;
	p->file_room = room;
	return 0;
}

/* Put a stream's file in the place of the one it has, or as a new one. */
static int
set_file(struct sync_archive_proof *p, const char *name, const struct sync_archive_oid *oid,
         struct err *err)
{
	size_t at = find(p, name);

	if (strlen(name) >= sizeof p->files->name)
		return err_set(err, ERR_CORRUPT, "archive: a stream's file has too long a name");
	if (at < p->file_count && strcmp(p->files[at].name, name) == 0) {
		p->files[at].oid = *oid;
		return 0;
	}
	if (make_room(p, err) < 0)
		return err->code;
	memmove(p->files + at + 1, p->files + at, (p->file_count - at) * sizeof *p->files);
	p->files[at].oid = *oid;
	memcpy(p->files[at].name, name, strlen(name) + 1);
	p->file_count++;
	return 0;
}

static int
take_file(void *ctx, const char *path, const struct sync_archive_oid *oid, struct err *err)
{
	return set_file(ctx, path, oid, err);
}

int
sync_archive_proof_resume(struct sync_archive_proof *p, const struct sync_archive_oid *commit,
                          struct err *err)
{
	p->has_parent = true;
	p->parent = *commit;
	return sync_archive_git_files(p->git, commit, take_file, p, err);
}

static int
put_stream(struct sync_archive_proof *p, const struct sync_archive_bound *b, struct err *err)
{
	struct buf text = { 0 }, name = { 0 };
	struct sync_archive_oid oid;
	int rc;

	sync_archive_row_file(&name, b->scope);
	buf_printf(&text, "stream %s\nrecords %llu\n", b->scope, (unsigned long long)b->n);
	put_hex(&text, "head ", b->head, sizeof b->head);
	put_hex(&text, "signature ", b->signature, sizeof b->signature);
	put_hex(&text, "key ", b->key, sizeof b->key);
	rc = sync_archive_git_put(p->git, SYNC_ARCHIVE_BLOB, &text, &oid, err);
	if (rc == 0)
		rc = buf_check(&name, err);
	if (rc == 0)
		rc = set_file(p, buf_str(&name), &oid, err);
	buf_free(&text);
	buf_free(&name);
	return rc;
}

static int
put_tree(struct sync_archive_proof *p, struct sync_archive_oid *oid, struct err *err)
{
	struct buf tree = { 0 };
	int rc;

	for (size_t i = 0; i < p->file_count; i++) {
		buf_printf(&tree, "100644 %s", p->files[i].name);
		buf_u8(&tree, 0);
		buf_put(&tree, p->files[i].oid.bytes, sizeof p->files[i].oid.bytes);
	}
	rc = sync_archive_git_put(p->git, SYNC_ARCHIVE_TREE, &tree, oid, err);
	buf_free(&tree);
	return rc;
}

/* ---------------------------------------------------------------- commit */

static void
put_person(struct buf *out, const char *role, const struct sync_archive_proof *p,
           const struct sync_archive_entry *entry)
{
	char node[2 * STORE_NODE_ID + 1];

	text_hex(node, p->site.node, STORE_NODE_ID);
	buf_printf(out, "%s %s <%s@yizhan> %lld +0000\n", role, entry->name, node,
	           (long long)(entry->at_ms / 1000));
}

static void
put_header(struct buf *out, const struct sync_archive_proof *p, const struct sync_archive_oid *tree,
           const struct sync_archive_entry *entry)
{
	put_hex(out, "tree ", tree->bytes, sizeof tree->bytes);
	if (p->has_parent)
		put_hex(out, "parent ", p->parent.bytes, sizeof p->parent.bytes);
	put_person(out, "author", p, entry);
	put_person(out, "committer", p, entry);
}

static void
put_message(struct buf *out, const struct sync_archive_entry *entry)
{
	buf_printf(out, "\n%s\n\n", entry->subject);
	for (size_t i = 0; i < entry->bound_count; i++) {
		const struct sync_archive_bound *b = &entry->bounds[i];

		buf_printf(out, "Stream: %s\nRecords: %llu-%llu\n", b->scope,
		           (unsigned long long)b->before + 1, (unsigned long long)b->n);
		put_hex(out, "Head: ", b->head, sizeof b->head);
	}
}

/* A header's further lines begin with a space. */
static void
put_signature(struct buf *out, const struct sync_archive_entry *entry)
{
	struct buf armor = { 0 };
	const char *line, *end;

	sync_sshsig_armor(&armor, entry->key, entry->signature);
	buf_printf(out, "gpgsig");
	for (line = buf_str(&armor); (end = strchr(line, '\n')) != NULL; line = end + 1)
		buf_printf(out, " %.*s\n", (int)(end - line), line);
	out->bad = out->bad || armor.bad;
	buf_free(&armor);
}

static int
sign(struct sync_archive_entry *entry, const struct sync_key *key, const struct buf *text,
     struct err *err)
{
	if (key == NULL &&
	    !sync_sshsig_verify(entry->key, text->bytes, text->len, entry->signature))
		return err_set(err, ERR_CORRUPT, "%s: the signature of commit %lld does not verify",
		               entry->branch, (long long)entry->no);
	if (key != NULL) {
		memcpy(entry->key, key->public_key, sizeof entry->key);
		sync_sshsig_sign(key, text->bytes, text->len, entry->signature);
	}
	return 0;
}

static int
put_commit(struct sync_archive_proof *p, const struct sync_archive_oid *tree,
           struct sync_archive_entry *entry, const struct sync_key *key, struct err *err)
{
	struct buf head = { 0 }, text = { 0 };
	size_t header_len;
	int rc;

	put_header(&text, p, tree, entry);
	header_len = text.len;
	put_message(&text, entry);
	rc = buf_check(&text, err);
	if (rc == 0)
		rc = sign(entry, key, &text, err);
	if (rc == 0) {
		buf_put(&head, text.bytes, header_len);
		put_signature(&head, entry);
		buf_put(&head, text.bytes + header_len, text.len - header_len);
		rc = sync_archive_git_put(p->git, SYNC_ARCHIVE_COMMIT, &head, &p->parent, err);
	}
	buf_free(&head);
	buf_free(&text);
	return rc;
}

int
sync_archive_proof_next(struct sync_archive_proof *p, struct sync_archive_entry *entry,
                        const struct sync_key *key, struct err *err)
{
	struct sync_archive_oid tree;
	char id[SYNC_ARCHIVE_ID + 1];
	int rc = 0;

	for (size_t i = 0; i < entry->bound_count && rc == 0; i++)
		rc = put_stream(p, &entry->bounds[i], err);
	if (rc == 0)
		rc = put_tree(p, &tree, err);
	if (rc == 0)
		rc = put_commit(p, &tree, entry, key, err);
	if (rc < 0)
		return rc;
	p->has_parent = true;
	text_hex(id, p->parent.bytes, sizeof p->parent.bytes);
	if (key != NULL)
		memcpy(entry->commit, id, sizeof id);
	else if (strcmp(entry->commit, id) != 0)
		return err_set(err, ERR_CORRUPT, "%s: row %lld gives commit %s and names %s",
		               entry->branch, (long long)entry->no, id, entry->commit);
	return 0;
}
