/*
 * node/config.h - DIR/node.conf: the settings of one installation.
 *
 *     [facility]  id  name
 *     [node]      role (node | hub)
 *     [hub]       pin (sha256//..., of its TLS key)  ca (file; none: the pin alone counts)
 *     [sync]      interval (seconds between exchanges, 30)
 *     [http]      listen (127.0.0.1:8710; a hub 127.0.0.1:8700)
 *                 hosts (further names it answers to)
 *                 pin (a hub: of the TLS key of its front, told with each code)
 *
 * Which hub is ours, and its key, is no setting: enrolment keeps both in the
 * database, proven by the code.  The time zone is a column of the table facility.
 *
 * A key that isn't in this list is an error that names file and line, so that a
 * slip of the pen is not a setting quietly ignored.
 */
#ifndef NODE_CONFIG_H
#define NODE_CONFIG_H

#include "store/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { CONFIG_ID_MAX = 48, CONFIG_NAME_SIZE = 200, CONFIG_URL_SIZE = 256, CONFIG_LIST_SIZE = 512 };

struct config {
	bool is_hub;
	char facility_id[CONFIG_ID_MAX + 1]; /* "" at a hub */
	char facility_name[CONFIG_NAME_SIZE];
	char hub_pin[CONFIG_LIST_SIZE];
	char hub_ca[CONFIG_URL_SIZE];
	int64_t sync_interval_s;
	char listen[CONFIG_URL_SIZE];
	char hosts[CONFIG_LIST_SIZE];
	char own_pin[CONFIG_LIST_SIZE]; /* at a hub: of the TLS key of the front before it; "" */
};

/*
 * Read DIR/node.conf.  ERR_NOTFOUND if there is none ("... is no yizhan directory"), ERR_INVALID
 * with file and line for what isn't right in it.
 */
MUST_CHECK int config_load(const char *dir, struct config *config, struct err *err);

/* hub.ca of a node whose code named the hub's TLS key: no authority counts, only hub.pin. */
#define CONFIG_CA_NONE "none"

/* Set one key, "hub.pin", durably; a NULL value takes it away.  ERR_INVALID for a key not listed.
 */
MUST_CHECK int config_set(const char *dir, const char *key, const char *value, struct err *err);

/* May this be a facility's ID: 1 to 48 of A-Z a-z 0-9 - _, so that it fits in a scope, a file name
 * and a URL? */
bool config_is_facility_id(const char *id);

#endif /* NODE_CONFIG_H */
