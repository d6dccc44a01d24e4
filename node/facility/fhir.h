/*
 * node/facility/fhir.h - a facility's rows as FHIR resources: what they are to
 * whoever knows HL7 FHIR R4 (4.0.1, https://hl7.org/fhir/R4/) and not our tables.
 *
 *   Patient        child                                name and birthDate: personal
 *   Observation    growth_measurement                   29463-7 weight, 8306-3 length (lying),
 *                                                       8302-2 height, 9843-4 head circumference
 *                  health_check, attendance_event       8310-5 temperature
 *   Immunization   immunization
 *   Encounter      attendance_event                     a child's day: first in, last out; `unknown`
 *                                                       a day after she came, if nobody has said
 *
 * LOINC codes and UCUM units as in R4's vital-signs profiles.  Rows that a later
 * one of the same facility replaces are not told.  Ids are those of our rows in hex, so that
 * resources of one child find each other; a facility is an identifier (urn:yizhan:facility). A
 * column that a reader may not have is simply not among the row's columns.
 */
#ifndef NODE_FACILITY_FHIR_H
#define NODE_FACILITY_FHIR_H

#include "store/base/buf.h"
#include "store/stmt.h"

enum { FHIR_SOURCES = 3, FHIR_ORDER = 4, FHIR_ID = 16 };

/* Rows of a table that make resources of a type. */
struct fhir_source {
	const char *table;
	const char *needs; /* a table that is looked into for each row, or NULL */
	const char
	        *order[FHIR_ORDER]; /* columns that the rows must come in the order of; or none */
};

struct fhir_type {
	const char *name;
	struct fhir_source sources[FHIR_SOURCES]; /* ended by one without a table */
};

/* The type of that name, or NULL. */
const struct fhir_type *facility_fhir_type(const char *name);

/* The names of all, with commas between them. */
const char *facility_fhir_types(void);

/* A child's day, as far as its rows have been seen. */
struct fhir_visit {
	bool open;
	uint8_t id[FHIR_ID];      /* of the Encounter */
	uint8_t subject[FHIR_ID]; /* if has_subject */
	bool has_subject;
	char facility[80];
	int64_t in_ms, out_ms; /* 0: none */
};

/* What is under way: zeroed but for these, then given to the functions below. */
struct fhir {
	struct store_db *db; /* borrowed */
	int64_t now_ms;      /* a day that nobody has ended is under way for so long alone */
	const struct fhir_type *type;
	const struct fhir_source *source; /* of the rows that follow */
	struct fhir_visit visit;
};

/* Append the resources that the row on which `s` stands makes, a line each; takes its columns. */
MUST_CHECK int facility_fhir_row(struct fhir *f, struct store_stmt *s, struct buf *out,
                                 struct err *err);

/* After the last row of a source. */
void facility_fhir_end(struct fhir *f, struct buf *out);

#endif /* NODE_FACILITY_FHIR_H */
