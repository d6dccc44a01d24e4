/*
 * cli/cmd_demo.c - the story: a day in a district; at 08:30 parents ask the hub for
 * leave; from 10:00 to 15:30 the second
 * facility's line is down and it works on; meanwhile hub and facility write the
 * same cell; the line returns, everything meets, a person decides.
 */
#include "cli/cmd.h"
#include "cli/demo.h"
#include "node/facility/date.h"
#include "store/base/text.h"
#include "store/stmt.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	SPEED = 1600, /* seconds of the day in one of ours */
	TURN_MS = 100,
	OPENS = 7 * 60,
	CLOSES = 20 * 60 + 30,
	ASK = 8 * 60 + 30,
	CUT = 10 * 60,
	EDIT = 11 * 60,
	HEALED = 15 * 60 + 30,
	AGREE_MS = 60000,
	QUIET_MS = 5000, /* between boards where there is no terminal */
};

struct story {
	struct demo d;
	bool edited, terminal;
	int64_t shown_ms; /* monotonic, of the last board; 0: none */
};

static volatile sig_atomic_t stopped;

static void
on_signal(int signal)
{
	stopped = signal;
}

static int64_t
mono(void)
{
	return env_mono_ms(env_real());
}

/* Text that begins on a line of its own, below the board. */
static void
say(struct story *s, const char *text)
{
	printf("%s\n", text);
	s->shown_ms = 0;
}

/* ---- the two edits of one cell ---- */

static int
edit(struct demo_place *p, const char *note, const char *id, struct err *err)
{
	char sql[256];
	const char *const words[] = { "sql", sql, NULL };
	struct buf out = { 0 };
	int rc;

	snprintf(sql, sizeof sql, "UPDATE child SET note = '%s' WHERE id = x'%s'", note, id);
	rc = demo_do(p, words, 0, &out, err);
	buf_free(&out);
	return rc;
}

static int
edit_both(struct story *s, struct err *err)
{
	struct demo_place *p = &s->d.places[1];
	struct store_stmt q = store_stmt_new(p->db, "SELECT id FROM child ORDER BY id LIMIT 1");
	char id[2 * STORE_ID + 1] = "";
	int rc = store_stmt_step(&q, err);

	if (rc == 1) {
		size_t len;
		const uint8_t *bytes = store_stmt_get_blob(&q, &len);

		text_hex(id, bytes, len < STORE_ID ? len : STORE_ID);
	}
	store_stmt_end(&q);
	if (rc <= 0)
		return rc;
	rc = edit(p, "午睡要抱小熊", id, err);
	if (rc == 0)
		rc = edit(&s->d.hub, "妈妈来电：今天不午睡", id, err);
	if (rc == 0)
		say(s, "11:00  facility 2 and the hub write the same child's note, and neither "
		       "knows of the other");
	return rc;
}

/* ---- the day ---- */

/* By itself the node would try again within five minutes, which here would be the rest of the
 * day; the day's people are told at once. */
static int
heal(struct story *s, struct err *err)
{
	static const char *const words[] = { "sync", NULL };
	struct buf out = { 0 };
	int rc;

	rc = demo_waiting(&s->d.places[1], &s->d.waited, err);
	if (rc < 0)
		return rc;
	demo_relay_cut(s->d.relay, false);
	s->d.healed_ms = mono();
	say(s, "15:30  the line is back, and facility 2 syncs");
	rc = demo_do(&s->d.places[1], words, CLI_UNREACHABLE, &out,
	             err); /* an old try may end now */
	if (rc == 0)
		printf("       %s", buf_str(&out));
	buf_free(&out);
	return rc < 0 ? rc : 0;
}

/* The one scene that comes from above; the answers go up again. */
static int
ask_for_leave(struct story *s, int64_t now, struct err *err)
{
	struct demo *d = &s->d;
	int rc = 0;

	if (!d->asked && date_minute(now, 8 * 60) >= ASK) {
		rc = demo_ask_leave(d, err);
		if (rc == 0)
			say(s, "08:30  parents ask for leave in their app: the hub takes it and "
			       "the facilities answer");
	}
	for (int i = 0; rc == 0 && d->asked && i < d->count; i++)
		rc = demo_answer_leave(&d->places[i], now, err);
	return rc;
}

