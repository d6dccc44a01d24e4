/*
 * node/facility/news.h - what a facility is told: announcements, its own and the district's, and
 * what experts say of its children this month.
 */
#ifndef NODE_FACILITY_NEWS_H
#define NODE_FACILITY_NEWS_H

#include "node/facility/record.h"

#include "store/base/arena.h"

enum { NEWS_LISTED = 20, NEWS_COMMENTS = 50, NEWS_DAYS = 30 };

/* Texts live in the arena, "" if nothing was said. */
struct news {
	bool district;
	const char *title, *content;
	int64_t valid_to; /* a date; 0: not said */
};

struct news_comment {
	const char *child;
	int64_t month_age;
	const char *text, *author;
};

struct news_list {
	struct news *list;
	size_t count; /* at most NEWS_LISTED */
	bool more;
	struct news_comment *comments;
	size_t comment_count; /* at most NEWS_COMMENTS */
	bool more_comments;
};

/*
 * What holds on `date`, the newest announcement first.  One holds until its valid_to; without one
 * for NEWS_DAYS from its `at`, and without that until it is deleted.  A comment is of this month if
 * it was written in it, or else is for the child's age; of children who are enrolled.
 */
MUST_CHECK int facility_news(struct facility *f, int date, struct arena *a, struct news_list *out,
                             struct err *err);

#endif /* NODE_FACILITY_NEWS_H */
