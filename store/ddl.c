#include "store/ddl_priv.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* ---- tokens ---- */

enum kind { END, WORD, QUOTED, OTHER };

struct token {
	enum kind kind;
	const char *at; /* of OTHER: the byte */
	bool fits;
	char name[STORE_NAME_MAX + 1]; /* of WORD and QUOTED, without the quotes */
};

static bool
is_word_byte(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$' || ((unsigned char)c & 0x80) != 0;
}

/* What a comment says to us, behind "yizhan"; NULL if it isn't for us. */
static const char *
ours_after(const char *comment)
{
	static const char name[] = "yizhan";
	size_t blanks = strspn(comment, " \t");
	const char *behind = comment + blanks + sizeof name - 1;

	return strncmp(comment + blanks, name, sizeof name - 1) == 0 &&
	                       (*behind == ' ' || *behind == '\t')
	               ? behind + 1
	               : NULL;
}

int
store_ddl_skip(const char **at, const char **words, size_t *len)
{
	const char *p = *at;
	int found = 0;

	for (; found == 0; *at = p) {
		if (strncmp(p, "\xef\xbb\xbf", 3) == 0) { /* SQLite takes it for a blank */
			p += 3;
		} else if (*p != 0 && strchr(" \t\r\n\f", *p) != NULL) {
			p++;
		} else if (strncmp(p, "--", 2) == 0) {
			*words = ours_after(p + 2);
			found = *words != NULL;
			p += strcspn(p, "\r\n");
			*len = found ? (size_t)(p - *words) : 0;
		} else if (strncmp(p, "/*", 2) == 0) {
			const char *end = strstr(p + 2, "*/");

			p = end == NULL ? p + strlen(p) : end + 2;
		} else {
			break;
		}
	}
	return found;
}

/* A name in quotes: "a""b", `a`, [a] or 'a'. */
static const char *
read_quoted(const char *p, struct token *t)
{
	char end = *p == '[' ? ']' : *p;
	size_t n = 0;

	for (p++; *p != 0; p++) {
		if (*p == end && (end == ']' || p[1] != end))
			break;
		if (*p == end)
			p++;
		if (n < STORE_NAME_MAX)
			t->name[n] = *p;
		n++;
	}
	t->fits = n <= STORE_NAME_MAX;
	t->name[t->fits ? n : 0] = 0;
	return *p == 0 ? p : p + 1;
}

static const char *
read_word(const char *p, struct token *t)
{
	size_t n = 0;

	while (is_word_byte(p[n]))
		n++;
	t->fits = n <= STORE_NAME_MAX;
	memcpy(t->name, p, t->fits ? n : 0);
	t->name[t->fits ? n : 0] = 0;
	return p + n;
}

/* Take the next token. */
static struct token
next(const char **at)
{
	struct token t = { .kind = END, .fits = true };
	const char *words;
	size_t len;

	while (store_ddl_skip(at, &words, &len) == 1)
		;
	t.at = *at;
	if (**at == 0 || **at == ';')
		return t;
	if (strchr("\"`['", **at) != NULL) {
		t.kind = QUOTED;
		*at = read_quoted(*at, &t);
	} else if (is_word_byte(**at)) {
		t.kind = WORD;
		*at = read_word(*at, &t);
	} else {
		t.kind = OTHER;
		(*at)++;
	}
	return t;
}

/* Take the next token if it is this word. */
static bool
take(const char **at, const char *word)
{
	const char *p = *at;
	struct token t = next(&p);

	if (t.kind != WORD || strcasecmp(t.name, word) != 0)
		return false;
	*at = p;
	return true;
}

static bool
take_byte(const char **at, char byte)
{
	const char *p = *at;
	struct token t = next(&p);

	if (t.kind != OTHER || *t.at != byte)
		return false;
	*at = p;
	return true;
}

/* Take a name. */
static bool
take_name(const char **at, char out[STORE_NAME_MAX + 1])
{
	struct token t = next(at);

	if ((t.kind != WORD && t.kind != QUOTED) || !t.fits)
		return false;
	memcpy(out, t.name, sizeof t.name);
	return true;
}

