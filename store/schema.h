/*
 * store/schema.h - what a tracked table is: its columns, key, scope and merge
 * rules, as one value with canonical bytes and a hash.
 *
 * A schema is named by the hash of its definition, so two nodes of different
 * versions can talk about the same table without agreeing on its columns: cells
 * are matched by (table name, column name), never by position.
 *
 * Definition bytes (LEB128 lengths; sent once per stream, in the unit opening
 * that first uses it; hash = BLAKE2b-128 of them):
 *
 *   u8 1 (format) · table name · u8 kind · scope prefix · varint scope column + 1 (0: none)
 *   varint columns · per column: name · declared type (upper case) · u8 key position (0: not key)
 *                                · u8 rule · u8 group (0: none) · u8 flags (1: only the hub writes
 * it)
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

#include "store/base/arena.h"
#include "store/base/buf.h"
#include "store/value.h"

enum {
	STORE_COLUMNS_MAX = 63, /* a change's column set is one 64-bit mask */
	STORE_KEYS_MAX = 4,     /* key columns of one table */
	STORE_NAME_MAX = 128,   /* bytes of a table or column name */
	STORE_SCOPE_MAX = 64,   /* bytes of a scope name */
	STORE_SCHEMA_HASH = 16,
};

enum store_kind { STORE_RECORD = 0, STORE_EVENT = 1 };
enum store_rule { STORE_LWW = 0, STORE_MAX = 1 };

struct store_column {
	const char *name; /* by which it travels, in every file the same */
	const char *here; /* by which this file's table has it: `name`, unless renamed here */
	const char *type; /* as declared, upper case; "" if none */
	uint8_t key;      /* 1.. position in the key, 0 for a cell */
	uint8_t rule;     /* enum store_rule */
	uint8_t group;    /* cells of one number travel and win together; 0: alone */
	bool hub_only;    /* only the hub may write it (W1) */
	int id; /* number of this (table, column) name in this database; 0 until registered */
};

struct store_schema {
	int id;       /* number in this database; 0 until registered */
	int table_id; /* number of the table's name in this database */
	uint8_t hash[STORE_SCHEMA_HASH];
	const char *table;
	enum store_kind kind;
	const char *scope_prefix; /* "f/", "s/" with a scope column; else the whole scope: "all",
	                             "hub", "f/F1" */
	int scope_column;         /* position in columns, -1: the prefix is the scope */
	unsigned column_count;
	struct store_column *columns;
	unsigned key_count;
	unsigned keys[STORE_KEYS_MAX]; /* positions of the key columns, in key order */
	uint64_t cells;                /* mask of the columns that are not key */
};

/* Append the definition bytes of `s`. */
void store_schema_write(struct buf *out, const struct store_schema *s);

/*
 * Read definition bytes (from a peer: nothing is trusted) into `a`; the result lives as long as the
 * arena; ids are 0, hash and derived fields set.  ERR_CORRUPT names what is wrong.
 */
MUST_CHECK int store_schema_read(const uint8_t *bytes, size_t len, struct arena *a,
                                 struct store_schema **out, struct err *err);

/* Fill hash, keys, key_count and cells from the columns (after building one by hand); a column
 * without a name for here has its own. */
MUST_CHECK int store_schema_finish(struct store_schema *s, struct err *err);

/* `mask` with every group it touches made whole. */
uint64_t store_schema_widen(const struct store_schema *s, uint64_t mask);

/* Are its rows the hub's: is there no cell, but for the scope, that anybody else may write? */
bool store_schema_is_hubs(const struct store_schema *s);

/*
 * Does a table of this name stay in its file?  yz_ is the engine's, hub_ the hub's, local_ this
 * node's alone (hashes of PINs): none is told to anybody who reads with a token, and none can be
 * tracked but the few of the engine's that replicas share.
 */
bool store_schema_stays(const char *table);

/* The position of the column that travels as `name`, or of the one that this file's table calls
 * so; -1 if there is none. */
int store_schema_find(const struct store_schema *s, const char *name);
int store_schema_find_here(const struct store_schema *s, const char *name);

/*
 * Write the scope of a row with these values (by column position) to `out`.  ERR_INVALID if the
 * scope column holds no text or too long a one.
 */
MUST_CHECK int store_schema_scope(const struct store_schema *s, const struct store_value *values,
                                  char out[STORE_SCOPE_MAX + 1], struct err *err);

/* Append the canonical key of a row with these values (by column position). */
void store_schema_key(const struct store_schema *s, const struct store_value *values,
                      struct buf *out);

#endif /* STORE_SCHEMA_H */
