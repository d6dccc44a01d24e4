/*
 * node/facility/roster_read.c - from the bytes of a CSV file to checked rows.
 *
 * One table says what each column is called, where its value goes and how it is
 * read; a code column has a list of the words people use for it.
 */
#include "node/facility/codes.h"
#include "node/facility/csv.h"
#include "node/facility/date.h"
#include "node/facility/record.h"
#include "node/facility/roster_priv.h"

#include "store/base/text.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_BYTES = FACILITY_NAME_MAX - 1, ID_NO_MIN = 4, ID_NO_MAX = 32, ROWS_MAX = 20000 };

struct word {
	const char *word;
	int code;
};

static const struct word types[] = {
	{ "儿童", 1 }, { "child", 1 }, { "员工", 2 }, { "staff", 2 }, { NULL, 0 }
};
static const struct word sexes[] = { { "男", SEX_MALE },   { "女", SEX_FEMALE },
	                             { "m", SEX_MALE },    { "f", SEX_FEMALE },
	                             { "male", SEX_MALE }, { "female", SEX_FEMALE },
	                             { NULL, 0 } };
static const struct word class_kinds[] = {
	{ "乳儿班", CLASS_INFANT },
	{ "乳儿", CLASS_INFANT },
	{ "infant", CLASS_INFANT },
	{ "托小班", CLASS_YOUNGER },
	{ "托小", CLASS_YOUNGER },
	{ "younger", CLASS_YOUNGER },
	{ "托大班", CLASS_OLDER },
	{ "托大", CLASS_OLDER },
	{ "older", CLASS_OLDER },
	{ "混合班", CLASS_MIXED },
	{ "混合", CLASS_MIXED },
	{ "mixed", CLASS_MIXED },
	{ NULL, 0 },
};
static const struct word services[] = {
	{ "全日托", SERVICE_FULL },
	{ "全日", SERVICE_FULL },
	{ "full", SERVICE_FULL },
	{ "半日托", SERVICE_HALF },
	{ "半日", SERVICE_HALF },
	{ "half", SERVICE_HALF },
	{ "计时托", SERVICE_HOURLY },
	{ "计时", SERVICE_HOURLY },
	{ "hourly", SERVICE_HOURLY },
	{ "临时托", SERVICE_DROP_IN },
	{ "临时", SERVICE_DROP_IN },
	{ "drop-in", SERVICE_DROP_IN },
	{ NULL, 0 },
};
static const struct word roles[] = {
	{ "负责人", ROLE_DIRECTOR },     { "园长", ROLE_DIRECTOR },
	{ "director", ROLE_DIRECTOR },   { "保育", ROLE_CARER },
	{ "保育员", ROLE_CARER },        { "保育师", ROLE_CARER },
	{ "carer", ROLE_CARER },         { "保健", ROLE_HEALTH },
	{ "保健员", ROLE_HEALTH },       { "保健医", ROLE_HEALTH },
	{ "health", ROLE_HEALTH },       { "保安", ROLE_GUARD },
	{ "guard", ROLE_GUARD },         { "炊事", ROLE_COOK },
	{ "炊事员", ROLE_COOK },         { "厨师", ROLE_COOK },
	{ "cook", ROLE_COOK },           { "志愿者", ROLE_VOLUNTEER },
	{ "volunteer", ROLE_VOLUNTEER }, { "管理", ROLE_OFFICE },
	{ "office", ROLE_OFFICE },       { NULL, 0 },
};

enum value_kind { VALUE_TEXT, VALUE_CODE, VALUE_DATE, VALUE_ID_NO };

enum { FOR_CHILD = 1, FOR_STAFF = 2, NEED_CHILD = 4, NEED_STAFF = 8 };

