/*
 * node/facility/fhir_priv.h - what FHIR resources are made of: the parts that more
 * than one kind has, each as a member of the object that is being written.
 */
#ifndef NODE_FACILITY_FHIR_PRIV_H
#define NODE_FACILITY_FHIR_PRIV_H

#include "node/facility/fhir.h"
#include "store/base/json.h"
#include "store/value.h"

/* Begin a resource of that type in a line of its own; end it. */
struct json fhir_begin(struct buf *out, const char *type);
void fhir_end(struct json *j);

/* A member that is text. */
void fhir_put_text(struct json *j, const char *name, const char *text);

/* A member that is a text column, as it is. */
void fhir_put_column(struct json *j, const char *name, const struct store_value *v);

/* The id, with an ending or NULL: A-Z a-z 0-9 - . and at most 64 of them. */
void fhir_put_id(struct json *j, const uint8_t id[FHIR_ID], const char *ending);

/* A reference to a child. */
void fhir_put_patient(struct json *j, const char *name, const uint8_t child[FHIR_ID]);

/* The facility by its identifier, since it is no resource here; nothing for "". */
void fhir_put_facility(struct json *j, const char *name, const char *facility);

/* A Coding; a CodeableConcept of one.  `display` may be NULL. */
void fhir_put_coding(struct json *j, const char *system, const char *code, const char *display);
void fhir_put_concept(struct json *j, const char *system, const char *code, const char *display);

/* YYYYMMDD as a date; nothing for what is none. */
void fhir_put_date(struct json *j, const char *name, int64_t date);

/* ms UTC as an instant. */
void fhir_put_moment(struct json *j, const char *name, int64_t at_ms);

#endif /* NODE_FACILITY_FHIR_PRIV_H */
