/* sync/exchange/rift.c - the node's side of a look (sync/exchange/rift.h). */
#include "sync/exchange/rift.h"
#include "store/rift.h"
#include "sync/exchange/exchange_priv.h"

#include <stdlib.h>
#include <string.h>

enum {
	ROUNDS = 24, /* of one meeting */
	TODO = 512,
	FOUND = 64,  /* the next meeting finds the rest */
	MOST_OF = 8, /* of fewer parts "most" says nothing */
};

enum stage { ASKS, MENDS, SAID };

/* A range that was cut into the questions from..until - 1. */
struct group {
	struct store_range range;
	size_t from, until;
};

struct sync_rift {
	enum stage stage;
	int scope;
	uint8_t between[STORE_TERM]; /* our digest less the hub's */
	bool kept_was_wrong;         /* our digest wasn't the sum of our rows */
	int rounds;
	struct arena arena;            /* keys of all ranges */
	struct store_range todo[TODO]; /* they differ, and are to be cut */
	size_t todo_count;
	struct store_range_part asked[SYNC_MESSAGE_QUESTIONS]; /* in this round */
	size_t asked_count;
	struct group groups[SYNC_MESSAGE_QUESTIONS];
	size_t group_count;
	struct found {
		struct store_range_part here;
		int64_t rows_there;
		const char *cause;
	} found[FOUND];
	size_t found_count;
};

static const uint8_t zero[STORE_TERM];

static int
no_memory(struct err *err)
{
	return err_set(err, ERR_NOMEM, "look: out of memory");
}

int
sync_rift_begin(struct sync_rift **out, struct sync_replica *r, int scope,
                const uint8_t hubs[STORE_TERM], struct err *err)
{
	struct store_digest ours;
	struct sync_rift *look;
	bool known;
	int rc = store_digest_get(r->db, scope, &ours, err);

	if (rc < 0)
		return rc;
	store_digest_move(ours.sum, zero, hubs);
	rc = store_rift_known(r->db, scope, ours.sum, &known, err);
	if (rc < 0 || known)
		return rc;
	look = calloc(1, sizeof *look);
	if (look == NULL)
		return no_memory(err);
	look->scope = scope;
	memcpy(look->between, ours.sum, STORE_TERM);
	look->todo[look->todo_count++] = store_range_all();
	*out = look;
	return 0;
}

void
sync_rift_free(struct sync_rift *look)
{
	if (look == NULL)
		return;
	arena_free(&look->arena);
	free(look);
}

static void
add_todo(struct sync_rift *look, const struct store_range *range)
{
	if (look->todo_count < TODO)
		look->todo[look->todo_count++] = *range;
}

/* ---- asking ---- */

/* Is the sum of all parts the digest that is kept?  If not, it is the digest that went wrong. */
static int
check_kept(struct sync_rift *look, struct store_db *db, const struct store_range_part *parts,
           size_t count, struct err *err)
{
	struct store_digest kept;
	uint8_t sum[STORE_TERM] = { 0 };
	int rc = store_digest_get(db, look->scope, &kept, err);

	for (size_t i = 0; i < count; i++)
		store_digest_move(sum, parts[i].sum, zero);
	if (rc < 0 || memcmp(sum, kept.sum, STORE_TERM) == 0)
		return rc;
	return store_digest_mend(db, &look->kept_was_wrong, err);
}

/* The next range that differs, in parts. */
static int
cut_next(struct sync_rift *look, struct store_db *db, struct err *err)
{
	struct group *group = &look->groups[look->group_count++];
	struct store_range_parts parts = { .scope = look->scope,
		                           .range = look->todo[--look->todo_count],
		                           .arena = &look->arena,
		                           .list = &look->asked[look->asked_count] };
	int rc = store_range_cut(db, &parts, err);

	*group = (struct group){ parts.range, look->asked_count, look->asked_count + parts.count };
	look->asked_count += parts.count;
	return rc == 0 && look->rounds == 0 ? check_kept(look, db, parts.list, parts.count, err)
	                                    : rc;
}

static struct sync_view_question *
new_question(struct sync_draft *d, const struct sync_rift *look, const struct store_range *range)
{
	struct sync_view_question *q = &d->m.questions[d->m.question_count++];

	q->scope = sync_draft_scope(d, look->scope);
	q->range = *range;
	return q;
}

int
sync_rift_ask(struct sync_rift *look, struct sync_draft *d, struct err *err)
{
	int rc = 0;

	if (look == NULL || look->stage == SAID)
		return 0;
	d->m.questions = arena_take(&d->arena, SYNC_MESSAGE_QUESTIONS, sizeof *d->m.questions);
	if (d->m.questions == NULL)
		return no_memory(err);
	for (size_t i = 0; look->stage == MENDS && i < look->found_count; i++)
		new_question(d, look, &look->found[i].here.range)->anew = true;
	if (look->stage == MENDS) {
		look->stage = SAID; /* once, however many rounds it takes to arrive */
		return 0;
	}
	/* what was asked before and not compared, because there was more to exchange first */
	for (size_t i = 0; i < look->group_count; i++)
		add_todo(look, &look->groups[i].range);
	look->asked_count = look->group_count = 0;
	while (rc == 0 && look->todo_count > 0 &&
	       look->asked_count + STORE_RANGE_PARTS <= SYNC_MESSAGE_QUESTIONS)
		rc = cut_next(look, d->r->db, err);
	look->rounds++;
	for (size_t i = 0; rc == 0 && i < look->asked_count; i++)
		new_question(d, look, &look->asked[i].range);
	return rc;
}

