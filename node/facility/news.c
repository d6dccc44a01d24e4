#include "node/facility/news.h"
#include "node/facility/codes.h"
#include "node/facility/date.h"

#include "store/stmt.h"

/* Parameters: the facility, the day, its last ms, the first ms of those that have no end. */
#define HOLDS "(CASE WHEN valid_to IS NULL THEN coalesce(at, ?4) >= ?4 ELSE valid_to >= ?2 END)"
#define SAYS "coalesce(title, ''), coalesce(content, ''), coalesce(valid_to, 0)"

static const char announcements[] =
        "SELECT 0, " SAYS ", at AS told, id FROM announcement WHERE facility_id = ?1 AND " HOLDS
        " AND coalesce(at, 0) <= ?3"
        " UNION ALL SELECT 1, " SAYS ", at, id FROM district_announcement WHERE " HOLDS
        " AND coalesce(at, 0) <= ?3 ORDER BY told DESC, id LIMIT ?5";

/* Months of age on the day ?2. */
#define AGE                                                                                        \
	"(?2 / 10000 * 12 + ?2 / 100 % 100 - c.birth_date / 10000 * 12 - c.birth_date / 100 % 100" \
	" - (?2 % 100 < c.birth_date % 100))"

/* Parameters: the facility, the day, the month's first ms, the next one's. */
static const char comments[] =
        "SELECT c.name, coalesce(g.month_age, 0), coalesce(g.text, ''), coalesce(g.author, '')"
        " FROM growth_comment g JOIN child c ON c.id = g.child_id WHERE g.facility_id = ?1"
        " AND EXISTS (SELECT 1 FROM enrollment e WHERE e.child_id = c.id"
        " AND e.facility_id = ?1 AND e.status = 3)"
        " AND CASE WHEN g.at IS NULL THEN g.month_age = " AGE " ELSE g.at >= ?3 AND g.at < ?4 END"
        " ORDER BY c.name, c.id, g.month_age, g.id LIMIT ?5";
_Static_assert(ENROLLED == 3, "as in the statement");

static int
read_announcements(struct facility *f, int date, struct arena *a, struct news_list *out,
                   struct err *err)
{
	struct store_stmt s = store_stmt_new(f->db, announcements);
	int rc;

	store_stmt_put_text(&s, f->id);
	store_stmt_put_int(&s, date);
	store_stmt_put_int(&s, date_ms(date_add(date, 1), 0, f->offset_min) - 1);
	store_stmt_put_int(&s, date_ms(date_add(date, -NEWS_DAYS), 0, f->offset_min));
	store_stmt_put_int(&s, NEWS_LISTED + 1);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct news *n = &out->list[out->count];

		out->more = out->count == NEWS_LISTED;
		if (out->more)
			break;
		out->count++;
		n->district = store_stmt_get_int(&s) != 0;
		n->title = store_stmt_copy_text(&s, a);
		n->content = store_stmt_copy_text(&s, a);
		n->valid_to = store_stmt_get_int(&s);
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

static int
read_comments(struct facility *f, int date, struct arena *a, struct news_list *out, struct err *err)
{
	struct store_stmt s = store_stmt_new(f->db, comments);
	int month = date / 100 * 100 + 1; /* 31 days on is in the next one */
	int rc;

	store_stmt_put_text(&s, f->id);
	store_stmt_put_int(&s, date);
	store_stmt_put_int(&s, date_ms(month, 0, f->offset_min));
	store_stmt_put_int(&s, date_ms(date_add(month, 31) / 100 * 100 + 1, 0, f->offset_min));
	store_stmt_put_int(&s, NEWS_COMMENTS + 1);
	while ((rc = store_stmt_step(&s, err)) == 1) {
		struct news_comment *c = &out->comments[out->comment_count];

		out->more_comments = out->comment_count == NEWS_COMMENTS;
		if (out->more_comments)
			break;
		out->comment_count++;
		c->child = store_stmt_copy_text(&s, a);
		c->month_age = store_stmt_get_int(&s);
		c->text = store_stmt_copy_text(&s, a);
		c->author = store_stmt_copy_text(&s, a);
	}
	store_stmt_end(&s);
	return rc < 0 ? rc : 0;
}

int
facility_news(struct facility *f, int date, struct arena *a, struct news_list *out, struct err *err)
{
	int rc;

	*out = (struct news_list){ .list = arena_take(a, NEWS_LISTED, sizeof *out->list),
		                   .comments =
		                           arena_take(a, NEWS_COMMENTS, sizeof *out->comments) };
	if (out->list == NULL || out->comments == NULL)
		return err_set(err, ERR_NOMEM, "announcements: out of memory");
	rc = read_announcements(f, date, a, out, err);
	if (rc == 0)
		rc = read_comments(f, date, a, out, err);
	return rc == 0 && a->spent ? err_set(err, ERR_NOMEM, "announcements: out of memory") : rc;
}
