/*
 * cli/breach.h - rows that merged past a rule of their table, each with the pair
 * of changes that between them broke it: for `verify`.
 */
#ifndef CLI_BREACH_H
#define CLI_BREACH_H

#include "store/base/buf.h"
#include "store/inspect.h"

struct cli;
struct breaches;

/* NULL without memory. */
struct breaches *breaches_new(void);

/* NULL is allowed. */
void breaches_free(struct breaches *b);

/* Note one (copied); those of the same table and words are one. */
void breaches_add(struct breaches *b, const struct store_breach *breach);

/*
 * Append a problem for each: its words and table, the keys of its first rows, and for each row the
 * last change of both sides: of the row and of the one that it names, or of the last two who wrote
 * the row.  As members of a JSON array (after `follows` others), or as lines.  Opens the file for
 * itself.
 */
MUST_CHECK int breaches_tell(const struct breaches *b, const struct cli *cli, bool is_hub,
                             bool follows, struct buf *out, struct err *err);

#endif /* CLI_BREACH_H */
