#include "node/identity.h"

#include "store/base/buf.h"
#include "store/base/file.h"
#include "store/base/hash.h"
#include "store/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
	HEX = 2 * SYNC_SEED_KEY,
	KEY_LINE = HEX + 3 + HEX + 1, /* seed, " # ", public key, line feed */
	KEY_FILE_MAX = 256 * 1024,
	SIGNERS_MAX = 1 << 20,
};

int
identity_path(char out[IDENTITY_PATH_MAX], const char *dir, const char *name, struct err *err)
{
	if (snprintf(out, IDENTITY_PATH_MAX, "%s/%s", dir, name) >= IDENTITY_PATH_MAX)
		return err_set(err, ERR_INVALID, "%.100s...: the path is too long", dir);
	return 0;
}

/* ---------------------------------------------------------------- directory */

const char *
identity_bad_disk(unsigned long type)
{
	static const struct {
		unsigned long type;
		const char *why;
	} bad[] = {
		{ 0x4d44, "FAT has no safe rename and no owner" },
		{ 0x2011bab0, "exFAT has no safe rename and no owner" },
		{ 0x6969, "NFS has no reliable locks" },
		{ 0xff534d42, "SMB has no reliable locks" },
		{ 0xfe534d42, "SMB has no reliable locks" },
		{ 0x517b, "SMB has no reliable locks" },
		{ 0x01021997, "9p has no reliable locks" },
	};

	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (bad[i].type == (type & 0xffffffff))
			return bad[i].why;
	return NULL;
}

/* Why mkdir() failed, as errno says. */
static int
not_made(const char *dir, struct err *err)
{
	if (errno == ENOENT)
		return err_set(
		        err, ERR_IO,
		        "%.150s can't be made: the directory above it isn't there; make it first",
		        dir);
	if (errno == ENOTDIR)
		return err_set(err, ERR_IO, "%.150s lies below a file; choose another place", dir);
	return err_set(err, ERR_IO, "make %s: %s", dir, strerror(errno));
}

