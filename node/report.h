/*
 * node/report.h - what a node tells its hub of itself with the first request of a
 * meeting: a header line beside the message, because the message's form is fixed
 * and an older hub takes no notice of a header that it doesn't know.
 *
 *   Yz-Report: version=0.1.0;format=8;waiting=14;oldest=…;… <signature, 128 hex digits>
 *
 * Numbers in decimal, times in ms since 1970.  A name that is missing isn't known
 * there, one that isn't known here is passed over.  The signature, by the node's
 * key, is over "yizhan-report-1" || the request's Signature header || the text:
 * so a line can neither be written by whoever carries it nor sent once more with
 * another request.
 */
#ifndef NODE_REPORT_H
#define NODE_REPORT_H

#include "node/status.h"
#include "sync/codec/sign.h"

#include <stdbool.h>

enum {
	REPORT_TEXT = 512,   /* bytes of the text, with its zero */
	REPORT_VERSION = 32, /* bytes of a version, with its zero */
	REPORT_UNKNOWN = -1, /* any count or size below that wasn't told */
	REPORT_LINE = REPORT_TEXT + 2 * STORE_SIGNATURE + 16,
};

struct report {
	char version[REPORT_VERSION]; /* "" if not told */
	int64_t format;               /* of its database */
	int64_t waiting;              /* changes that the hub hadn't acknowledged when it asked */
	int64_t oldest_ms;            /* since when; 0: nothing waited */
	int64_t conflicts, quarantined;
	bool clock_known;
	int64_t clock_offset_ms; /* the hub's time - its own */
	bool clock_unsure;
	int64_t db_bytes, disk_free;
	bool disk_full;
	bool hub_went_back; /* it saw that the hub had forgotten something, this week */
	int64_t differing; /* scopes that differ from the hub's though both have the same records */
};

/* Nothing is known. */
void report_clear(struct report *r);

/* What a node's status comes to here. `format` is of its database. */
void report_of_status(struct report *r, const struct node_status *s, int64_t format);

/* Write the text; false if it has no room. */
MUST_CHECK bool report_write(const struct report *r, char text[REPORT_TEXT]);

/* Read a text.  ERR_CORRUPT if it isn't one; what is told twice, or isn't a number, makes it none.
 */
MUST_CHECK int report_read(const char *text, struct report *r, struct err *err);

/* The header's value: text and signature for the request with that Signature header. */
void report_sign(const struct sync_key *key, const char *text, const char *request_signature,
                 char line[REPORT_LINE]);

/* The text of a header's value; ERR_DENIED if that key hasn't signed it for this request. */
MUST_CHECK int report_check(const char *line, const uint8_t key[SYNC_PUBLIC_KEY],
                            const char *request_signature, char text[REPORT_TEXT], struct err *err);

#endif /* NODE_REPORT_H */