/* What only we have the hub gets; what it asks for it has said. */
int
sync_rift_say(struct sync_rift *look, struct sync_replica *r, struct err *err)
{
	size_t left = SYNC_RIFT_SAID;
	int rc = 0;

	if (look == NULL || look->stage != MENDS)
		return 0;
	for (size_t i = 0; rc == 0 && left > 0 && i < look->found_count; i++)
		rc = sync_rift_say_range(r, look->scope, &look->found[i].here.range, &left, err);
	return rc;
}

/* ---- taking ---- */

static bool
differs(const struct store_range_part *here, const struct sync_view_answer *there)
{
	return (uint64_t)here->rows != there->rows ||
	       memcmp(here->sum, there->sum, STORE_TERM) != 0;
}

static void
add_found(struct sync_rift *look, const struct store_range_part *here, uint64_t there)
{
	if (look->found_count < FOUND)
		look->found[look->found_count++] = (struct found){ *here, (int64_t)there, NULL };
}

/* Of a range parts differ: each is looked at, or, if most of it differs, the range is found. */
static void
take_group(struct sync_rift *look, const struct group *group,
           const struct sync_view_answer *answers)
{
	size_t count = group->until - group->from, differing = 0;
	struct store_range_part whole = { .range = group->range };
	uint64_t there = 0;

	for (size_t i = group->from; i < group->until; i++) {
		differing += differs(&look->asked[i], &answers[i]);
		whole.rows += look->asked[i].rows;
		there += answers[i].rows;
	}
	if (count >= MOST_OF && differing > count / 2) {
		add_found(look, &whole, there);
		return;
	}
	for (size_t i = group->from; i < group->until; i++) {
		if (!differs(&look->asked[i], &answers[i]))
			continue;
		if (look->asked[i].rows <= 1)
			add_found(look, &look->asked[i], answers[i].rows);
		else
			add_todo(look, &look->asked[i].range);
	}
}

static int
keep_rifts(const struct sync_rift *look, struct store_db *db, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < look->found_count; i++) {
		const struct found *found = &look->found[i];
		struct store_rift rift = { .scope = look->scope,
			                   .range = found->here.range,
			                   .rows_here = found->here.rows,
			                   .rows_there = found->rows_there,
			                   .cause = found->cause };

		memcpy(rift.between, look->between, STORE_TERM);
		rc = store_rift_add(db, &rift, err);
	}
	return rc;
}

/* Row by row nothing differs: a digest did alone. */
static void
blame_digest(struct sync_rift *look)
{
	struct store_range_part all = { .range = store_range_all() };

	add_found(look, &all, 0);
	look->found[0].cause = look->kept_was_wrong
	                               ? "the digest kept here was not the sum of the rows"
	                               : "the digest kept at the hub was not the sum of the rows";
}

/* Is one of the rows here not what it was when it was written? */
static int
find_uncaptured(struct sync_replica *r, int scope, const struct found *found, bool *any,
                struct err *err)
{
	struct arena a = { 0 };
	struct store_range_rows rows = {
		.scope = scope, .range = found->here.range, .most = SYNC_RIFT_SAID, .arena = &a
	};
	int rc = store_range_rows(r->db, &rows, err);

	if (rc == 0)
		rc = r->batch->get(r->batch, rows.list, rows.count, &a, err);
	*any = false;
	for (size_t i = 0; rc == 0 && !*any && i < rows.count; i++) {
		uint8_t term[STORE_TERM];

		store_row_term(r->batch, rows.list[i], term);
		*any = memcmp(term, rows.list[i]->term, STORE_TERM) != 0;
	}
	arena_free(&a);
	return rc;
}

/* Why rows differ, as far as it can be told from here. */
static const char *
cause_of(const struct found *found, bool uncaptured)
{
	if (uncaptured)
		return "rows that were changed here past their triggers";
	if (found->here.rows > found->rows_there)
		return "rows that the hub had lost";
	return found->here.rows < found->rows_there ? "rows that were lost here"
	                                            : "rows with other versions or values";
}

/* Before anything is put right. */
static int
find_causes(struct sync_rift *look, struct sync_replica *r, struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < look->found_count; i++) {
		struct found *found = &look->found[i];
		bool uncaptured;

		rc = find_uncaptured(r, look->scope, found, &uncaptured, err);
		found->cause = cause_of(found, uncaptured);
	}
	return rc;
}

/* True if the look is over. */
static bool
take_sums(struct sync_rift *look, const struct sync_message *m, bool same)
{
	size_t done = 0;

	while (same && done < look->group_count && look->groups[done].until <= m->answer_count)
		take_group(look, &look->groups[done++], m->answers);
	if ((same && done == 0) || look->rounds == ROUNDS)
		return true; /* the hub doesn't answer, or things move too fast: another time */
	for (; done < look->group_count; done++)
		add_todo(look, &look->groups[done].range);
	look->group_count = 0;
	return false;
}

/* All has been compared: what is there to be said again? */
static int
end_search(struct sync_rift *look, struct sync_replica *r, bool *over, struct err *err)
{
	*over = look->found_count == 0;
	if (*over)
		blame_digest(look);
	look->stage = MENDS;
	return *over ? keep_rifts(look, r->db, err) : find_causes(look, r, err);
}

/* What was found is kept when both sides have said it: a line that is lost before costs a look. */
int
sync_rift_take(struct sync_rift **in, struct sync_replica *r, const struct sync_message *m,
               bool same, struct err *err)
{
	struct sync_rift *look = *in;
	bool over = look->stage == SAID;
	int rc = over ? keep_rifts(look, r->db, err) : 0;

	if (!over)
		over = take_sums(look, m, same);
	if (!over && (look->todo_count == 0 || look->found_count == FOUND))
		rc = end_search(look, r, &over, err);
	if (over) {
		sync_rift_free(look);
		*in = NULL;
	}
	return rc;
}
