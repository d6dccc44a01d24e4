/*
 * cli/hub.h - what the commands of a hub share.
 */
#ifndef CLI_HUB_H
#define CLI_HUB_H

#include "cli/cmd.h"

/* Open DIR's database as a hub's; ERR_INVALID with a sentence if it is a facility's node. */
MUST_CHECK int cli_hub_open(const struct cli *cli, struct store_db **db, struct err *err);

#endif /* CLI_HUB_H */