static const struct column {
	const char *zh;
	const char *en;
	enum value_kind kind;
	int use;
	size_t offset;
	const struct word *words;
} columns[] = {
	{ "类型", "type", VALUE_CODE, FOR_CHILD | FOR_STAFF, offsetof(struct roster_row, staff),
	  types },
	{ "姓名", "name", VALUE_TEXT, FOR_CHILD | FOR_STAFF | NEED_CHILD | NEED_STAFF,
	  offsetof(struct roster_row, name), NULL },
	{ "性别", "sex", VALUE_CODE, FOR_CHILD | FOR_STAFF, offsetof(struct roster_row, sex),
	  sexes },
	{ "出生日期", "birth_date", VALUE_DATE, FOR_CHILD | NEED_CHILD,
	  offsetof(struct roster_row, birth_date), NULL },
	{ "班级", "class", VALUE_TEXT, FOR_CHILD | FOR_STAFF | NEED_CHILD,
	  offsetof(struct roster_row, class_name), NULL },
	{ "班型", "class_kind", VALUE_CODE, FOR_CHILD | FOR_STAFF,
	  offsetof(struct roster_row, class_kind), class_kinds },
	{ "证件号", "id_no", VALUE_ID_NO, FOR_CHILD, offsetof(struct roster_row, id_no), NULL },
	{ "入托日期", "start_date", VALUE_DATE, FOR_CHILD, offsetof(struct roster_row, start_date),
	  NULL },
	{ "服务", "service", VALUE_CODE, FOR_CHILD, offsetof(struct roster_row, service),
	  services },
	{ "过敏", "allergy", VALUE_TEXT, FOR_CHILD, offsetof(struct roster_row, allergy), NULL },
	{ "岗位", "role", VALUE_CODE, FOR_STAFF | NEED_STAFF, offsetof(struct roster_row, role),
	  roles },
	{ "电话", "phone", VALUE_TEXT, FOR_STAFF, offsetof(struct roster_row, phone), NULL },
	{ "监护人1", "guardian1", VALUE_TEXT, FOR_CHILD,
	  offsetof(struct roster_row, guardians[0].name), NULL },
	{ "关系1", "relation1", VALUE_TEXT, FOR_CHILD,
	  offsetof(struct roster_row, guardians[0].relation), NULL },
	{ "电话1", "phone1", VALUE_TEXT, FOR_CHILD, offsetof(struct roster_row, guardians[0].phone),
	  NULL },
	{ "监护人2", "guardian2", VALUE_TEXT, FOR_CHILD,
	  offsetof(struct roster_row, guardians[1].name), NULL },
	{ "关系2", "relation2", VALUE_TEXT, FOR_CHILD,
	  offsetof(struct roster_row, guardians[1].relation), NULL },
	{ "电话2", "phone2", VALUE_TEXT, FOR_CHILD, offsetof(struct roster_row, guardians[1].phone),
	  NULL },
	{ "监护人3", "guardian3", VALUE_TEXT, FOR_CHILD,
	  offsetof(struct roster_row, guardians[2].name), NULL },
	{ "关系3", "relation3", VALUE_TEXT, FOR_CHILD,
	  offsetof(struct roster_row, guardians[2].relation), NULL },
	{ "电话3", "phone3", VALUE_TEXT, FOR_CHILD, offsetof(struct roster_row, guardians[2].phone),
	  NULL },
	{ "监护人4", "guardian4", VALUE_TEXT, FOR_CHILD,
	  offsetof(struct roster_row, guardians[3].name), NULL },
	{ "关系4", "relation4", VALUE_TEXT, FOR_CHILD,
	  offsetof(struct roster_row, guardians[3].relation), NULL },
	{ "电话4", "phone4", VALUE_TEXT, FOR_CHILD, offsetof(struct roster_row, guardians[3].phone),
	  NULL },
};

enum { COLUMNS = sizeof columns / sizeof columns[0] };

/* Which column of the file each field is. */
struct heading {
	const struct column *at[CSV_FIELDS_MAX];
	size_t count;
};

static int
refuse(struct err *err, const struct csv_field *f, const char *name, const char *why)
{
	return err_set(err, ERR_INVALID, "line %d, column %d (%s): '%.60s' %s", f->line, f->column,
	               name, f->text, why);
}

static int
read_heading(const struct csv_record *r, struct heading *h, struct err *err)
{
	h->count = r->count;
	for (size_t i = 0; i < r->count; i++) {
		h->at[i] = NULL;
		for (size_t c = 0; c < COLUMNS; c++)
			if (strcmp(columns[c].zh, r->fields[i].text) == 0 ||
			    strcasecmp(columns[c].en, r->fields[i].text) == 0)
				h->at[i] = &columns[c];
		if (h->at[i] == NULL)
			return refuse(err, &r->fields[i], "heading", "is not a column of a roster");
		for (size_t before = 0; before < i; before++)
			if (h->at[before] == h->at[i])
				return refuse(err, &r->fields[i], "heading", "stands twice");
	}
	return 0;
}

static int
read_code(const struct csv_field *f, const struct column *c, int *out, struct err *err)
{
	for (const struct word *w = c->words; w->word != NULL; w++)
		if (strcasecmp(w->word, f->text) == 0) {
			*out = w->code;
			return 0;
		}
	return err_set(err, ERR_INVALID,
	               "line %d, column %d (%s): '%.60s' is not known: write for example %s or %s",
	               f->line, f->column, c->zh, f->text, c->words[0].word, c->words[1].word);
}

