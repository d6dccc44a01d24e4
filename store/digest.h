/*
 * store/digest.h - the sum over all rows of a scope that two replicas compare.
 */
#ifndef STORE_DIGEST_H
#define STORE_DIGEST_H

#include "store/batch.h"

struct store_digest {
	int scope;
	uint8_t sum[STORE_TERM];
	int64_t rows; /* live rows */
};

/* The digest of a scope; all zero if nothing is in it. */
MUST_CHECK int store_digest_get(struct store_db *db, int scope, struct store_digest *out,
                                struct err *err);

/* All digests, by scope number. */
MUST_CHECK int store_digest_list(struct store_db *db, struct arena *a, struct store_digest **list,
                                 size_t *count, struct err *err);

/* Write a digest. */
MUST_CHECK int store_digest_put(struct store_db *db, const struct store_digest *digest,
                                struct err *err);

/* Count a row, as it stands, in the digest of a scope (sign 1), or no more (-1). */
MUST_CHECK int store_digest_add(struct store_db *db, int scope, const struct store_row *row,
                                int sign, struct err *err);

struct store_digest_fault {
	const char *table;
	const uint8_t *key;
	size_t key_len;
	const char *what;
};
typedef void store_digest_tell(void *ctx, const struct store_digest_fault *fault);

struct store_digest_verify {
	bool deep; /* hold each row's term against its values, too */
	store_digest_tell *tell;
	void *ctx;
	/* what came out */
	int64_t rows;
	int64_t faults;
};

/* Add the sums over the clock rows anew, compare with what is kept, and tell every fault. */
MUST_CHECK int store_digest_verify(struct store_db *db, struct store_digest_verify *verify,
                                   struct err *err);

/*
 * The same, and what is kept becomes the sum of the rows: a digest alone went wrong.  *mended says
 * whether any was.  In a STORE_MERGE transaction.
 */
MUST_CHECK int store_digest_mend(struct store_db *db, bool *mended, struct err *err);

#endif /* STORE_DIGEST_H */