static int
turn_line(struct story *s, int minute, struct err *err)
{
	struct demo *d = &s->d;

	if (d->relay == NULL)
		return 0;
	if (d->cut_ms == 0 && minute >= CUT) {
		demo_relay_cut(d->relay, true);
		d->cut_ms = mono();
		say(s, "10:00  the line of facility 2 is cut; the children don't notice");
	}
	if (!s->edited && minute >= EDIT) {
		s->edited = true;
		return edit_both(s, err);
	}
	if (d->healed_ms == 0 && minute >= HEALED)
		return heal(s, err);
	return 0;
}

static int
show(struct story *s, int64_t day_ms, struct err *err)
{
	int rc;

	if (s->shown_ms != 0 && mono() - s->shown_ms < (s->terminal ? 400 : QUIET_MS))
		return 0;
	rc = demo_board(&s->d, day_ms,
	                !s->terminal       ? DEMO_PLAIN
	                : s->shown_ms == 0 ? DEMO_BELOW
	                                   : DEMO_OVER,
	                err);
	s->shown_ms = mono();
	return rc;
}

/* All that happens until this moment of the day. */
static int
live_until(struct story *s, int64_t now, int64_t evening, struct err *err)
{
	int64_t shown = now < evening ? now : evening;
	int rc = 0;

	for (int i = 0; rc == 0 && i < s->d.count; i++)
		rc = demo_play(&s->d.places[i], now, err);
	if (rc == 0)
		rc = ask_for_leave(s, shown, err);
	if (rc == 0)
		rc = turn_line(s, date_minute(shown, 8 * 60), err);
	return rc == 0 ? show(s, shown, err) : rc;
}

static int
live_a_day(struct story *s, struct err *err)
{
	int64_t morning = date_ms(s->d.date, OPENS, 8 * 60),
	        evening = date_ms(s->d.date, CLOSES, 8 * 60);
	int64_t start = mono(), now = morning;
	int rc = 0;

	while (rc == 0 && now < evening && stopped == 0) {
		now = morning + (mono() - start) * s->d.speed;
		rc = live_until(s, now, evening, err);
		usleep(TURN_MS * 1000);
	}
	return rc;
}

static int
wait_until_agreed(struct story *s, struct err *err)
{
	int64_t until = mono() + AGREE_MS;
	bool agree = false;
	int rc = 0;

	while (rc == 0 && !agree && stopped == 0) {
		rc = demo_agree(&s->d, &agree, err);
		if (rc == 0 && !agree && mono() > until)
			rc = err_set(err, ERR_BUSY,
			             "the facilities and the hub did not agree within %d s",
			             AGREE_MS / 1000);
		if (rc == 0 && !agree)
			usleep(TURN_MS * 1000);
	}
	return rc;
}

/* ---- the conflict ---- */

static int
resolve(struct story *s, struct err *err)
{
	struct demo_place *p = &s->d.places[1];
	const char *const list[] = { "conflicts", "list", NULL };
	char id[2 * STORE_CONFLICT_ID + 1];
	const char *const take[] = { "conflicts", "resolve", id, "--take", "other", NULL };
	struct store_conflict *open;
	struct arena a = { 0 };
	struct buf out = { 0 };
	size_t count = 0;
	int rc = store_inbox_list(p->db, true, &a, &open, &count, err);

	if (rc == 0 && count == 0)
		rc = err_set(err, ERR_INVALID, "two people wrote one cell and nobody was told");
	if (rc == 0)
		rc = demo_do(p, list, 4, &out, err);
	if (rc >= 0) {
		printf("\nTwo people wrote one cell; facility 2 sees:\n%s", buf_str(&out));
		rc = 0;
	}
	for (size_t i = 0; rc == 0 && i < count; i++) {
		buf_clear(&out);
		text_hex(id, open[i].id, STORE_CONFLICT_ID);
		rc = demo_do(p, take, 0, &out, err);
		printf("%s", buf_str(&out));
	}
	buf_free(&out);
	arena_free(&a);
	return rc;
}

