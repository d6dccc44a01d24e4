/* tests/bench/file.c - the files that are measured, and the rows that go into them. */
#include "node/facility/schema.h"
#include "store/seed.h"
#include "store/stmt.h"
#include "sync/seal/seal.h"
#include "tests/bench/bench.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[96];
static pid_t owner;

/* With what is left in it, when a measurement ended early. */
static void
remove_folder(void)
{
	DIR *dir = getpid() == owner ? opendir(folder) : NULL;
	const struct dirent *entry;

	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL)
		unlinkat(dirfd(dir), entry->d_name, 0); /* fails for . and .. */
	closedir(dir);
	rmdir(folder);
}

void
bench_make_folder(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof folder, "%s/yizhan-bench.XXXXXX", tmp == NULL ? "/tmp" : tmp);
	if (mkdtemp(folder) == NULL) {
		perror(folder);
		exit(1);
	}
	owner = getpid();
	atexit(remove_folder);
}

static void
remove_file(const struct bench_file *f)
{
	static const char *const ends[] = { "", "-wal", "-shm" };

	for (int i = 0; i < 3; i++) {
		char path[300];

		snprintf(path, sizeof path, "%s%s", f->path, ends[i]);
		unlink(path);
	}
}

/* Any node's word counts: rights are not what is measured here, signatures are. */
static bool
key_of(void *ctx, const struct store_site *site, uint8_t key[SYNC_PUBLIC_KEY])
{
	for (uint8_t no = 1; no < 8; no++) {
		uint8_t seed[SYNC_SEED_KEY], node[STORE_NODE_ID];
		struct sync_key pair;

		memset(seed, no, sizeof seed);
		sync_key_from_seed(&pair, seed);
		sync_node_id(node, pair.public_key);
		if (memcmp(node, site->node, STORE_NODE_ID) != 0)
			continue;
		memcpy(key, pair.public_key, SYNC_PUBLIC_KEY);
		return true;
	}
	(void)ctx;
	return false;
}

static void
set_identity(struct bench_file *f, uint8_t key_no)
{
	uint8_t seed[SYNC_SEED_KEY], node[STORE_NODE_ID], epoch[STORE_EPOCH];
	struct err err;

	memset(seed, key_no, sizeof seed);
	env_rand(f->env, epoch, sizeof epoch);
	sync_key_from_seed(&f->key, seed);
	sync_node_id(node, f->key.public_key);
	bench_must(store_meta_set(f->merge, "node", node, sizeof node, &err), &err);
	bench_must(store_meta_set(f->merge, "epoch", epoch, sizeof epoch, &err), &err);
}

/* As node/init.c does it. */
static void
make_tables(struct bench_file *f, bool tracked)
{
	struct err err;

	bench_must(store_db_begin(f->merge, &err), &err);
	set_identity(f, 1);
	bench_must(facility_schema_create(f->merge, &err), &err);
	if (tracked)
		bench_must(facility_track(f->merge, false, &err), &err);
	bench_must(facility_seed(f->merge, &err), &err);
	for (size_t i = 0; tracked && facility_seeded[i] != NULL; i++)
		bench_must(store_seed_adopt(f->merge, facility_seeded[i], &err), &err);
	bench_must(store_db_commit(f->merge, &err), &err);
}

void
bench_open(struct bench_file *f, const char *name, const struct env *env, bool tracked,
           uint8_t key_no)
{
	struct err err;

	*f = (struct bench_file){ .env = env };
	snprintf(f->path, sizeof f->path, "%s/%s.db", folder, name);
	remove_file(f);
	bench_must(store_db_create(f->path, env, &err), &err);
	bench_must(store_db_open(f->path, STORE_MERGE, env, &f->merge, &err), &err);
	make_tables(f, tracked);
	set_identity(f, key_no);
	bench_must(store_db_open(f->path, STORE_LOCAL, env, &f->local, &err), &err);
	if (tracked) {
		bench_must(sync_replica_open(&f->r, f->merge, false, &err), &err);
		f->r.key_of = key_of;
	}
	bench_settle(f);
}

