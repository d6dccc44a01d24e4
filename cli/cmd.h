/*
 * cli/cmd.h - what a command is, and what every command needs.
 *
 * One file cmd_<name>.c defines one struct cmd; main.c lists them.  From that
 * table come the usage text, `yizhan help`, the manual's list of commands and
 * the parsing of options, so none of them can disagree.
 *
 * A command answers with an exit code that scripts may rely on, and with its
 * result on standard output: for people, or as one JSON document with --json.
 * What went wrong is one sentence that says what happened and what to do: on
 * standard error, or with --json {"error":{"code","message","do"}} on standard
 * output.
 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/db.h"

#include <stdbool.h>
#include <stddef.h>

/* Exit codes; documented in packaging/man/yizhan.1.scd. */
enum {
	CLI_OK = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_UNREACHABLE = 3, /* the peer doesn't answer */
	CLI_ATTENTION = 4,   /* needs a person */
	CLI_PARTLY = 5,      /* some of it was rejected */
};

enum { CLI_OPTIONS_MAX = 16, CLI_PATH_MAX = 4096 };

struct cmd_option {
	const char *name; /* without the dashes */
	const char *arg;  /* what its value is called; NULL: it takes none */
	const char *help; /* one line, no full stop */
};

struct cli;

struct cmd {
	const char *name;
	const char *args;                 /* operands and sub-commands, for the usage text */
	const char *help;                 /* one line, no full stop */
	const struct cmd_option *options; /* ended by a NULL name; NULL if there are none */
	bool json;                        /* takes --json */
	int min, max;                     /* operands; max -1: any number */
	int (*run)(struct cli *cli);
};

/* One call of a command, parsed. */
struct cli {
	const char *dir; /* -C, else YIZHAN_DIR, else "." */
	const struct cmd *cmd;
	bool json;
	int argc; /* operands */
	char **argv;
	size_t given_count;
	struct cli_given {
		const char *name;
		const char *value; /* "" if the option takes none */
	} given[CLI_OPTIONS_MAX];
};

/* The commands in the order of the usage text, ended by NULL. */
extern const struct cmd *const cli_commands[];

/* The value of an option's last occurrence; NULL if it wasn't given. */
const char *cli_option(const struct cli *cli, const char *name);

/* The value of its occurrence `i` = 0, 1, 2 ...; NULL if there are fewer. */
const char *cli_option_nth(const struct cli *cli, const char *name, size_t i);

/* An option's whole number between min and max; `missing` if it wasn't given. */
MUST_CHECK int cli_option_int(const struct cli *cli, const char *name, int64_t missing,
                              int64_t range[2], int64_t *value, struct err *err);

/* Write DIR/name to `out` (CLI_PATH_MAX bytes); ERR_INVALID if it is too long. */
MUST_CHECK int cli_path(const struct cli *cli, const char *name, char *out, struct err *err);

/* Open DIR's database; the sentence of the error says which directory.  Refused is what a newer
 * program has made over, the facility's tables too; *db is NULL then. */
MUST_CHECK int cli_open(const struct cli *cli, enum store_mode mode, struct store_db **db,
                        struct err *err);

/* Is there a node in DIR?  The same sentences, for commands that let others open it. */
MUST_CHECK int cli_look(const struct cli *cli, struct err *err);

/* Print `out` and free its memory (it is empty and usable again); CLI_OK, or CLI_FAILED with a
 * sentence if memory ran out or the output is closed. */
int cli_print(const struct cli *cli, struct buf *out);

/*
 * Run one word of a command on the database, in a transaction (a writing one commits it itself);
 * print what it has put into `out`, or tell why it failed.  Returns the exit code.
 */
typedef int cli_sub(const struct cli *cli, struct store_db *db, struct arena *a, struct buf *out,
                    struct err *err);
int cli_run_sub(const struct cli *cli, cli_sub *sub, enum store_mode mode);

/*
 * Tell what went wrong, and return CLI_FAILED.  Words behind the message's last "; " say what to
 * do; else they come from the code.
 */
int cli_fail(const struct cli *cli, const struct err *err);

/* The same with another exit code. */
int cli_fail_as(const struct cli *cli, int exit_code, const struct err *err);

/* Give an error whose message says no more than what happened these words to do; returns its code.
 */
int cli_advise(struct err *err, const char *todo);

/* A line on standard error about what was done all the same: one sentence, which may quote a file.
 */
void cli_warn(const struct cli *cli, const char *sentence);

/* Who types, by the system's name; "" if it has none.  Borrowed until the next call. */
const char *cli_who(void);

/* Tell that the command line is wrong, and return CLI_USAGE. */
int cli_usage(const struct cli *cli, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Append a command's usage line; the usage text; the manual's list of commands in scdoc's form. */
void cli_help_line(struct buf *out, const struct cmd *cmd);
void cli_help_all(struct buf *out);
void cli_help_command(struct buf *out, const struct cmd *cmd);
void cli_help_manual(struct buf *out);

extern const struct cmd cmd_admin;
extern const struct cmd cmd_aliases;
extern const struct cmd cmd_archive;
extern const struct cmd cmd_backup;
extern const struct cmd cmd_conflicts;
extern const struct cmd cmd_demo;
extern const struct cmd cmd_doctor;
extern const struct cmd cmd_enrol;
extern const struct cmd cmd_export;
extern const struct cmd cmd_help;
extern const struct cmd cmd_history;
extern const struct cmd cmd_import;
extern const struct cmd cmd_init;
extern const struct cmd cmd_load;
extern const struct cmd cmd_log;
extern const struct cmd cmd_nodes;
extern const struct cmd cmd_quarantine;
extern const struct cmd cmd_run;
extern const struct cmd cmd_schema;
extern const struct cmd cmd_seats;
extern const struct cmd cmd_share;
extern const struct cmd cmd_sql;
extern const struct cmd cmd_status;
extern const struct cmd cmd_sync;
extern const struct cmd cmd_token;
extern const struct cmd cmd_rotate;
extern const struct cmd cmd_track;
extern const struct cmd cmd_verify;

#endif /* CLI_CMD_H */