/* Numbers on papers are written with blanks and small letters; both mean nothing. */
static int
read_id_no(const struct csv_field *f, struct arena *a, const char **out, struct err *err)
{
	char *to = arena_copy(a, f->text, strlen(f->text));
	size_t len = 0;

	if (to == NULL)
		return err_set(err, ERR_NOMEM, "line %d: out of memory", f->line);
	for (const char *from = f->text; *from != 0; from++) {
		if (*from == ' ' || *from == '-')
			continue;
		if (!isalnum((unsigned char)*from))
			return err_set(
			        err, ERR_INVALID,
			        "line %d, column %d (证件号): holds more than letters and digits",
			        f->line, f->column);
		to[len++] = (char)toupper((unsigned char)*from);
	}
	to[len] = 0;
	if (len < ID_NO_MIN || len > ID_NO_MAX)
		return err_set(err, ERR_INVALID,
		               "line %d, column %d (证件号): has %zu characters, not %d to %d",
		               f->line, f->column, len, ID_NO_MIN, ID_NO_MAX);
	*out = to;
	return 0;
}

static int
read_value(const struct csv_field *f, const struct column *c, struct arena *a,
           struct roster_row *row, struct err *err)
{
	void *to = (char *)row + c->offset;
	int rc, type = 0;

	switch (c->kind) {
	case VALUE_TEXT:
		if (strlen(f->text) > NAME_BYTES &&
		    c->offset != offsetof(struct roster_row, allergy))
			return refuse(err, f, c->zh, "is too long");
		*(const char **)to = f->text;
		return 0;
	case VALUE_CODE:
		if (c->words != types)
			return read_code(f, c, to, err);
		rc = read_code(f, c, &type, err);
		row->staff = rc == 0 && type == 2;
		return rc;
	case VALUE_DATE:
		return date_parse(f->text, to)
		               ? 0
		               : refuse(err, f, c->zh, "is not a date: write it as 2024-03-01");
	case VALUE_ID_NO:
		return read_id_no(f, a, to, err);
	}
	abort();
}

/* What is there belongs to this kind of row, and what is needed is filled. */
static int
check_field(const struct csv_field *f, const struct column *c, bool staff, struct err *err)
{
	bool empty = f->text[0] == 0;

	if (!empty && (c->use & (staff ? FOR_STAFF : FOR_CHILD)) == 0)
		return refuse(err, f, c->zh, staff ? "is for children only" : "is for staff only");
	if (empty && (c->use & (staff ? NEED_STAFF : NEED_CHILD)) != 0)
		return err_set(err, ERR_INVALID, "line %d, column %d (%s): is empty, but needed",
		               f->line, f->column, c->zh);
	return 0;
}

static bool
has_column(const struct heading *h, const struct column *c)
{
	for (size_t i = 0; i < h->count; i++)
		if (h->at[i] == c)
			return true;
	return false;
}

static int
check_columns(const struct heading *h, const struct roster_row *row, struct err *err)
{
	for (size_t c = 0; c < COLUMNS; c++)
		if ((columns[c].use & (row->staff ? NEED_STAFF : NEED_CHILD)) != 0 &&
		    !has_column(h, &columns[c]))
			return err_set(err, ERR_INVALID,
			               "line %d: the file has no column %s (%s), which a row for a "
			               "%s needs",
			               row->line, columns[c].zh, columns[c].en,
			               row->staff ? "member of staff" : "child");
	return 0;
}

static int
check_guardians(const struct roster_row *row, struct err *err)
{
	for (size_t i = 0; i < ROSTER_GUARDIANS; i++) {
		const struct roster_guardian *g = &row->guardians[i];

		if (g->name == NULL && (g->relation != NULL || g->phone != NULL))
			return err_set(err, ERR_INVALID,
			               "line %d: 监护人%zu (guardian%zu) is empty, but 关系 or "
			               "电话 is not",
			               row->line, i + 1, i + 1);
	}
	return 0;
}

static int
check_row(const struct csv_record *r, const struct heading *h, const struct roster_row *row,
          struct err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < r->count; i++)
		rc = check_field(&r->fields[i], h->at[i], row->staff, err);
	if (rc == 0)
		rc = check_columns(h, row, err);
	return rc < 0 ? rc : check_guardians(row, err);
}

static int
read_row(const struct csv_record *r, const struct heading *h, struct arena *a,
         struct roster_row *row, struct err *err)
{
	int rc = 0;

