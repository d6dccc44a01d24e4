#include "node/hub/snapshot.h"

#include "node/hub/extract.h"
#include "node/hub/snapshot_views.h"
#include "node/room.h"
#include "store/base/text.h"
#include "store/inspect.h"
#include "store/snapshot.h"
#include "sync/codec/pack_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char kind[] = "yizhan-snapshot-1";

/* ---- making one ---- */

static int
note_all(struct store_snapshot *snap, const struct token *token, const struct kept *made,
         struct err *err)
{
	char at[TEXT_TIME_SIZE];
	int rc;

	text_time(at, made->made_ms);
	rc = store_snapshot_note(snap, "cursor", made->cursor, err);
	if (rc == 0)
		rc = store_snapshot_note(snap, "made_at", at, err);
	if (rc == 0)
		rc = store_snapshot_note(snap, "scope", token->scope, err);
	if (rc == 0)
		rc = store_snapshot_note(snap, "personal", token->personal ? "yes" : "no", err);
	return rc;
}

/* Everything in one transaction: cursor and rows are of the same moment. */
static int
copy_all(const struct kept_place *of, const struct token *token, struct store_snapshot *snap,
         struct kept *made, struct err *err)
{
	int rc = store_db_begin(of->db, err), tables;

	if (rc < 0)
		return rc;
	rc = feed_cursor(of->db, made->cursor, err);
	tables = rc == 0 ? store_catalog_table_count(of->db) : 0;
	for (int id = 1; rc == 0 && id <= tables; id++) {
		struct extract x;

		if (extract_of(token, store_catalog_table(of->db, id), NULL, &x))
			rc = store_snapshot_add(snap, &x.part, err);
	}
	if (rc == 0)
		rc = snapshot_views_add(of->db, token, snap, err);
	store_db_rollback(of->db);
	if (rc == 0)
		rc = note_all(snap, token, made, err);
	return rc == 0 ? store_snapshot_finish(snap, err) : rc;
}

static int
open_file(const char *path, int flags, int *fd, struct err *err)
{
	*fd = open(path, flags | O_CLOEXEC, 0600);
	return *fd >= 0 ? 0 : err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
}

/* The database at `plain` as a .zst file at `packed`, which stays open to be read. */
static int
pack(const char *plain, const char *packed, const atomic_bool *stop, struct kept *made,
     struct err *err)
{
	struct sync_pack_file file = { .from = -1, .stop = stop };
	int rc = open_file(plain, O_RDONLY, &file.from, err);

	if (rc == 0)
		rc = open_file(packed, O_RDWR | O_CREAT | O_TRUNC, &made->fd, err);
	file.to = made->fd;
	if (rc == 0)
		rc = sync_pack_file(&file, err);
	made->len = file.len;
	if (rc == 0)
		text_hex(made->etag, file.hash, sizeof file.hash);
	memcpy(made->sha256, file.sha256, sizeof made->sha256);
	if (file.from >= 0)
		close(file.from);
	return rc;
}

/* The plain file and the packed one are there together; packed it is a third, or less. */
static int
check_room(const struct kept_place *of, struct err *err)
{
	int64_t bytes;
	int rc = store_inspect_bytes(of->db, &bytes, err);

	return rc == 0 ? room_for(of->dir, "a snapshot", bytes + bytes / 2, err) : rc;
}

static int
make(const struct kept_place *of, const struct token *token, const char *terms, struct kept *made,
     struct err *err)
{
	struct store_snapshot *snap = NULL;
	char plain[KEPT_PATH], packed[KEPT_PATH], folder[KEPT_FOLDER];
	int rc = check_room(of, err);

	if (rc == 0)
		rc = kept_folder(of, folder, sizeof folder, err);
	if (rc < 0)
		return rc;
	*made = (struct kept){ .made_ms = env_wall_ms(of->env), .fd = -1 };
	kept_path(plain, folder, "new.sqlite");
	kept_path(packed, folder, "new.zst");
	if (rc == 0)
		rc = store_snapshot_open(of->db, plain, of->stop, &snap, err);
	if (rc == 0)
		rc = copy_all(of, token, snap, made, err);
	store_snapshot_close(snap);
	if (rc == 0)
		rc = pack(plain, packed, of->stop, made, err);
	unlink(plain);
	if (rc == 0)
		rc = kept_keep(of, terms, packed, made, err);
	if (rc < 0) {
		unlink(packed);
		if (made->fd >= 0)
			close(made->fd);
		made->fd = -1;
	}
	return rc;
}

/* ---- giving one out ---- */

void
snapshot_sign(const struct kept *snap, const struct sync_key *key,
              uint8_t signature[STORE_SIGNATURE])
{
	uint8_t text[sizeof kind - 1 + KEPT_SHA256 + FEED_CURSOR - 1], *at = text;

	memcpy(at, kind, sizeof kind - 1);
	at += sizeof kind - 1;
	memcpy(at, snap->sha256, KEPT_SHA256);
	memcpy(at + KEPT_SHA256, snap->cursor, FEED_CURSOR - 1);
	sync_sign(key, text, sizeof text, signature);
}

int
snapshot_find(const struct kept_place *of, const struct token *token, const char *etag,
              struct kept *out, struct err *err)
{
	char terms[KEPT_TERMS];
	int rc = kept_terms(of, token, kind, terms, err);

	return rc == 0 ? kept_find(of, terms, etag, out, err) : rc;
}

int
snapshot_get(const struct kept_place *of, const struct token *token, struct kept *out,
             struct err *err)
{
	char terms[KEPT_TERMS];
	int rc = kept_terms(of, token, kind, terms, err);

	if (rc == 0)
		rc = kept_find(of, terms, NULL, out, err);
	if (rc != 0)
		return rc < 0 ? rc : 0;
	rc = kept_tidy(of, terms, err);
	return rc == 0 ? make(of, token, terms, out, err) : rc;
}
