/* sync/archive/archive_log.c - questions that the rows of yz_archive answer without git. */
#include "sync/archive/archive.h"
#include "sync/archive/archive_priv.h"

#include <string.h>

int
sync_archive_log(struct store_db *db, struct arena *a, struct sync_archive_entry **entries,
                 size_t *count, struct err *err)
{
	return sync_archive_row_list(db, NULL, a, entries, count, err);
}

int
sync_archive_commit_for(struct store_db *db, const struct sync_site *site, const char *scope,
                        uint64_t n, char commit[SYNC_ARCHIVE_ID + 1], struct err *err)
{
	char branch[SYNC_ARCHIVE_BRANCH];
	struct arena a = { 0 };
	struct sync_archive_entry *list;
	const struct sync_archive_entry *found = NULL;
	size_t count;
	int rc;

	sync_archive_row_branch(branch, "proof", site);
	rc = sync_archive_row_list(db, branch, &a, &list, &count, err);
	for (size_t i = 0; rc == 0 && found == NULL && i < count; i++)
		for (size_t j = 0; j < list[i].bound_count; j++)
			if (list[i].bounds[j].n >= n && strcmp(list[i].bounds[j].scope, scope) == 0)
				found = &list[i];
	if (found != NULL)
		memcpy(commit, found->commit, sizeof found->commit);
	else if (rc == 0)
		rc = err_set(err, ERR_NOTFOUND, "no proof commit covers record %llu of %s",
		             (unsigned long long)n, scope);
	arena_free(&a);
	return rc;
}
