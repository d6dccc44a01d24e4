/*
 * node/hub/fleet_words.h - the words of the hub's page, each in both languages in
 * one table, so that a sentence can't be there in one language only.
 */
#ifndef NODE_FLEET_WORDS_H
#define NODE_FLEET_WORDS_H

#include "node/facility/page_words.h"
#include "node/hub/fleet.h"

enum fleet_word {
	FW_LANG,
	FW_TITLE,
	FW_OTHER_LANG,
	FW_OTHER_CODE,
	FW_SKIP,
	FW_AT,
	FW_SIGNED_IN,
	FW_LEAVE,
	FW_SIGN_IN,
	FW_NAME,
	FW_PASSWORD,
	FW_ENTER,
	FW_HOW,
	FW_WRONG,
	FW_MANY,
	FW_OLD_FORM,
	FW_STATES,
	FW_FILTER,
	FW_ALL,
	FW_STATE,
	FW_STREET,
	FW_VERSION,
	FW_BACKLOG,
	FW_BACKLOG_MIN,
	FW_SHOW,
	FW_MAP,
	FW_MAP_SAYS,
	FW_NO_PLACES,
	FW_TABLE,
	FW_NONE,
	FW_NODE,
	FW_FACILITY,
	FW_CAME,
	FW_NEVER_CAME,
	FW_DIGEST,
	FW_DISK,
	FW_CLOCK,
	FW_NEEDS,
	FW_UNKNOWN,
	FW_EQUAL,
	FW_UNEQUAL,
	FW_PAGES,
	FW_PAGE,
	FW_EARLIER,
	FW_LATER,
	FW_RESTORED,
	FW_CLONED,
	FW_HUB_BACK,
	FW_COUNT,
};

/* A word; in a phrase #1 and #2 stand for what the page puts there. */
const char *fleet_word(enum page_lang lang, enum fleet_word word);

/* A state's and a cause's name for people. */
const char *fleet_word_state(enum page_lang lang, enum fleet_state state);
const char *fleet_word_cause(enum page_lang lang, size_t i);

#endif /* NODE_FLEET_WORDS_H */
