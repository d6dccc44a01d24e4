/*
 * cli/hub.h - what the commands of a hub share.
 */
#ifndef CLI_HUB_H
#define CLI_HUB_H

#include "cli/cmd.h"

/* A word of a hub's command, `yizhan token list`: how many operands, itself among them, and what it
 * does; what it prints goes to `out`. */
struct cli_word {
	const char *name;
	int args;
	int (*does)(const struct cli *, struct store_db *, struct buf *out, struct err *);
	const char *usage; /* what is said to who gives others */
};

/* The word that the line gives; NULL if it can't be, and *code is what has been answered. */
const struct cli_word *cli_hub_word(const struct cli *cli, const struct cli_word *words,
                                    size_t count, int *code);

/* Open the hub, do it, print; the exit code. */
int cli_hub_run(const struct cli *cli, const struct cli_word *word);

/* Open DIR's database as a hub's; ERR_INVALID with a sentence if it is a facility's node. */
MUST_CHECK int cli_hub_open(const struct cli *cli, struct store_db **db, struct err *err);

#endif /* CLI_HUB_H */
