#include "node/ctl_words.h"
#include "node/status.h"
#include "sync/archive/archive.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
	[CTL_DO_UNKNOWN] = "?",
	[CTL_DO_SYNC] = "{\"do\":\"sync\"}",
	[CTL_DO_ARCHIVE] = "{\"do\":\"archive\"}",
	[CTL_DO_ROTATE] = "{\"do\":\"rotate\"}",
	[CTL_DO_RELOAD] = "{\"do\":\"reload\"}",
};

/* Lines are compared whole: both ends are this program. */
enum ctl_do
ctl_words_read(const char *line)
{
	for (int i = CTL_DO_SYNC; i <= CTL_DO_RELOAD; i++)
		if (strcmp(names[i], line) == 0)
			return (enum ctl_do)i;
	return CTL_DO_UNKNOWN;
}

const char *
ctl_words_line(enum ctl_do what)
{
	return names[what];
}

/* n 0: what was refused has no number in a stream. */
static void
put_refusal(struct json *j, const char *scope, uint64_t n, const char *reason)
{
	json_object(j);
	json_name(j, "scope");
	json_text(j, scope[0] == 0 ? NULL : scope);
	json_member_int(j, "n", n != 0, (int64_t)n);
	json_name(j, "reason");
	json_text(j, reason);
	json_end_object(j);
}

static void
put_rejected(struct json *j, const struct node_met *met)
{
	json_name(j, "rejected");
	json_array(j);
	for (size_t i = 0; i < met->rejected_count; i++)
		put_refusal(j, met->rejected[i].scope, met->rejected[i].n, met->rejected[i].reason);
	for (size_t i = 0; i < met->kept_count; i++)
		put_refusal(j, met->kept[i].scope, 0, met->kept[i].reason);
	json_end_array(j);
}

static const char *
state_word(struct store_db *db)
{
	struct node_status status;
	struct arena a = { 0 };
	struct err err;
	const char *word = "?";

	if (node_status_read(db, NULL, &a, &status, &err) == 0)
		word = node_status_word(node_status_state(&status));
	arena_free(&a);
	return word;
}

/* Why it failed; a refusal brings its own advice, behind a "; ". */
static void
put_failed(struct buf *out, const struct node_met *met)
{
	const char *advice = met->denied ? strstr(met->words, "; ") : NULL;
	struct ctl_error error = {
		met->denied ? "denied" : "unreachable", met->words,
		"records are kept and go up by themselves when the line is back"
	};
	struct buf message = { 0 };

	if (advice != NULL) {
		buf_put(&message, met->words, (size_t)(advice - met->words));
		error.message = buf_str(&message);
		error.todo = advice + 2;
	}
	ctl_words_error(out, &error);
	buf_free(&message);
}

void
ctl_words_sync(struct buf *out, struct store_db *db, const struct ctl_sync *sync)
{
	const struct node_met *met = sync->met;
	struct json j = json_to(out);
	const struct {
		const char *name;
		int64_t value;
	} numbers[] = {
		{ "sent", met->sent },
		{ "received", met->received },
		{ "bytes_out", (int64_t)sync->cost.bytes_out },
		{ "bytes_in", (int64_t)sync->cost.bytes_in },
		{ "round_trips", sync->cost.round_trips },
	};

	if (!met->ok) {
		put_failed(out, met);
		return;
	}
	json_object(&j);
	json_name(&j, "state");
	json_text(&j, state_word(db));
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		json_name(&j, numbers[i].name);
		json_int(&j, numbers[i].value);
	}
	put_rejected(&j, met);
	json_name(&j, "took_ms");
	json_int(&j, sync->cost.took_ms);
	json_end_object(&j);
}

void
ctl_words_archive(struct buf *out, const struct sync_archive_result *result)
{
	struct json j = json_to(out);

	json_object(&j);
	json_name(&j, "branch");
	json_text(&j, result->branch);
	json_name(&j, "head");
	json_text(&j, result->head[0] == 0 ? NULL : result->head);
	json_name(&j, "commits");
	json_int(&j, (int64_t)result->commits);
	json_end_object(&j);
}

void
ctl_words_error(struct buf *out, const struct ctl_error *error)
{
	struct json j = json_to(out);

	json_object(&j);
	json_name(&j, "error");
	json_object(&j);
	json_name(&j, "code");
	json_text(&j, error->code);
	json_name(&j, "message");
	json_text(&j, error->message);
	json_name(&j, "do");
	json_text(&j, error->todo);
	json_end_object(&j);
	json_end_object(&j);
}

void
ctl_words_ok(struct buf *out)
{
	struct json j = json_to(out);

	json_object(&j);
	json_name(&j, "state");
	json_text(&j, "ok");
	json_end_object(&j);
}
