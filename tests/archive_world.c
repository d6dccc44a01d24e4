#include "tests/archive_world.h"

#include "store/catalog.h"
#include "sync/codec/segment.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const tables[WORLD_TABLES] = { "care_event", "growth" };

static struct err err;

#define MUST(call) ck_assert_msg((call) == 0, "%s: %s", #call, err.msg)

/* ---------------------------------------------------------------- schemas */

static void
define_table(const char *name, struct buf *out)
{
	struct store_column columns[] = { { .name = "id", .type = "BLOB", .key = 1 },
		                          { .name = "kind", .type = "TEXT" },
		                          { .name = "amount", .type = "INTEGER" } };
	struct store_schema schema = { .table = name,
		                       .kind = STORE_EVENT,
		                       .scope_prefix = "f/F-1",
		                       .scope_column = -1,
		                       .column_count = 3,
		                       .columns = columns };

	MUST(store_schema_finish(&schema, &err));
	store_schema_write(out, &schema);
}

/* In a transaction: the schema of a table, known to the stream as number index + 1. */
static const struct store_schema *
schema_of(struct archive_world *w, int stream, unsigned index, struct buf *definition)
{
	const struct store_schema *schema;
	int known;

	define_table(tables[index], definition);
	MUST(store_catalog_learn(w->db, definition->bytes, definition->len, &schema, &err));
	MUST(store_stream_schema(w->db, stream, (int)index + 1, &known, &err));
	if (known == 0)
		MUST(store_stream_schema_add(w->db, stream, (int)index + 1, schema->id, &err));
	return schema;
}

static const struct store_schema *
resolve(void *ctx, unsigned no, struct err *why)
{
	struct archive_world *w = ctx;
	const struct store_table *table;
	struct buf definition = { 0 };
	const struct store_schema *schema;

	(void)why;
	table = store_catalog_table_by_name(w->db, tables[no - 1]);
	ck_assert_ptr_nonnull(table);
	define_table(tables[no - 1], &definition);
	MUST(store_catalog_learn(w->db, definition.bytes, definition.len, &schema, &err));
	buf_free(&definition);
	return schema;
}

static int
define(void *ctx, const struct sync_definition *def, struct err *e)
{
	(void)ctx;
	(void)def;
	(void)e;
	return 0;
}

static struct sync_codec_schemas
schemas_of(struct archive_world *w)
{
	return (struct sync_codec_schemas){ .resolve = resolve, .define = define, .ctx = w };
}

/* ---------------------------------------------------------------- open and close */

void
archive_world_new_epoch(struct archive_world *w, uint8_t epoch)
{
	memset(w->site.epoch, epoch, STORE_EPOCH);
	MUST(store_db_begin(w->db, &err));
	MUST(store_meta_set(w->db, "epoch", w->site.epoch, STORE_EPOCH, &err));
	MUST(store_db_commit(w->db, &err));
}

