/*
 * cli/demo_leave.c - the parents of the demo: they ask the platform for leave, and
 * the platform writes at the hub as it does everywhere, with a token of its own.
 */
#include "cli/demo.h"
#include "node/hub/records.h"
#include "node/hub/token.h"

#include <string.h>

static int
make_token(struct demo *d, struct token *token, struct err *err)
{
	const struct token_terms terms = { .scope = "all",
		                           .tables = "leave_request",
		                           .writes = "leave_request" };
	int64_t now = env_wall_ms(env_real());
	char text[TOKEN_TEXT], id[TOKEN_ID];
	int rc = token_new(d->hub.db, &terms, now, text, id, err);

	if (rc == 0)
		rc = token_check(d->hub.db, text, now, token, err);
	explicit_bzero(text, sizeof text);
	if (rc == 0)
		return err_set(err, ERR_DENIED, "the hub doesn't know the token it has made");
	return rc < 0 ? rc : 0;
}

static int
ask(struct demo *d, struct demo_place *p, const struct token *token, struct err *err)
{
	const struct facility_day day = { .f = &p->facility, .date = d->date, .seed = d->seed };
	struct records by = { .db = d->hub.db, .token = token };
	struct buf lines = { 0 }, answers = { 0 };
	struct lines_counts counts = { 0 };
	int rc = facility_day_leaves(&day, &lines, &p->asked, err);

	if (rc == 0)
		rc = records_take(&by, lines.bytes, lines.len, &answers, &counts, err);
	if (rc == 0 && counts.stored != (int64_t)p->asked)
		rc = err_set(err, ERR_INVALID, "the hub refused a parent's leave: %.200s",
		             buf_str(&answers));
	buf_free(&lines);
	buf_free(&answers);
	return rc;
}

int
demo_ask_leave(struct demo *d, struct err *err)
{
	struct token token;
	int rc = make_token(d, &token, err);

	for (int i = 0; rc == 0 && i < d->count; i++)
		rc = ask(d, &d->places[i], &token, err);
	d->asked = true;
	return rc;
}

int
demo_answer_leave(struct demo_place *p, int64_t at, struct err *err)
{
	size_t answered;
	int rc = facility_day_answer(&p->facility, at, &answered, err);

	p->answered += answered;
	return rc;
}
