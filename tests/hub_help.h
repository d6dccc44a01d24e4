/*
 * tests/hub_help.h - a hub's database in memory, on a clock and with chance that
 * the test sets, and keys for everybody.
 */
#ifndef TESTS_HUB_HELP_H
#define TESTS_HUB_HELP_H

#include "node/http/http.h"
#include "node/hub/enrol.h"
#include "store/catalog.h"

#include <stdbool.h>

extern struct store_db *hub_db;
extern struct enrol_hub hub; /* over hub_db; now_ms is the test's to move */
extern struct sync_key hub_key;
extern struct err hub_err;

extern bool hub_no_chance; /* all dice show zero */

#define HUB_START_MS INT64_C(1772438400000) /* 2026-03-02T08:00:00Z */

/* Check fixture: a new hub in memory. */
void hub_open(void);
void hub_close(void);

/* Another database in memory, of a node of that facility (NULL: a hub's); store_db_close() it. */
struct store_db *hub_other(const char *facility);

/* The key of test node `n`. */
struct sync_key hub_node_key(uint8_t n);

/* A code for the facility; asserts that it works. */
void hub_code(const char *facility, bool automatic, char code[CODE_TEXT]);

/* Node `n`, made for the facility that the code is for, asks with it; the grant is freed unless
 * `grant` takes it. */
struct enrol_answer hub_ask(const char *code, uint8_t n, struct buf *grant);

/* Node `n` is enrolled for the facility, automatically; returns its site. */
struct store_site hub_enrol(const char *facility, uint8_t n);

/* A header line of an answer, or "". */
const char *hub_field(const struct http_response *response, const char *name);

/* One whole number by SQL. */
int64_t hub_int(const char *sql);

#endif /* TESTS_HUB_HELP_H */
