/*
 * tests/fuzz/seeds.h - the inputs that the fuzz programs begin with, made by real
 * runs: `make fuzz-seeds` writes them anew, when a format has changed.
 *
 * Files called found-* are what the fuzzers found, deep-* what they came upon that reaches further
 * than any real run; both are never touched.
 */
#ifndef TESTS_FUZZ_SEEDS_H
#define TESTS_FUZZ_SEEDS_H

#include "store/base/buf.h"

/* Write one seed of a target.  Ends the program if it can't. */
void seeds_put(const char *target, const char *name, const struct buf *bytes);

/* The same of a text. */
void seeds_put_text(const char *target, const char *name, const char *text);

/* codec, pack, segment, ingest, salts, schema, value, archive: records of a made-up day. */
void seeds_records(void);

/* message, request, late, reply: meetings of a node with its hub. */
void seeds_meetings(void);

/* grant, code, enrol, reqsig, rotation: what is signed. */
void seeds_signed(void);

/* form, cookie, tap, guard, json, batch, csv, roster, conf, changes, offers, records: what people
 * and programs write. */
void seeds_texts(void);

#endif /* TESTS_FUZZ_SEEDS_H */
