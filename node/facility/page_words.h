/*
 * node/facility/page_words.h - every word of the page, Chinese and English: one
 * table, so that a sentence can't be there in one language only.
 */
#ifndef NODE_FACILITY_PAGE_WORDS_H
#define NODE_FACILITY_PAGE_WORDS_H

enum page_lang { PAGE_ZH, PAGE_EN, PAGE_LANGS };

enum page_word {
	W_LANG,
	W_TODAY,
	W_SKIP,
	W_OTHER_LANG,
	W_OTHER_LANG_CODE,
	W_ENROLLED,
	W_EXPECTED,
	W_PRESENT,
	W_LEFT,
	W_ABSENT,
	W_VISITS,
	W_CLASSES,
	W_NO_CLASS,
	W_CLASS_COUNT,
	W_NOBODY,
	W_ARRIVE,
	W_PICKUP,
	W_BY_WHOM,
	W_NOT_SAID,
	W_MARK_ABSENT,
	W_REASON,
	W_UNDO,
	W_ALLERGY,
	W_IN_AT,
	W_OUT_AT,
	W_CARD_YELLOW,
	W_CARD_RED,
	W_ABSENT_TITLE,
	W_NAME,
	W_CLASS,
	W_NONE_ABSENT,
	W_WEEKDAYS,
	W_SYNC_IN_SYNC,
	W_SYNC_SYNCING,
	W_ZONE,
	W_SYNC_NEVER,
	W_SYNC_WAITING,
	W_SYNC_UNEVEN,
	W_SYNC_UNREACHABLE,
	W_SYNC_ATTENTION,
	W_SYNC_DIFFERS,
	W_SYNC_LOST,
	W_SYNC_LAST,
	W_REQUESTS,
	W_REQUESTS_COUNT,
	W_REQUESTS_REST,
	W_LEAVE,
	W_MEDICINE,
	W_BOOKING,
	W_RIGHT,
	W_COURSE,
	W_QUOTE,
	W_ANSWER_NOTE,
	W_ANSWER_NOTE_OF,
	W_ACCEPT,
	W_DECLINE,
	W_WHY_DECLINED,
	W_NO_REQUEST,
	W_ANSWERED,
	W_REWORDED,
	W_AGREED,
	W_AGREED_MORE,
	W_DUE_AT,
	W_GIVEN_AT,
	W_ALL_GIVEN,
	W_GIVEN,
	W_GIVEN_OF,
	W_CAME,
	W_MISSED,
	W_DONE,
	W_NOT_AGREED,
	W_NEWS,
	W_NEWS_DISTRICT,
	W_NEWS_UNTIL,
	W_NEWS_MORE,
	W_COMMENTS,
	W_COMMENT_AGE,
	W_COMMENTS_MORE,
	W_STREET,
	W_STREET_HOME,
	W_STREET_FEW,
	W_STREET_SOME,
	W_STREET_MORE,
	W_STREET_OLDER,
	W_SUSPECTED,
	W_CLINICAL,
	W_CONFIRMED,
	W_COLON,
	W_SAVED_HERE,
	W_BAD_FORM,
	W_BAD_TOKEN,
	W_UNKNOWN_CHILD,
	W_NOT_ALLOWED,
	W_NOT_HERE,
	W_NOTHING_TO_UNDO,
	W_BAD_CLOCK,
	W_NOT_SAVED,
	W_DISK_FULL,
	W_ELSEWHERE,
	W_COUNT,
};

/* A word; in a phrase #1 and #2 stand for what the page puts there. */
const char *page_word(enum page_lang lang, enum page_word word);

/* The reasons for absence that the page offers, with the symptom bits that go with being ill. */
struct page_reason {
	const char *value; /* "reason:symptoms" */
	const char *text[PAGE_LANGS];
};
extern const struct page_reason page_reasons[];
extern const int page_reason_count;

#endif /* NODE_FACILITY_PAGE_WORDS_H */