void
bench_close(struct bench_file *f)
{
	sync_replica_close(&f->r);
	store_db_close(f->local);
	store_db_close(f->merge);
	remove_file(f);
}

void
bench_settle(struct bench_file *f)
{
	struct err err;
	int left;

	bench_must(store_db_checkpoint(f->merge, 0, &left, &err), &err);
}

int64_t
bench_size(const struct bench_file *f)
{
	struct stat st;

	if (stat(f->path, &st) < 0) {
		perror(f->path);
		exit(1);
	}
	return st.st_size;
}

void
bench_pragma(struct bench_file *f, const char *sql)
{
	struct err err;

	bench_must(store_db_exec(f->local, sql, &err), &err);
	bench_must(store_db_exec(f->merge, sql, &err), &err);
}

/* ---- rows ---- */

static void
put_be(uint8_t *at, size_t len, uint64_t value)
{
	while (len-- > 0) {
		at[len] = (uint8_t)value;
		value >>= 8;
	}
}

struct bench_row *
bench_rows(size_t from, size_t count)
{
	static const uint8_t prefix[10] = { 0x51, 0x3e, 0xc2, 0x07, 0x9a,
		                            0x18, 0x8f, 0xd4, 0xa1, 0x6b };
	struct bench_row *rows = calloc(count, sizeof *rows);

	if (rows == NULL)
		exit(1);
	for (size_t i = 0; i < count; i++) {
		struct bench_row *row = &rows[i];
		size_t n = from + i;

		/* some thirty rows a run of the counter, as taps come */
		memcpy(row->id, prefix, sizeof prefix);
		put_be(row->id + 10, 4, n / 32 * 4000);
		put_be(row->id + 14, 2, n);
		memset(row->enrollment, 0xe0, STORE_ID);
		put_be(row->enrollment + 10, 6, n * 7 % 60);
		memset(row->by, 0xb0, STORE_ID);
		row->by[15] = (uint8_t)(n / 60 % 17);
		row->kind = 1 + (int64_t)(n % 6);
		row->at = 1772410500000 + (int64_t)n * 1700;
		row->biz_date = 20260302 + (int64_t)(n / 1000 % 20);
		row->amount = n % 3 == 0 ? 120 + (int64_t)(n % 5) * 10 : 0;
		row->code = (int64_t)(n * 2654435761U >> 28 & 3);
	}
	return rows;
}

void
bench_insert(struct bench_file *f, const struct bench_row *rows, size_t count)
{
	struct store_stmt s;
	struct err err;

	bench_must(store_db_begin(f->local, &err), &err);
	s = store_stmt_new(f->local,
	                   "INSERT INTO care_event(id, facility_id, enrollment_id, kind, at,"
	                   " biz_date, amount, code, note, recorded_by)"
	                   " VALUES (?, 'F1', ?, ?, ?, ?, ?, ?, NULL, ?)");
	for (size_t i = 0; i < count; i++) {
		store_stmt_put_blob(&s, rows[i].id, STORE_ID);
		store_stmt_put_blob(&s, rows[i].enrollment, STORE_ID);
		store_stmt_put_int(&s, rows[i].kind);
		store_stmt_put_int(&s, rows[i].at);
		store_stmt_put_int(&s, rows[i].biz_date);
		store_stmt_put_int(&s, rows[i].amount);
		store_stmt_put_int(&s, rows[i].code);
		store_stmt_put_blob(&s, rows[i].by, STORE_ID);
		bench_must(store_stmt_step(&s, &err), &err);
		store_stmt_reset(&s);
	}
	store_stmt_end(&s);
	bench_must(store_db_commit(f->local, &err), &err);
}

int64_t
bench_seal(struct bench_file *f)
{
	struct sync_sealed sealed;
	struct err err;

	bench_must(store_db_begin(f->merge, &err), &err);
	bench_must(sync_seal(&f->r, &sealed, &err), &err);
	bench_must(sync_seal_sign(&f->r, &f->key, &err), &err);
	bench_must(store_db_commit(f->merge, &err), &err);
	return sealed.changes;
}
