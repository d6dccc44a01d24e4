/*
 * cli/seats.h - what the parts of the command `seats` share.
 */
#ifndef CLI_SEATS_H
#define CLI_SEATS_H

#include "cli/cmd.h"
#include "node/facility/seats.h"

/* `seats list [FACILITY]` (cli_run_sub): a line for each kind and holder. */
MUST_CHECK int seats_list_print(const struct cli *cli, struct store_db *db, struct arena *a,
                                struct buf *out, struct err *err);

#endif /* CLI_SEATS_H */
