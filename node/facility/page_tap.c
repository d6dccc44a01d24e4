/*
 * node/facility/page_tap.c - a pressed button becomes a record.
 *
 * A double tap, or a tap on a page that another tablet has overtaken, asks for
 * what is already so; that is answered as done, not as a mistake.
 */
#include "node/facility/codes.h"
#include "node/facility/page_priv.h"
#include "node/facility/record_priv.h"

#include "store/base/hash.h"
#include "store/base/text.h"

#include <stdio.h>
#include <string.h>

/* The fields of the page's forms. */
struct tap {
	char what[16];
	bool has_adult, has_event;
	uint8_t child[STORE_ID], adult[STORE_ID], event[STORE_ID];
	int64_t reason, symptoms;
};

static int
refuse_absent(const struct page_view *view, const char *name, struct err *err)
{
	const char *words = page_word(view->lang, W_NOT_HERE), *hash = strstr(words, "#1");

	return err_set(err, ERR_INVALID, "%.*s%s%s", (int)(hash - words), words, name, hash + 2);
}

/* 1 an id, 0 empty or missing, negative malformed. */
static int
read_id(struct form form, const char *name, uint8_t id[STORE_ID], struct err *err)
{
	char hex[2 * STORE_ID + 1];
	int rc = form_get(form, name, hex, sizeof hex, err);

	if (rc <= 0 || hex[0] == 0)
		return rc < 0 ? rc : 0;
	return text_unhex(id, STORE_ID, hex) ? 1 : ERR_INVALID;
}

static bool
is_reason(const char *value)
{
	for (int i = 0; i < page_reason_count; i++)
		if (strcmp(page_reasons[i].value, value) == 0)
			return true;
	return false;
}

/* Does it say all that its action needs? */
static bool
is_whole(const struct tap *tap)
{
	if (strcmp(tap->what, "absence") == 0)
		return tap->reason != 0;
	if (strcmp(tap->what, "strike") == 0)
		return tap->has_event;
	return strcmp(tap->what, "arrival") == 0 || strcmp(tap->what, "pickup") == 0;
}

static bool
read_tap(struct form form, struct tap *tap, struct err *err)
{
	long long reason = 0, symptoms = 0;
	char text[16] = "";
	int adult, event, rc;

	if (form_get(form, "do", tap->what, sizeof tap->what, err) != 1 ||
	    read_id(form, "child", tap->child, err) != 1)
		return false;
	adult = read_id(form, "adult", tap->adult, err);
	event = read_id(form, "event", tap->event, err);
	rc = form_get(form, "reason", text, sizeof text, err);
	if (adult < 0 || event < 0 || rc < 0)
		return false;
	if (rc == 1 && (!is_reason(text) || sscanf(text, "%lld:%lld", &reason, &symptoms) != 2))
		return false;
	tap->has_adult = adult == 1;
	tap->has_event = event == 1;
	tap->reason = reason;
	tap->symptoms = symptoms;
	return is_whole(tap);
}

/* Is what the tap asks for so already? */
static bool
already(const struct tap *tap, const struct record_child *who)
{
	return (strcmp(tap->what, "arrival") == 0 && who->state == ATTEND_IN) ||
	       (strcmp(tap->what, "pickup") == 0 && who->state == ATTEND_OUT);
}

static int
arrive(struct facility *f, int64_t at, const struct tap *tap, struct err *err)
{
	struct facility_arrival in = { .at = at,
		                       .child = tap->child,
		                       .found = { .touch = TOUCH_NORMAL } };

	return facility_arrival(f, &in, err);
}

static int
act(struct facility *f, const struct page_view *view, const struct tap *tap, struct err *err)
{
	struct facility_pickup out = { .at = view->now_ms,
		                       .child = tap->child,
		                       .adult = tap->has_adult ? tap->adult : NULL };
	struct facility_absence away = { .at = view->now_ms,
		                         .child = tap->child,
		                         .reason = tap->reason,
		                         .symptom_bits = tap->symptoms };
	struct facility_strike strike = { .at = view->now_ms, .event = tap->event };

	if (strcmp(tap->what, "arrival") == 0)
		return arrive(f, view->now_ms, tap, err);
	if (strcmp(tap->what, "pickup") == 0)
		return facility_pickup(f, &out, err);
	if (strcmp(tap->what, "absence") == 0)
		return facility_absence(f, &away, err);
	return facility_strike(f, &strike, err);
}

/* The refusals of record.h, of a child that is enrolled and at a time that can be, in the person's
 * language. */
static int
translate(const struct page_view *view, int rc, struct err *err)
{
	if (rc == ERR_DENIED)
		return page_refuse(view, rc, W_NOT_ALLOWED, err);
	if (rc == ERR_NOTFOUND)
		return page_refuse(view, rc, W_NOTHING_TO_UNDO, err);
	return rc == ERR_INVALID ? page_refuse(view, rc, W_NOT_SAVED, err) : rc;
}

static int
do_tap(struct facility *f, const struct page_view *view, const struct tap *tap, struct err *err)
{
	struct record_child who = { 0 };
	int date, rc;

	rc = record_at(f, view->now_ms, &date, err);
	if (rc == ERR_INVALID)
		return page_refuse(view, rc, W_BAD_CLOCK, err);
	if (rc == 0)
		rc = record_child(f, tap->child, date, &who, err);
	if (rc == ERR_NOTFOUND)
		return page_refuse(view, rc, W_UNKNOWN_CHILD, err);
	if (rc < 0 || already(tap, &who))
		return rc;
	if (strcmp(tap->what, "pickup") == 0 && who.state != ATTEND_IN)
		return refuse_absent(view, who.name, err);
	return translate(view, act(f, view, tap, err), err);
}

int
page_tap(struct facility *f, const struct page_view *view, const char *body, size_t len,
         struct err *err)
{
	struct form form = form_from(body, len);
	char token[128];
	struct tap tap = { 0 };
	bool answer, word;
	int rc;

	if (form_get(form, "token", token, sizeof token, err) != 1 ||
	    strlen(token) != strlen(view->token) || !hash_equal(token, view->token, strlen(token)))
		return page_refuse(view, ERR_DENIED, W_BAD_TOKEN, err);
	answer = page_is_answer(form);
	word = page_is_word(form);
	if (!answer && !word && !read_tap(form, &tap, err))
		return page_refuse(view, ERR_INVALID, W_BAD_FORM, err);
	rc = store_db_begin(f->db, err);
	if (rc < 0)
		return rc;
	if (word)
		rc = page_say(f, view, form, err);
	else
		rc = answer ? page_answer(f, view, form, err) : do_tap(f, view, &tap, err);
	if (rc == 0)
		rc = store_db_commit(f->db, err);
	if (rc == 0)
		return 0;
	store_db_rollback(f->db);
	return rc;
}
