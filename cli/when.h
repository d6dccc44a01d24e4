/*
 * cli/when.h - moments as people write them.
 */
#ifndef CLI_WHEN_H
#define CLI_WHEN_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The moment that an option names: "90d" or "12h" from `now_ms`, a day (its beginning in UTC), or
 * RFC 3339 in UTC; 0 if `text` is NULL: never.  False if it is none.
 */
bool cli_when(const char *text, int64_t now_ms, int64_t *ms);

#endif /* CLI_WHEN_H */
