/*
 * cli/track.h - the command `track`, for a line of a schema file that says it.
 */
#ifndef CLI_TRACK_H
#define CLI_TRACK_H

#include "cli/cmd.h"

/* Do what a parsed `track TABLE ...` says, in the open transaction. */
MUST_CHECK int cli_track(const struct cli *cli, struct store_db *db, struct err *err);

#endif /* CLI_TRACK_H */
