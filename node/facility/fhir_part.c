#include "node/facility/fhir_priv.h"

#include "node/facility/date.h"
#include "store/base/text.h"

#include <stdio.h>
#include <string.h>

void
fhir_put_text(struct json *j, const char *name, const char *text)
{
	json_name(j, name);
	json_text(j, text);
}

struct json
fhir_begin(struct buf *out, const char *type)
{
	struct json j = json_to(out);

	json_object(&j);
	fhir_put_text(&j, "resourceType", type);
	return j;
}

void
fhir_end(struct json *j)
{
	json_end_object(j);
	buf_u8(j->out, '\n');
}

void
fhir_put_id(struct json *j, const uint8_t id[FHIR_ID], const char *ending)
{
	char text[64];

	text_hex(text, id, FHIR_ID);
	if (ending != NULL)
		snprintf(text + (size_t)2 * FHIR_ID, sizeof text - (size_t)2 * FHIR_ID, "-%s",
		         ending);
	fhir_put_text(j, "id", text);
}

void
fhir_put_patient(struct json *j, const char *name, const uint8_t child[FHIR_ID])
{
	char text[64] = "Patient/";

	text_hex(text + strlen(text), child, FHIR_ID);
	json_name(j, name);
	json_object(j);
	fhir_put_text(j, "reference", text);
	json_end_object(j);
}

void
fhir_put_facility(struct json *j, const char *name, const char *facility)
{
	if (facility[0] == 0)
		return;
	json_name(j, name);
	json_object(j);
	json_name(j, "identifier");
	json_object(j);
	fhir_put_text(j, "system", "urn:yizhan:facility");
	fhir_put_text(j, "value", facility);
	json_end_object(j);
	json_end_object(j);
}

void
fhir_put_coding(struct json *j, const char *system, const char *code, const char *display)
{
	json_object(j);
	fhir_put_text(j, "system", system);
	fhir_put_text(j, "code", code);
	if (display != NULL)
		fhir_put_text(j, "display", display);
	json_end_object(j);
}

void
fhir_put_concept(struct json *j, const char *system, const char *code, const char *display)
{
	json_object(j);
	json_name(j, "coding");
	json_array(j);
	fhir_put_coding(j, system, code, display);
	json_end_array(j);
	json_end_object(j);
}

void
fhir_put_date(struct json *j, const char *name, int64_t date)
{
	char text[40];

	if (date < 0 || date > 99999999 || !date_valid((int)date))
		return;
	snprintf(text, sizeof text, "%04d-%02d-%02d", (int)date / 10000, (int)date / 100 % 100,
	         (int)date % 100);
	fhir_put_text(j, name, text);
}

void
fhir_put_moment(struct json *j, const char *name, int64_t at_ms)
{
	json_name(j, name);
	json_time(j, at_ms);
}

void
fhir_put_column(struct json *j, const char *name, const struct store_value *v)
{
	json_name(j, name);
	json_bytes(j, v->bytes, v->len);
}