int
identity_make_dir(const char *dir, struct err *err)
{
	struct stat st;
	struct statfs fs;
	const char *why;

	if (mkdir(dir, 0700) < 0 && errno != EEXIST)
		return not_made(dir, err);
	if (stat(dir, &st) < 0 || statfs(dir, &fs) < 0)
		return err_set(err, ERR_IO, "look at %s: %s", dir, strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return err_set(err, ERR_INVALID, "%.150s is a file; choose a new directory", dir);
	if (st.st_uid != geteuid())
		return err_set(err, ERR_INVALID,
		               "%.150s belongs to another user; choose a directory of your own",
		               dir);
	if (st.st_mode & S_IWOTH)
		return err_set(err, ERR_INVALID,
		               "%.100s can be written by everybody; chmod 700 %.100s", dir, dir);
	why = identity_bad_disk((unsigned long)fs.f_type);
	if (why != NULL)
		return err_set(err, ERR_INVALID,
		               "%.100s can't hold a database: %s; choose a local disk", dir, why);
	return 0;
}

/* ---------------------------------------------------------------- key */

static void
write_line(char line[KEY_LINE + 1], const struct sync_key *key)
{
	text_hex(line, key->seed, SYNC_SEED_KEY);
	snprintf(line + HEX, KEY_LINE + 1 - HEX, " # ");
	text_hex(line + HEX + 3, key->public_key, SYNC_PUBLIC_KEY);
	line[KEY_LINE - 1] = '\n';
}

int
identity_make_key(const char *dir, struct sync_key *key, struct err *err)
{
	char path[IDENTITY_PATH_MAX], line[KEY_LINE + 1];
	uint8_t seed[SYNC_SEED_KEY];
	int rc = identity_path(path, dir, "key", err);

	if (rc < 0)
		return rc;
	if (access(path, F_OK) == 0)
		return err_set(err, ERR_INVALID, "%s exists already", path);
	hash_random(seed, sizeof seed);
	sync_key_from_seed(key, seed);
	write_line(line, key);
	rc = file_replace(path, line, KEY_LINE, err);
	explicit_bzero(seed, sizeof seed);
	explicit_bzero(line, sizeof line);
	if (rc < 0)
		sync_key_wipe(key);
	return rc;
}

/* No backup holds a key: two nodes with one would be taken for a clone. */
static const char no_key[] =
        "no backup has it: make a new node with yizhan init elsewhere, and enrol that";

/* "seed # public", as above; an older or foreign file may leave the comment out. */
static int
parse_key(char *line, const char *path, struct sync_key *key, struct err *err)
{
	uint8_t seed[SYNC_SEED_KEY], public_key[SYNC_PUBLIC_KEY];
	char *comment = strstr(line, " # ");
	int rc = 0;

	if (comment != NULL)
		*comment = 0;
	if (!text_unhex(seed, sizeof seed, line))
		return err_set(err, ERR_CORRUPT, "%.80s holds no key; %s", path, no_key);
	sync_key_from_seed(key, seed);
	if (comment != NULL && (!text_unhex(public_key, sizeof public_key, comment + 3) ||
	                        memcmp(public_key, key->public_key, sizeof public_key) != 0)) {
		sync_key_wipe(key);
		rc = err_set(err, ERR_CORRUPT, "%.80s is damaged, its two halves don't fit; %s",
		             path, no_key);
	}
	explicit_bzero(seed, sizeof seed);
	return rc;
}

/* Read a file of a key: its first line. */
static int
load_key(const char *dir, const char *name, struct sync_key *key, struct err *err)
{
	char path[IDENTITY_PATH_MAX], text[KEY_LINE + 1];
	struct buf line = { 0 };
	struct stat st;
	int rc = identity_path(path, dir, name, err);

	if (rc == 0)
		rc = file_read(path, KEY_FILE_MAX, &line, err);
	if (rc == ERR_NOTFOUND)
		return err_set(err, rc, "%.80s is not there; %s", path, no_key);
	if (rc == 0 && stat(path, &st) == 0 && (st.st_mode & 077) != 0)
		rc = err_set(err, ERR_DENIED, "%.100s can be read by others; chmod 600 %.100s",
		             path, path);
	if (rc == 0 && line.len == 0)
		rc = err_set(err, ERR_CORRUPT, "%.80s is empty; %s", path, no_key);
	if (rc == 0) {
		snprintf(text, sizeof text, "%.*s", (int)strcspn(buf_str(&line), "\n"),
		         buf_str(&line));
		rc = parse_key(text, path, key, err);
		explicit_bzero(text, sizeof text);
	}
	if (line.bytes != NULL)
		explicit_bzero(line.bytes, line.len);
	buf_free(&line);
	return rc;
}

int
identity_load_key(const char *dir, struct sync_key *key, struct err *err)
{
	return load_key(dir, "key", key, err);
}

/* ---------------------------------------------------------------- another key */

static const char chain_word[] = "chain ";

int
identity_stage_key(const char *dir, const struct sync_key *key, const struct buf *chain,
                   struct err *err)
{
	char path[IDENTITY_PATH_MAX], line[KEY_LINE + 1], digits[3];
	struct buf text = { 0 };
	int rc = identity_path(path, dir, "key.next", err);

	write_line(line, key);
	buf_put(&text, line, KEY_LINE);
	buf_printf(&text, "%s", chain_word);
	for (size_t i = 0; i < chain->len; i++) {
		text_hex(digits, &chain->bytes[i], 1);
		buf_put(&text, digits, 2);
	}
	buf_u8(&text, '\n');
	if (rc == 0)
		rc = buf_check(&text, err);
	if (rc == 0)
		rc = file_replace(path, text.bytes, text.len, err);
	explicit_bzero(line, sizeof line);
	if (text.bytes != NULL)
		explicit_bzero(text.bytes, text.len);
	buf_free(&text);
	return rc;
}

int
identity_staged_key(const char *dir, struct sync_key *key, struct err *err)
{
	return load_key(dir, "key.next", key, err);
}

int
identity_adopt_key(const char *dir, struct err *err)
{
	char from[IDENTITY_PATH_MAX], to[IDENTITY_PATH_MAX];
	int rc = identity_path(from, dir, "key.next", err);

	if (rc == 0)
		rc = identity_path(to, dir, "key", err);
	if (rc == 0 && rename(from, to) < 0)
		rc = err_set(err, ERR_IO, "rename %s to %s: %s", from, to, strerror(errno));
	return rc == 0 ? file_sync_folder(to, err) : rc;
}

/* The chain's bytes out of the file's text. */
static int
read_chain(const char *text, const char *path, struct buf *chain, struct err *err)
{
	const char *at = strchr(text, '\n');
	size_t digits;
	uint8_t *bytes;

	if (at == NULL || strncmp(at + 1, chain_word, sizeof chain_word - 1) != 0)
		return 0;
	at += sizeof chain_word;
	digits = strcspn(at, "\n");
	bytes = malloc(digits / 2 + 1);
	if (bytes == NULL)
		return err_set(err, ERR_NOMEM, "%s: out of memory", path);
	for (size_t i = 0; i < digits / 2; i++) {
		char pair[3] = { at[2 * i], at[2 * i + 1], 0 };

		if (!text_unhex(&bytes[i], 1, pair)) {
			free(bytes);
			return err_set(err, ERR_CORRUPT,
			               "%.80s: the chain of earlier keys is damaged; %s", path,
			               no_key);
		}
	}
	buf_put(chain, bytes, digits / 2);
	free(bytes);
	return buf_check(chain, err);
}

int
identity_load_chain(const char *dir, struct buf *chain, struct err *err)
{
	char path[IDENTITY_PATH_MAX];
	struct buf text = { 0 };
	int rc = identity_path(path, dir, "key", err);

	if (rc == 0)
		rc = file_read(path, KEY_FILE_MAX, &text, err);
	if (rc == 0)
		rc = read_chain(buf_str(&text), path, chain, err);
	if (text.bytes != NULL)
		explicit_bzero(text.bytes, text.len);
	buf_free(&text);
	return rc;
}

/* ---------------------------------------------------------------- lock */

static int
say_who(int fd, const char *dir, struct err *err)
{
	char pid[16] = "";
	ssize_t len = pread(fd, pid, sizeof pid - 1, 0);

	pid[len > 0 ? len : 0] = 0;
	pid[strspn(pid, "0123456789")] = 0;
	return err_set(err, ERR_BUSY, "%s is in use by another process%s%s", dir,
	               pid[0] != 0 ? ", " : "", pid);
}

int
identity_lock(const char *dir, int *fd, struct err *err)
{
	char path[IDENTITY_PATH_MAX], pid[16];
	int rc = identity_path(path, dir, "lock", err);
	int len = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());

	if (rc < 0)
		return rc;
	*fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (*fd < 0 && errno == ENOENT)
		return err_set(err, ERR_NOTFOUND, "%s: no such directory", dir);
	if (*fd < 0)
		return err_set(err, ERR_IO, "open %s: %s", path, strerror(errno));
	if (flock(*fd, LOCK_EX | LOCK_NB) < 0) {
		rc = errno == EWOULDBLOCK
		             ? say_who(*fd, dir, err)
		             : err_set(err, ERR_IO, "lock %s: %s", path, strerror(errno));
		close(*fd);
		*fd = -1;
		return rc;
	}
	/* The number is for people; a lock without one holds as well. */
	if (ftruncate(*fd, 0) == 0 && pwrite(*fd, pid, (size_t)len, 0) < 0)
		errno = 0;
	return 0;
}