/* The verdict travels like any record: the hub's entry closes too. */
static int
wait_until_closed(struct story *s, struct err *err)
{
	int64_t until = mono() + AGREE_MS, open = 1;
	int rc = 0;

	while (rc == 0 && open > 0 && stopped == 0) {
		rc = store_stmt_int(s->d.hub.db,
		                    "SELECT count(*) FROM yz_conflict WHERE state = 'open'", 0,
		                    &open, err);
		if (rc == 0 && open > 0 && mono() > until)
			rc = err_set(err, ERR_BUSY, "the verdict did not reach the hub within %d s",
			             AGREE_MS / 1000);
		if (open > 0)
			usleep(TURN_MS * 1000);
	}
	return rc;
}

/* ---- the whole ---- */

static int
tell(struct story *s, struct err *err)
{
	int64_t evening = date_ms(s->d.date, CLOSES, 8 * 60);
	int rc = live_a_day(s, err);

	if (rc == 0)
		rc = wait_until_agreed(s, err);
	if (rc == 0) /* what a slow machine has brought down only now */
		rc = ask_for_leave(s, evening, err);
	if (rc == 0 && s->edited)
		rc = resolve(s, err);
	if (rc == 0 && s->edited)
		rc = wait_until_closed(s, err);
	if (rc == 0)
		rc = wait_until_agreed(s, err);
	if (rc == 0 && stopped == 0)
		rc = demo_sum(&s->d, err);
	return rc;
}

static void
keep(struct story *s)
{
	printf("\nIt goes on running: open http://%s, or try\n  yizhan -C %s status\nCtrl-C ends "
	       "it.\n",
	       s->d.places[0].address, s->d.places[0].dir);
	fflush(stdout);
	while (stopped == 0)
		pause();
}

static int
run(struct cli *cli)
{
	static int64_t facility_range[2] = { 1, DEMO_PLACES }, seed_range[2] = { 0, INT64_MAX },
	               speed_range[2] = { 60, 100000 };
	struct story *s = calloc(1, sizeof *s);
	int64_t facilities = 0, seed = 0, speed = 0;
	struct err err;
	int rc;

	if (s == NULL)
		return CLI_FAILED;
	rc = cli_option_int(cli, "facilities", 3, facility_range, &facilities, &err);
	if (rc == 0)
		rc = cli_option_int(cli, "seed", 1, seed_range, &seed, &err);
	if (rc == 0)
		rc = cli_option_int(cli, "speed", SPEED, speed_range, &speed, &err);
	if (rc < 0) {
		free(s);
		return cli_fail_as(cli, CLI_USAGE, &err);
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	s->terminal = isatty(STDOUT_FILENO) != 0;
	rc = demo_begin(&s->d, (int)facilities, (uint64_t)seed, &err);
	s->d.speed = speed;
	if (rc == 0)
		rc = tell(s, &err);
	if (rc == 0 && cli_option(cli, "keep") != NULL && stopped == 0)
		keep(s);
	if (rc == 0)
		printf(stopped != 0 ? "\nstopped\n"
		                    : "\nEverything the facilities wrote is at the hub, and "
		                      "nothing was lost.\n");
	demo_end(&s->d);
	rc = rc < 0 ? cli_fail(cli, &err) : CLI_OK;
	free(s);
	return rc;
}

static const struct cmd_option options[] = {
	{ "facilities", "N", "how many (3)" },
	{ "seed", "S", "another day of other people" },
	{ "speed", "X", "seconds of the day in one of ours (1600)" },
	{ "keep", NULL, "leave it running afterwards" },
	{ 0 },
};

const struct cmd cmd_demo = {
	.name = "demo",
	.args = "",
	.help = "a district on this machine: a day, an outage, the healing",
	.options = options,
	.run = run,
};