void
archive_world_open(struct archive_world *w)
{
	uint8_t seed[SYNC_SEED_KEY];
	char path[128];

	*w = (struct archive_world){ .now_ms = WORLD_DAY * 86400000LL + 3600000 };
	snprintf(w->dir, sizeof w->dir, "/tmp/check-archive.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(w->dir));
	snprintf(path, sizeof path, "%s/yizhan.db", w->dir);
	memset(seed, 7, sizeof seed);
	sync_key_from_seed(&w->key, seed);
	memcpy(w->first_key, w->key.public_key, sizeof w->first_key);
	sync_node_id(w->site.node, w->key.public_key);
	MUST(store_db_create(path, env_real(), &err));
	MUST(store_db_open(path, STORE_MERGE, env_real(), &w->db, &err));
	MUST(store_db_exec(w->db, "PRAGMA synchronous=OFF",
	                   &err)); /* power cuts are tests of store/ */
	MUST(store_meta_set(w->db, "node", w->site.node, STORE_NODE_ID, &err));
	archive_world_new_epoch(w, 1);
}

void
archive_world_close(struct archive_world *w)
{
	store_db_close(w->db);
	ck_assert_int_eq(archive_world_shell(w, NULL, "rm -rf \"$PWD\""), 0);
}

/* ---------------------------------------------------------------- units */

static struct store_stream
stream_of(struct archive_world *w, const char *scope, struct arena *a)
{
	struct store_stream stream;
	int site, scope_id;

	MUST(store_catalog_site(w->db, w->site.node, w->site.epoch, &site, &err));
	MUST(store_catalog_scope(w->db, scope, &scope_id, &err));
	MUST(store_stream_open(w->db, site, scope_id, a, &stream, &err));
	return stream;
}

static void
make_change(struct archive_world *w, const struct store_schema *schema, struct arena *a,
            struct sync_record *out)
{
	struct store_value *values = arena_take(a, 3, sizeof *values);
	struct buf key = { 0 };
	uint8_t id[16] = { 0 };

	w->made++;
	memcpy(id, &w->made, sizeof w->made);
	values[0] = store_value_blob(arena_copy(a, id, sizeof id), sizeof id);
	values[1] = store_value_text(w->made % 3 == 0 ? "arrival" : "meal");
	values[2] = store_value_int(w->made);
	store_schema_key(schema, values, &key);
	out->type = SYNC_CHANGE;
	out->change = (struct store_change){ .schema = schema,
		                             .op = STORE_INSERT,
		                             .cl = 1,
		                             .stamp = STORE_STAMP(w->now_ms, w->made),
		                             .mask = schema->cells,
		                             .values = values,
		                             .key = arena_copy(a, key.bytes, key.len),
		                             .key_len = key.len };
	buf_free(&key);
}

/* The opening, with both definitions if it is the stream's first. */
static void
make_opening(const struct archive_unit *unit, const struct store_stream *stream,
             const struct buf definitions[WORLD_TABLES], struct arena *a, struct sync_record *out)
{
	struct sync_opening *opening = arena_take(a, 1, sizeof *opening);

	opening->kind = SYNC_PLAIN;
	opening->sealed_ms = (WORLD_DAY + unit->day) * 86400000LL + 1000;
	opening->changes = unit->changes[0] + unit->changes[1];
	opening->definitions = arena_take(a, WORLD_TABLES, sizeof *opening->definitions);
	if (stream->n == 0)
		opening->definition_count = WORLD_TABLES;
	for (unsigned i = 0; i < WORLD_TABLES; i++)
		opening->definitions[i] = (struct sync_definition){ .no = i + 1,
			                                            .bytes = definitions[i].bytes,
			                                            .len = definitions[i].len };
	out->type = SYNC_OPENING;
	out->opening = opening;
}

static void
append(struct archive_world *w, struct store_stream *stream, struct store_segment *seg,
       const char *scope)
{
	seg->stream = stream->id;
	if (seg->is_signed) {
		memcpy(seg->key, w->key.public_key, sizeof seg->key);
		sync_sign_head(&w->key, &w->site, scope, seg->last, seg->head, seg->signature);
	}
	MUST(store_segment_append(w->db, seg, &err));
	stream->n = seg->last;
	memcpy(stream->head, seg->head, STORE_HEAD);
	MUST(store_stream_put(w->db, stream, &err));
}

void
archive_world_unit(struct archive_world *w, const struct archive_unit *unit, bool is_signed)
{
	struct arena a = { 0 };
	size_t count = 1 + unit->changes[0] + unit->changes[1], at = 1;
	struct sync_record *records = arena_take(&a, count, sizeof *records);
	const struct store_schema *schemas[WORLD_TABLES];
	struct buf definitions[WORLD_TABLES] = { { 0 } };
	struct sync_segment_at place;
	struct store_segment seg;
	struct store_stream stream;

	MUST(store_db_begin(w->db, &err));
	stream = stream_of(w, unit->scope, &a);
	for (unsigned i = 0; i < WORLD_TABLES; i++)
		schemas[i] = schema_of(w, stream.id, i, &definitions[i]);
	make_opening(unit, &stream, definitions, &a, &records[0]);
	for (unsigned i = 0; i < WORLD_TABLES; i++)
		for (unsigned j = 0; j < unit->changes[i]; j++, at++) {
			make_change(w, schemas[i], &a, &records[at]);
			records[at].schema_no = i + 1;
		}
	place.n = stream.n;
	memcpy(place.head, stream.head, STORE_HEAD);
	memset(place.seed, 0x40 + unit->day, STORE_SEED);
	MUST(sync_segment_build(&place, records, count, &a, &seg, &err));
	seg.day = WORLD_DAY + unit->day;
	seg.sealed_ms = records[0].opening->sealed_ms;
	seg.is_signed = is_signed;
	append(w, &stream, &seg, unit->scope);
	MUST(store_db_commit(w->db, &err));
	for (unsigned i = 0; i < WORLD_TABLES; i++)
		buf_free(&definitions[i]);
	arena_free(&a);
}

/* ---------------------------------------------------------------- what happens to segments */

void
archive_world_roll_up(struct archive_world *w, const char *scope, uint64_t first, uint64_t last)
{
	struct sync_codec_schemas schemas = schemas_of(w);
	struct store_segment segs[64], whole;
	struct sync_segment_line line;
	struct arena a = { 0 };
	struct store_stream stream;
	size_t count = 0;

	MUST(store_db_begin(w->db, &err));
	stream = stream_of(w, scope, &a);
	for (uint64_t n = first; n <= last; n = segs[count++].last + 1) {
		ck_assert_uint_lt(count, 64);
		MUST(store_segment_at(w->db, stream.id, n, &a, &segs[count], &err));
	}
	line = (struct sync_segment_line){
		.segs = segs, .count = count, .from = first, .to = last
	};
	MUST(sync_segment_cut(&line, &schemas, &a, &whole, &err));
	whole.stream = stream.id;
	MUST(store_segment_replace(w->db, &whole, &err));
	MUST(store_db_commit(w->db, &err));
	arena_free(&a);
}

void
archive_world_redact(struct archive_world *w, const char *scope, uint64_t n)
{
	struct sync_codec_schemas schemas = schemas_of(w);
	struct sync_segment_which which = { .list = &n, .count = 1 };
	struct store_segment seg, redacted;
	struct arena a = { 0 };
	struct store_stream stream;

	MUST(store_db_begin(w->db, &err));
	stream = stream_of(w, scope, &a);
	MUST(store_segment_at(w->db, stream.id, n, &a, &seg, &err));
	MUST(sync_segment_redact(&seg, &which, &schemas, &a, &redacted, &err));
	redacted.stream = stream.id;
	MUST(store_segment_replace(w->db, &redacted, &err));
	MUST(store_db_commit(w->db, &err));
	arena_free(&a);
}

/* ---------------------------------------------------------------- rounds */

static const char *
label(void *ctx, const char *table)
{
	(void)ctx;
	return strcmp(table, "care_event") == 0 ? "attendance" : NULL;
}

struct sync_archive_job
archive_world_job(const struct archive_world *w)
{
	return (struct sync_archive_job){ .dir = w->dir,
		                          .key = &w->key,
		                          .name = "Sunflower House",
		                          .now_ms = w->now_ms,
		                          .label = label };
}

size_t
archive_world_round(struct archive_world *w)
{
	struct sync_archive_job job = archive_world_job(w);

	MUST(sync_archive_now(w->db, &job, &w->result, &err));
	w->now_ms += 3600000;
	return w->result.commits;
}

void
archive_world_sql(struct archive_world *w, const char *sql)
{
	MUST(store_db_exec(w->db, sql, &err));
}

/* In the child: a shell in the folder whose output goes to `out`. */
static _Noreturn void
run_shell(const struct archive_world *w, int out, const char *command)
{
	char git[256];

	snprintf(git, sizeof git,
	         "git -C %s/archive.git -c gpg.ssh.allowedSignersFile=%s/allowed_signers", w->dir,
	         w->dir);
	setenv("GIT", git, 1);
	setenv("HOME", w->dir, 1);
	setenv("GIT_CONFIG_NOSYSTEM", "1", 1);
	if (chdir(w->dir) == 0 && dup2(out, STDOUT_FILENO) >= 0 && dup2(out, STDERR_FILENO) >= 0)
		execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

int
archive_world_shell(const struct archive_world *w, struct buf *out, const char *command)
{
	char chunk[4096];
	int ends[2], status;
	ssize_t len;
	pid_t pid;

	ck_assert_int_eq(pipe(ends), 0);
	pid = fork();
	if (pid == 0)
		run_shell(w, ends[1], command);
	ck_assert_int_gt(pid, 0);
	close(ends[1]);
	while ((len = read(ends[0], chunk, sizeof chunk)) > 0)
		if (out != NULL)
			buf_put(out, chunk, (size_t)len);
	close(ends[0]);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* ---------------------------------------------------------------- claims */

void
archive_world_expect(const struct archive_world *w, const char *command, const char *want)
{
	struct buf out = { 0 };
	int status = archive_world_shell(w, &out, command);

	ck_assert_msg(status == 0, "%s: status %d: %s", command, status, buf_str(&out));
	if (want != NULL)
		ck_assert_str_eq(buf_str(&out), want);
	buf_free(&out);
}

void
archive_world_expect_git(const struct archive_world *w, size_t commits)
{
	char count[16];

	archive_world_expect(w, "$GIT fsck --strict --no-dangling", NULL);
	archive_world_expect(w,
	                     "for c in $($GIT rev-list --glob=refs/heads/proof); do"
	                     " $GIT verify-commit $c || exit 1; done",
	                     NULL);
	snprintf(count, sizeof count, "%zu\n", commits);
	archive_world_expect(w, "$GIT rev-list --count --glob=refs/heads/proof", count);
}

struct findings {
	const struct archive_world *world;
	struct buf text;
};

static bool
is_key(void *ctx, const struct sync_site *site, const uint8_t key[SYNC_PUBLIC_KEY])
{
	const struct findings *f = ctx;
	uint8_t second[SYNC_SEED_KEY] = { 9 };
	struct sync_key later;

	ck_assert_mem_eq(site->node, f->world->site.node, STORE_NODE_ID);
	sync_key_from_seed(&later, second);
	return memcmp(key, later.public_key, SYNC_PUBLIC_KEY) == 0 ||
	       memcmp(key, f->world->first_key, SYNC_PUBLIC_KEY) == 0;
}

static void
keep(void *ctx, const struct sync_archive_problem *problem)
{
	struct findings *f = ctx;

	buf_printf(&f->text, "%s | %s | %s\n", problem->where, problem->what, problem->todo);
}

void
archive_world_expect_verify(const struct archive_world *w, const char *words)
{
	struct findings f = { .world = w };
	struct sync_archive_check check = { .tell = keep,
		                            .is_key = w->rotated ? is_key : NULL,
		                            .ctx = &f };

	MUST(sync_archive_verify(w->db, w->dir, &check, &err));
	if (words == NULL)
		ck_assert_msg(check.problems == 0, "%s", buf_str(&f.text));
	else
		ck_assert_msg(check.problems > 0 && strstr(buf_str(&f.text), words) != NULL,
		              "not '%s' but: %s", words, buf_str(&f.text));
	buf_free(&f.text);
}

void
archive_world_three_days(struct archive_world *w)
{
	static const struct {
		struct archive_unit unit;
		bool round; /* a round follows */
	} days[] = { { { "f/F-1", 0, { 3, 1 } }, true },
		     { { "f/F-1", 0, { 2, 0 } }, false },
		     { { "all", 0, { 0, 1 } }, true },
		     { { "f/F-1", 1, { 4, 0 } }, true },
		     { { "f/F-1", 2, { 1, 5 } }, true } };

	for (size_t i = 0; i < sizeof days / sizeof *days; i++) {
		archive_world_unit(w, &days[i].unit, true);
		if (days[i].round)
			ck_assert_uint_eq(archive_world_round(w), 1);
	}
}