/* ---------------------------------------------------------------- signers */

static void
put_base64(struct buf *out, const uint8_t *bytes, size_t len)
{
	static const char digits[] =
	        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	/* 51 bytes: no padding needed. */
	for (size_t i = 0; i + 2 < len; i += 3) {
		uint32_t v = (uint32_t)bytes[i] << 16 | (uint32_t)bytes[i + 1] << 8 | bytes[i + 2];

		for (int shift = 18; shift >= 0; shift -= 6)
			buf_u8(out, (uint8_t)digits[v >> shift & 63]);
	}
}

/* A line as ssh-keygen(1) describes it under ALLOWED SIGNERS. */
static void
put_signer(struct buf *out, const uint8_t node[STORE_NODE_ID],
           const uint8_t public_key[SYNC_PUBLIC_KEY])
{
	/* RFC 8709: string "ssh-ed25519", string key; a string begins with its length. */
	uint8_t blob[4 + 11 + 4 + SYNC_PUBLIC_KEY] = "\0\0\0\x0bssh-ed25519\0\0\0\x20";
	char hex[2 * STORE_NODE_ID + 1];

	_Static_assert(sizeof blob % 3 == 0, "no padding");
	memcpy(blob + sizeof blob - SYNC_PUBLIC_KEY, public_key, SYNC_PUBLIC_KEY);
	text_hex(hex, node, STORE_NODE_ID);
	buf_printf(out, "%s@yizhan namespaces=\"git\" ssh-ed25519 ", hex);
	put_base64(out, blob, sizeof blob);
	buf_u8(out, '\n');
}

int
identity_allow_signer(const char *dir, const uint8_t node[STORE_NODE_ID],
                      const uint8_t public_key[SYNC_PUBLIC_KEY], struct err *err)
{
	char path[IDENTITY_PATH_MAX];
	struct buf file = { 0 }, line = { 0 };
	int rc = identity_path(path, dir, "allowed_signers", err);

	if (rc == 0)
		rc = file_read(path, SIGNERS_MAX, &file, err);
	if (rc == ERR_NOTFOUND)
		rc = 0;
	if (rc < 0)
		goto out;
	put_signer(&line, node, public_key);
	rc = buf_check(&line, err);
	if (rc < 0)
		goto out;
	if (strstr(buf_str(&file), buf_str(&line)) != NULL) {
		rc = file_sync_folder(path, err); /* whoever wrote it may have failed at that */
		goto out;
	}
	if (file.len > 0 && file.bytes[file.len - 1] != '\n')
		buf_u8(&file, '\n');
	buf_put(&file, line.bytes, line.len);
	rc = buf_check(&file, err);
	if (rc == 0)
		rc = file_replace(path, file.bytes, file.len, err);
out:
	buf_free(&line);
	buf_free(&file);
	return rc;
}

/* ---------------------------------------------------------------- reserve */

int
identity_keep_reserve(const char *dir, long long bytes, struct err *err)
{
	char path[IDENTITY_PATH_MAX];
	struct stat st;
	int fd, status, rc = identity_path(path, dir, "reserve", err);

	if (rc < 0)
		return rc;
	if (stat(path, &st) == 0 && st.st_size >= bytes)
		return 0;
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return err_set(err, ERR_IO, "make %s: %s", path, strerror(errno));
	status = posix_fallocate(fd, 0, bytes);
	close(fd);
	if (status != 0) {
		unlink(path);
		return err_set(err, ERR_IO, "make %s: %s", path, strerror(status));
	}
	return 0;
}

bool
identity_use_reserve(const char *dir)
{
	char path[IDENTITY_PATH_MAX];
	struct err ignored;

	return identity_path(path, dir, "reserve", &ignored) == 0 && unlink(path) == 0;
}