	*row = (struct roster_row){ .line = r->line };
	if (r->count > h->count)
		return err_set(err, ERR_INVALID,
		               "line %d, column %zu: there are more fields than columns in line 1",
		               r->line, h->count + 1);
	if (r->count < h->count)
		return err_set(err, ERR_INVALID,
		               "line %d: has %zu fields, line 1 names %zu columns", r->line,
		               r->count, h->count);
	for (size_t i = 0; rc == 0 && i < r->count; i++)
		if (r->fields[i].text[0] != 0)
			rc = read_value(&r->fields[i], h->at[i], a, row, err);
	return rc < 0 ? rc : check_row(r, h, row, err);
}

static bool
same_person(const struct roster_row *a, const struct roster_row *b)
{
	if (a->staff != b->staff)
		return false;
	if (a->staff)
		return strcmp(a->name, b->name) == 0 && a->role == b->role;
	if (a->id_no != NULL && b->id_no != NULL)
		return strcmp(a->id_no, b->id_no) == 0;
	return strcmp(a->name, b->name) == 0 && a->birth_date == b->birth_date;
}

static int
check_twice(const struct roster_row *rows, size_t count, struct err *err)
{
	const struct roster_row *last = &rows[count - 1];

	assert(last->name != NULL); /* check_row */

	for (size_t i = 0; i + 1 < count; i++) {
		if (!same_person(&rows[i], last))
			continue;
		if (strcmp(rows[i].name, last->name) != 0)
			return err_set(err, ERR_INVALID,
			               "line %d: %s has the 证件号 (id_no) of %s in line %d",
			               last->line, last->name, rows[i].name, rows[i].line);
		return err_set(err, ERR_INVALID, "line %d: %s stands in line %d already",
		               last->line, last->name, rows[i].line);
	}
	return 0;
}

/* Lines of a text, as a bound on its rows. */
static size_t
count_lines(const struct buf *text)
{
	size_t lines = 1;

	for (size_t i = 0; i < text->len; i++)
		lines += text->bytes[i] == '\n' || text->bytes[i] == '\r';
	return lines;
}

/* Spreadsheets leave rows of commas behind the last one. */
static bool
all_empty(const struct csv_record *r)
{
	for (size_t i = 0; i < r->count; i++)
		if (r->fields[i].text[0] != 0)
			return false;
	return true;
}

static int
read_rows(const struct buf *text, struct arena *a, struct roster_row **rows, size_t *count,
          struct err *err)
{
	struct csv csv = csv_from(text->bytes, text->len);
	size_t room = count_lines(text);
	struct csv_record record;
	struct heading heading = { 0 };
	int rc;

	*rows = arena_take(a, room, sizeof **rows);
	if (*rows == NULL)
		return err_set(err, ERR_NOMEM, "out of memory for %zu lines", room);
	rc = csv_next(&csv, a, &record, err);
	if (rc == 0)
		return err_set(err, ERR_INVALID, "the file is empty: line 1 must name the columns");
	rc = rc < 0 ? rc : read_heading(&record, &heading, err);
	while (rc >= 0 && (rc = csv_next(&csv, a, &record, err)) == 1) {
		if (all_empty(&record))
			continue;
		if (*count == ROWS_MAX)
			return err_set(err, ERR_INVALID, "line %d: a roster has at most %d rows",
			               record.line, ROWS_MAX);
		rc = read_row(&record, &heading, a, &(*rows)[*count], err);
		if (rc == 0)
			rc = check_twice(*rows, ++*count, err);
	}
	return rc;
}

int
roster_read(const void *bytes, size_t len, struct arena *a, struct roster_row **rows, size_t *count,
            struct err *err)
{
	struct buf text = { 0 };
	int rc;

	*count = 0;
	if (len > ROSTER_BYTES_MAX)
		return err_set(err, ERR_INVALID, "the file has %zu bytes, more than %d", len,
		               ROSTER_BYTES_MAX);
	rc = csv_to_utf8(bytes, len, &text, err);
	if (rc == 0)
		rc = read_rows(&text, a, rows, count, err);
	buf_free(&text);
	return rc;
}

void
roster_cut_word(const char **list, char word[FACILITY_NAME_MAX])
{
	static const char *const ends[] = { "、", "，", "；", ",", ";", "/", " ", "　" };
	size_t len = strlen(*list), skip = 0;
	char whole[4 * FACILITY_NAME_MAX];

	for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
		const char *end = strstr(*list, ends[i]);

		if (end != NULL && (size_t)(end - *list) < len) {
			len = (size_t)(end - *list);
			skip = strlen(ends[i]);
		}
	}
	snprintf(whole, sizeof whole, "%.*s", (int)len, *list);
	text_copy(word, FACILITY_NAME_MAX, whole);
	*list += len + skip;
}
