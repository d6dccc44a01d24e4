#include "sync/exchange/level.h"

#include <string.h>

enum { ABSENT = -1 };

static bool
same_site(const struct sync_site *a, const struct sync_site *b)
{
	return memcmp(a->node, b->node, STORE_NODE_ID) == 0 &&
	       memcmp(a->epoch, b->epoch, STORE_EPOCH) == 0;
}

/* The stream of `from` in the other message, or ABSENT. */
static long
find(const struct sync_message *m, const struct sync_message *from, size_t i)
{
	const struct sync_view_stream *wanted = &from->streams[i];

	for (size_t k = 0; k < m->stream_count; k++)
		if (same_site(&m->sites[m->streams[k].site].site,
		              &from->sites[wanted->site].site) &&
		    strcmp(m->scopes[m->streams[k].scope], from->scopes[wanted->scope]) == 0)
			return (long)k;
	return ABSENT;
}

static bool
is_own(const struct sync_message *asked, size_t i)
{
	return memcmp(asked->sites[asked->streams[i].site].site.node, asked->self.node,
	              STORE_NODE_ID) == 0;
}

/* A hub names every stream of the node's own that it has anything of; of others' only those that
 * it has otherwise. */
static bool
hub_has_the_same(const struct sync_message *asked, const struct sync_message *said, size_t i)
{
	const struct sync_view_stream *has = &asked->streams[i];
	long k = find(said, asked, i);

	if (has->n == 0)
		return true;
	if (k == ABSENT)
		return !is_own(asked, i);
	return said->streams[k].n == has->n &&
	       memcmp(said->streams[k].head, has->head, SYNC_HEAD_SHORT) == 0;
}

static bool
equal_have(const struct sync_message *asked, const struct sync_message *said, const char *scope)
{
	for (size_t i = 0; i < asked->stream_count; i++)
		if (strcmp(asked->scopes[asked->streams[i].scope], scope) == 0 &&
		    !hub_has_the_same(asked, said, i))
			return false;
	for (size_t i = 0; i < said->stream_count; i++)
		if (strcmp(said->scopes[said->streams[i].scope], scope) == 0 &&
		    said->streams[i].n > 0 && find(asked, said, i) == ABSENT)
			return false;
	return true;
}

static const struct sync_view_digest *
digest_of(const struct sync_message *m, const char *scope)
{
	for (size_t i = 0; i < m->digest_count; i++)
		if (strcmp(m->scopes[m->digests[i].scope], scope) == 0)
			return &m->digests[i];
	return NULL;
}

static enum sync_level_word
compare(const struct sync_message *asked, const struct sync_message *said)
{
	enum sync_level_word word = SYNC_LEVEL_UNKNOWN;

	for (size_t i = 0; i < asked->digest_count; i++) {
		const char *scope = asked->scopes[asked->digests[i].scope];
		const struct sync_view_digest *hubs = digest_of(said, scope);

		if (hubs == NULL || !equal_have(asked, said, scope))
			continue;
		if (memcmp(hubs->sum, asked->digests[i].sum, STORE_TERM) != 0)
			return SYNC_LEVEL_UNEQUAL;
		word = SYNC_LEVEL_EQUAL;
	}
	return word;
}

struct sync_level
sync_level_of(const struct sync_message *asked, const struct sync_message *said)
{
	struct sync_level level = { .word = compare(asked, said) };

	for (size_t i = 0; i < asked->stream_count; i++) {
		long k = find(said, asked, i);
		uint64_t there = k == ABSENT ? 0 : said->streams[k].n;

		/* what an earlier life wrote was written again in this one */
		if (is_own(asked, i) &&
		    same_site(&asked->sites[asked->streams[i].site].site, &asked->self) &&
		    asked->streams[i].n > there)
			level.lacking += asked->streams[i].n - there;
	}
	return level;
}