/* Take a name that may say "main." before it; any other database isn't the node's. */
static bool
take_place(const char **at, char out[STORE_NAME_MAX + 1])
{
	if (!take_name(at, out))
		return false;
	if (!take_byte(at, '.'))
		return true;
	return strcasecmp(out, "main") == 0 && take_name(at, out);
}

/* ---- statements ---- */

/* Behind the name of an index or a trigger: its table. */
static bool
take_table_of(const char **at, char out[STORE_NAME_MAX + 1])
{
	struct token t;

	do {
		if (take(at, "ON"))
			return take_name(at, out);
		t = next(at);
	} while (t.kind != END);
	return false;
}

static bool
read_create(const char *at, struct store_ddl *d)
{
	bool unique = take(&at, "UNIQUE"), table = take(&at, "TABLE");
	bool named = table || take(&at, "VIEW");
	bool on = !named && (take(&at, "INDEX") || take(&at, "TRIGGER"));

	if (!named && !on)
		return false;
	if (take(&at, "IF") && !(take(&at, "NOT") && take(&at, "EXISTS")))
		return false;
	d->act = table ? STORE_DDL_CREATE_TABLE : unique ? STORE_DDL_UNIQUE_INDEX : STORE_DDL_OTHER;
	if (!take_place(&at, table ? d->table : d->object))
		return false;
	return !on || take_table_of(&at, d->table);
}

static bool
read_drop(const char *at, struct store_ddl *d)
{
	bool table = take(&at, "TABLE");

	if (!table && !take(&at, "VIEW") && !take(&at, "INDEX") && !take(&at, "TRIGGER"))
		return false;
	if (take(&at, "IF") && !take(&at, "EXISTS"))
		return false;
	d->act = table ? STORE_DDL_DROP_TABLE : STORE_DDL_DROP_OTHER;
	return take_place(&at, table ? d->table : d->object);
}

static bool
read_rename(const char *at, struct store_ddl *d)
{
	const char *after = at;

	if (take(&after, "TO") && !take(&after, "TO")) {
		d->act = STORE_DDL_RENAME_TABLE;
		return take_name(&after, d->to);
	}
	take(&at, "COLUMN");
	d->act = STORE_DDL_RENAME_COLUMN;
	return take_name(&at, d->column) && take(&at, "TO") && take_name(&at, d->to);
}

static bool
read_alter(const char *at, struct store_ddl *d)
{
	if (!take(&at, "TABLE") || !take_place(&at, d->table))
		return false;
	if (take(&at, "RENAME"))
		return read_rename(at, d);
	if (take(&at, "ADD")) {
		d->act = STORE_DDL_ADD_COLUMN;
		return true;
	}
	if (!take(&at, "DROP"))
		return false;
	take(&at, "COLUMN");
	d->act = STORE_DDL_DROP_COLUMN;
	return take_name(&at, d->column);
}

void
store_ddl_read(const char *sql, struct store_ddl *out)
{
	bool known = false;

	memset(out, 0, sizeof *out);
	if (take(&sql, "CREATE"))
		known = read_create(sql, out);
	else if (take(&sql, "ALTER"))
		known = read_alter(sql, out);
	else if (take(&sql, "DROP"))
		known = read_drop(sql, out);
	if (!known)
		memset(out, 0, sizeof *out);
}

bool
store_ddl_takes_away(enum store_ddl_act act)
{
	return act == STORE_DDL_DROP_TABLE || act == STORE_DDL_DROP_COLUMN ||
	       act == STORE_DDL_RENAME_TABLE || act == STORE_DDL_RENAME_COLUMN ||
	       act == STORE_DDL_DROP_OTHER;
}

bool
store_ddl_holds_words(const char *sql, const char *end)
{
	const char *words;
	size_t len;

	while (sql < end && *sql != 0) {
		if (store_ddl_skip(&sql, &words, &len) == 1)
			return true;
		if (next(&sql).kind == END && *sql == ';')
			sql++; /* within a trigger's body */
	}
	return false;
}
