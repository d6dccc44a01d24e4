/*
 * cli/alter.h - `schema plan FILE` and `schema apply FILE`.
 */
#ifndef CLI_ALTER_H
#define CLI_ALTER_H

#include "cli/cmd.h"

/* Run the schema file `path` and tell what it does; undo it unless `apply`.  The exit code. */
int cli_alter(const struct cli *cli, const char *path, bool apply);

#endif /* CLI_ALTER_H */
