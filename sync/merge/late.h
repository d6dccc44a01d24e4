/* sync/merge/late.h - the reason under which the quarantine lists what came after its node's key
 * was revoked (sync/merge/late_priv.h). */
#ifndef SYNC_LATE_H
#define SYNC_LATE_H

extern const char sync_late_words[];

#endif /* SYNC_LATE_H */
