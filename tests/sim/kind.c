/* tests/sim/kind.c - the table of what can happen. */
#include "tests/sim/kind.h"

#include <stddef.h>
#include <string.h>

const struct sim_kind_info sim_kinds[SIM_KINDS] = {
	[SIM_DAY] = { "day", SIM_NODES, 10, 850, false, NULL },
	[SIM_FRESH] = { "fresh", SIM_NODES, 80, 800, false, NULL },
	[SIM_EDIT] = { "edit", SIM_NODES, 120, 800, false, NULL },
	[SIM_GROUP] = { "group", SIM_NODES, 60, 600, false, NULL },
	[SIM_RAISE] = { "raise", SIM_ANY, 60, 600, false, NULL },
	[SIM_DELETE] = { "delete", SIM_ANY, 40, 600, false, NULL },
	[SIM_DAILY] = { "daily", SIM_NODES, 80, 600, false, NULL },
	[SIM_CORRECT] = { "correct", SIM_NODES, 60, 600, false, NULL },
	[SIM_BULK] = { "bulk", SIM_NODES, 4, 300, false, NULL },
	[SIM_HEAVY] = { "heavy", SIM_NODES, 1, 150, false, NULL },
	[SIM_READER] = { "reader", SIM_ANY, 20, 300, false, NULL },
	[SIM_AT_HUB] = { "at-hub", SIM_NODES, 40, 700, false, NULL },
	[SIM_BOTH] = { "both", SIM_NODES, 20, 600, false, NULL },
	[SIM_RESOLVE] = { "resolve", SIM_ANY, 20, 500, false, NULL },
	[SIM_COLUMN] = { "column", SIM_ANY, 4, 350, false, NULL },
	[SIM_SHARE] = { "share", SIM_HUB, 40, 250, false, NULL },
	[SIM_CHILD] = { "child", SIM_NODES, 80, 250, false, NULL },
	[SIM_LINE_CUT] = { "line-cut", SIM_NODES, 5, 400, true, NULL },
	[SIM_HUB_AWAY] = { "hub-away", SIM_HUB, 4, 400, true, NULL },
	[SIM_LOSE_REQUEST] = { "lose-request", SIM_NODES, 40, 500, true, NULL },
	[SIM_LOSE_REPLY] = { "lose-reply", SIM_NODES, 40, 600, true, NULL },
	[SIM_DELAY] = { "delay", SIM_NODES, 40, 500, true, NULL },
	[SIM_DUPLICATE] = { "duplicate", SIM_NODES, 30, 500, true, NULL },
	[SIM_REPLAY] = { "replay", SIM_NODES, 30, 500, true, NULL },
	[SIM_OLD_REPLY] = { "old-reply", SIM_NODES, 20, 400, true, NULL },
	[SIM_TRUNCATE] = { "truncate", SIM_NODES, 30, 500, true, NULL },
	[SIM_FLIP] = { "flip", SIM_NODES, 30, 500, true, NULL },
	[SIM_PORTAL] = { "portal", SIM_NODES, 20, 400, true, NULL },
	[SIM_ONE_WAY] = { "one-way", SIM_NODES, 5, 400, true, NULL },
	[SIM_GARBLE_REQUEST] = { "garble-request", SIM_NODES, 20, 400, true, NULL },
	[SIM_GARBLE_REPLY] = { "garble-reply", SIM_NODES, 20, 400, true, NULL },
	[SIM_CROWD] = { "crowd", SIM_HUB, 6, 300, true, NULL },
	[SIM_STEP] = { "step", SIM_ANY, 8, 400, true, NULL },
	[SIM_DRIFT] = { "drift", SIM_ANY, 8, 400, true, NULL },
	[SIM_YEAR_1970] = { "year-1970", SIM_NODES, 2, 300, true, NULL },
	[SIM_SUSPEND] = { "suspend", SIM_NODES, 6, 400, true, NULL },
	[SIM_RESTART] = { "restart", SIM_ANY, 3, 500, true, NULL },
	[SIM_KILL] = { "kill", SIM_ANY, 5, 600, true, NULL },
	[SIM_POWER] = { "power", SIM_ANY, 5, 500, true, NULL },
	[SIM_DISK_FULL] = { "disk-full", SIM_ANY, 3, 300, true, NULL },
	[SIM_LIE] = { "lie", SIM_ANY, 4, 200, true, NULL },
	[SIM_ROT] = { "rot", SIM_NODES, 4, 200, true, NULL },
	[SIM_MOVE] = { "move", SIM_ANY, 2, 300, true, NULL },
	[SIM_REGRANT] = { "regrant", SIM_NODES, 4, 300, true, NULL },
	[SIM_FORGET] = { "forget", SIM_NODES, 3, 250, true, NULL },
	[SIM_RESTORE] = { "restore", SIM_NODES, 3, 300, true, NULL },
	[SIM_CLONE] = { "clone", SIM_NODES, 2, 200, true, NULL },
	[SIM_HUB_RESTORE] = { "hub-restore", SIM_HUB, 2, 200, true, NULL },
	[SIM_FAR_AHEAD] = { "far-ahead", SIM_NODES, 2, 200, true, NULL },
	[SIM_THIEF] = { "thief", SIM_NODES, 10, 200, true, NULL },
};

static const char *const did[] = {
	"met",           "second-trip",      "timeout",
	"nonce-asked",   "grant-shown",      "request-refused",
	"reply-refused", "backed-off",       "recovered",
	"stopped",       "tap-refused",      "conflict-open",
	"same-epoch",    "new-epoch",        "converged",
	"late-reply",    "pulled",           "said-waiting",
	"said-in-sync",  "said-unreachable", "said-attention",
	"digest-uneven", "clock-corrected",  "stamped-anew",
	"went-back",     "back-unseen",      "bit-turned",
	"rot-healed",    "rot-unread",       "seen-by-two",
	"has-left",      "passed-on",        "thief-refused",
};

_Static_assert(sizeof did / sizeof did[0] == SIM_COUNTS - SIM_KINDS, "a word for each");

enum sim_kind
sim_kind_find(const char *name)
{
	int kind = 0;

	while (kind < SIM_KINDS && strcmp(sim_kinds[kind].name, name) != 0)
		kind++;
	return (enum sim_kind)kind;
}

const char *
sim_count_name(unsigned count)
{
	return count < SIM_KINDS ? sim_kinds[count].name : did[count - SIM_KINDS];
}

bool
sim_count_wanted(unsigned count)
{
	return count >= SIM_KINDS || sim_kinds[count].off == NULL;
}
