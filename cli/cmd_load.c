/*
 * cli/cmd_load.c - a fleet returns to its hub with days of records each: what does
 * the hub bear on this machine?
 */
#include "cli/cmd.h"
#include "cli/load.h"
#include "store/base/json.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { NODES = 8, DAYS = 1, LIMIT_S = 3600 };

static volatile sig_atomic_t stop;

static void
on_signal(int signal)
{
	stop = signal;
}

static bool
is_stopped(void)
{
	return stop != 0;
}

/* What the nodes come to together. */
struct sums {
	int64_t changes;
	size_t drained, level;
	int64_t median_ms, slowest_ms;
	struct link_cost cost;
	const struct load_node *failed; /* the first that didn't; NULL: all did */
};

static int
by_time(const void *left, const void *right)
{
	const struct load_node *a = left, *b = right;

	return a->drained_ms < b->drained_ms ? -1 : a->drained_ms > b->drained_ms;
}

/* Sorts the nodes by their time. */
static struct sums
add_up(struct load *l)
{
	struct sums s = { 0 };

	qsort(l->nodes, l->count, sizeof *l->nodes, by_time);
	for (size_t i = 0; i < l->count; i++) {
		const struct load_node *n = &l->nodes[i];

		s.changes += n->changes;
		s.drained += n->drained_ms >= 0;
		s.level += n->level;
		s.cost.bytes_out += n->cost.bytes_out;
		s.cost.bytes_in += n->cost.bytes_in;
		s.cost.round_trips += n->cost.round_trips;
		s.cost.busy += n->cost.busy;
		s.cost.refused += n->cost.refused;
		s.cost.lost += n->cost.lost;
		if (n->drained_ms < 0 && s.failed == NULL)
			s.failed = n;
	}
	s.median_ms = l->nodes[l->count / 2].drained_ms;
	s.slowest_ms = l->nodes[l->count - 1].drained_ms;
	return s;
}

static double
ratio(int64_t a, int64_t b)
{
	return b <= 0 ? 0 : (double)a / (double)b;
}

struct figure {
	const char *name;
	int64_t value;
	const char *words; /* what it is, for people */
};

static void
tell(const struct cli *cli, const struct load *l, const struct sums *s, struct buf *out)
{
	const struct figure figures[] = {
		{ "nodes", (int64_t)l->count, "nodes" },
		{ "days", l->days, "days of records each" },
		{ "changes", s->changes, "changes went up" },
		{ "took_ms", l->took_ms, "ms from the first request to the last node" },
		{ "median_ms", s->median_ms, "ms until half of the nodes were done" },
		{ "slowest_ms", s->slowest_ms, "ms until the last was" },
		{ "round_trips", s->cost.round_trips, "round trips" },
		{ "bytes_out", (int64_t)s->cost.bytes_out, "bytes up" },
		{ "bytes_in", (int64_t)s->cost.bytes_in, "bytes down" },
		{ "busy", s->cost.busy, "answers 429 or 503: come again later" },
		{ "refused", s->cost.refused, "other refusals" },
		{ "lost", s->cost.lost, "answers that didn't arrive whole" },
		{ "healthz", l->asked, "times the hub was asked how it is" },
		{ "healthz_unanswered", l->unanswered, "of them without an answer" },
		{ "healthz_slowest_ms", l->slowest_answer_ms, "ms for the slowest answer" },
		{ "hub_peak_kib", l->hub_peak_kib, "KiB of memory at the hub, at most" },
		{ "drained", (int64_t)s->drained, "nodes have nothing that waits" },
		{ "level", (int64_t)s->level, "hold exactly what the hub holds" },
	};
	struct json j = json_to(out);

	if (cli->json)
		json_object(&j);
	for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++) {
		if (cli->json) {
			json_name(&j, figures[i].name);
			json_int(&j, figures[i].value);
		} else {
			buf_printf(out, "%10lld %s\n", (long long)figures[i].value,
			           figures[i].words);
		}
	}
	if (cli->json) {
		json_end_object(&j);
		buf_u8(out, '\n');
		return;
	}
	buf_printf(out, "%10.0f changes a second; the slowest node took %.2f times the median\n",
	           1000 * ratio(s->changes, l->took_ms), ratio(s->slowest_ms, s->median_ms));
}

static int
measure(const struct cli *cli, struct load *l, struct err *err)
{
	struct buf out = { 0 };
	struct sums s;
	int code, rc = load_make(l, err);

	if (rc == 0)
		rc = load_drain(l, (int64_t)LIMIT_S * 1000, err);
	if (rc == 0)
		rc = load_level(l, err);
	if (rc == 0 && is_stopped())
		rc = err_set(err, ERR_BUSY, "stopped before the end");
	if (rc < 0)
		return cli_fail(cli, err);
	s = add_up(l);
	tell(cli, l, &s, &out);
	code = cli_print(cli, &out);
	if (code == CLI_OK && s.failed != NULL) {
		err_set(err, ERR_IO, "%zu of %zu nodes were not drained; %s: %s",
		        l->count - s.drained, l->count, s.failed->facility, s.failed->err.msg);
		return cli_fail(cli, err);
	}
	if (code == CLI_OK && s.level < l->count) {
		err_set(err, ERR_IO, "%zu of %zu nodes don't hold what the hub holds",
		        l->count - s.level, l->count);
		return cli_fail(cli, err);
	}
	return code;
}

static int
run(struct cli *cli)
{
	static int64_t nodes_range[2] = { 1, LOAD_NODES_MAX }, days_range[2] = { 1, LOAD_DAYS_MAX },
	               seed_range[2] = { 0, INT64_MAX };
	struct load l = { .stopped = is_stopped };
	int64_t nodes = 0, days = 0, seed = 0;
	struct err err;
	int code, rc = cli_option_int(cli, "nodes", NODES, nodes_range, &nodes, &err);

	if (rc == 0)
		rc = cli_option_int(cli, "days", DAYS, days_range, &days, &err);
	if (rc == 0)
		rc = cli_option_int(cli, "seed", 1, seed_range, &seed, &err);
	if (rc < 0)
		return cli_fail_as(cli, CLI_USAGE, &err);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	l.count = (size_t)nodes;
	l.days = (int)days;
	l.seed = (uint64_t)seed;
	code = measure(cli, &l, &err);
	load_end(&l);
	return code;
}

static const struct cmd_option options[] = {
	{ "nodes", "N", "how many come at once (8)" },
	{ "days", "D", "days of records that each brings (1)" },
	{ "seed", "S", "other people, other days" },
	{ 0 },
};

const struct cmd cmd_load = {
	.name = "load",
	.args = "",
	.help = "a fleet returns to its hub on this machine: how long, how fair, how much memory",
	.options = options,
	.json = true,
	.run = run,
};
