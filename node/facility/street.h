/*
 * node/facility/street.h - what the facilities of a street (subdistrict, 街道) are told of each
 * other's cases: the hub keeps symptom_notice (scope `s/<subdistrict_code>`), and a facility's page
 * lists what it has of it.
 *
 * It follows from `symptom_case` and `facility`, whoever has written them; nobody writes it by hand
 * for long.  There is nobody in it.  A row is a facility, a disease of the catalogue and a day of
 * onset; so what somebody has typed, a class, a symptom or a child's id can't get into it:
 *
 *   cases      how many of them are open, in steps (1: one or two, 3: three or four, 5: more), so
 *              that one child's coming and going mostly doesn't show
 *   confirmed  the surest of them, as symptom_case.confirmed
 *   closed     1 once none is open: closed, struck out, erased, begun more than STREET_DAYS ago,
 *              or the facility is of another street now, where its open cases have rows of their
 * own
 *
 * A home care point has five children at most, so it isn't named: facility_id is '' for all of a
 * street's together, and where there are fewer than STREET_HOMES of them nothing is told of them.
 * "Other" isn't told: it says nothing to a neighbour.
 */
#ifndef NODE_FACILITY_STREET_H
#define NODE_FACILITY_STREET_H

#include "node/facility/record.h"

#include "store/base/arena.h"

/*
 * As SQL: the street of a row of `facility` that is called `f`; NULL if it names none that a scope
 * can be called by (node/grant.h).  Codes of 12 digits name a community (社区); their first nine
 * are its street.
 */
#define FACILITY_STREET(f)                                                                         \
	"CASE WHEN typeof(" f ".subdistrict_code) <> 'text'"                                       \
	" OR length(CAST(" f ".subdistrict_code AS BLOB)) <> length(" f ".subdistrict_code)"       \
	" OR length(" f ".subdistrict_code) NOT BETWEEN 1 AND 48"                                  \
	" OR " f ".subdistrict_code GLOB '*[^A-Za-z0-9_-]*' THEN NULL"                             \
	" WHEN length(" f ".subdistrict_code) > 9 AND " f ".subdistrict_code NOT GLOB '*[^0-9]*'"  \
	" THEN substr(" f ".subdistrict_code, 1, 9) ELSE " f ".subdistrict_code END"

enum { STREET_DAYS = 21, STREET_LISTED = 20, STREET_HOMES = 3 };

/* Of a code the digits that name the street; three more name a community (社区) in it. */
enum { STREET_DIGITS = 9, STREET_COMMUNITY_DIGITS = 12 };

/*
 * Is a street's code likely a slip?  `why` is a sentence, or "": it isn't numbered as the state
 * does (9 or 12 digits), or `population` has streets and not this one.  Such codes are taken all
 * the same, since districts number in ways of their own and a catalogue may be older than a street.
 */
enum { STREET_WHY = 160 };
MUST_CHECK int facility_street_doubt(struct store_db *db, const char *code, char why[STREET_WHY],
                                     struct err *err);

/* At a hub, on `date`.  Is there something for facility_street_keep() to write?  Needs no
 * transaction. */
MUST_CHECK int facility_street_stale(struct store_db *db, int date, bool *yes, struct err *err);

/* Write what differs, and nothing else, on a LOCAL connection of a hub.  In a transaction. */
MUST_CHECK int facility_street_keep(struct store_db *db, int date, struct err *err);

/* An open notice of another facility; texts live in the arena. */
struct street_notice {
	const char
	        *facility; /* its name, or its ID where that isn't known; "" for home care points */
	const char *disease_zh, *disease_en;
	int onset_date;
	int64_t cases, confirmed;
};

struct street_notices {
	struct street_notice *list;
	size_t count; /* at most STREET_LISTED */
	bool more;    /* older ones are left out */
};

/*
 * At a facility: the newest whose first day of illness is at most STREET_DAYS before `date`, of the
 * street that the facility is of.
 */
MUST_CHECK int facility_street_list(struct facility *f, int date, struct arena *a,
                                    struct street_notices *out, struct err *err);

#endif /* NODE_FACILITY_STREET_H */
