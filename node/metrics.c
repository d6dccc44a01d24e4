#include "node/metrics.h"

#include "store/stmt.h"

#include <inttypes.h>
#include <sys/statvfs.h>

/* One family's lines stand together, as the format wants it. */
static const struct {
	const char *family;
	const char *labels;
	const char *help;
} counters[METRIC_COUNT] = {
	[METRIC_HTTP_2XX] = { "yizhan_http_responses_total", "{class=\"2xx\"}",
	                      "HTTP answers by class of status." },
	[METRIC_HTTP_3XX] = { "yizhan_http_responses_total", "{class=\"3xx\"}", NULL },
	[METRIC_HTTP_4XX] = { "yizhan_http_responses_total", "{class=\"4xx\"}", NULL },
	[METRIC_HTTP_5XX] = { "yizhan_http_responses_total", "{class=\"5xx\"}", NULL },
	[METRIC_EXCHANGES_OK] = { "yizhan_exchanges_total", "{result=\"ok\"}",
	                          "Exchanges with a peer by result." },
	[METRIC_EXCHANGES_FAILED] = { "yizhan_exchanges_total", "{result=\"failed\"}", NULL },
	[METRIC_SENT] = { "yizhan_changes_sent_total", "", "Changes that a peer has taken." },
	[METRIC_RECEIVED] = { "yizhan_changes_received_total", "", "Changes merged from a peer." },
	[METRIC_REJECTED] = { "yizhan_changes_rejected_total", "",
	                      "Units and records that were not applied." },
	[METRIC_FEED_PAGES] = { "yizhan_feed_pages_total", "", "Pages of the feed given out." },
	[METRIC_EXPORTS] = { "yizhan_exports_total", "",
	                     "Snapshots, parts of them and exports given out." },
	[METRIC_RECORDS_STORED] = { "yizhan_records_total", "{state=\"stored\"}",
	                            "Lines of POST /v1/records by what became of them." },
	[METRIC_RECORDS_REFUSED] = { "yizhan_records_total", "{state=\"refused\"}", NULL },
};

static const struct fact {
	const char *name;
	const char *help;
	const char *sql; /* one whole number */
	bool hub;        /* only a hub has it */
} facts[] = {
	{ "yizhan_database_bytes", "Size of the database file.",
	  "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size", false },
	{ "yizhan_log_entries", "Changes that wait to be sealed.", "SELECT count(*) FROM yz_log",
	  false },
	{ "yizhan_conflicts_open", "Conflicts that need a person.",
	  "SELECT count(*) FROM yz_conflict WHERE state = 'open'", false },
	{ "yizhan_quarantined", "Changes that wait in quarantine.",
	  "SELECT count(*) FROM yz_quarantine WHERE dropped_ms IS NULL", false },
	{ "yizhan_hub_nodes", "Enrolled nodes.",
	  "SELECT count(*) FROM hub_node WHERE revoked_ms IS NULL", true },
	{ "yizhan_hub_nodes_revoked", "Revoked nodes.",
	  "SELECT count(*) FROM hub_node WHERE revoked_ms IS NOT NULL", true },
	{ "yizhan_hub_enrolments_waiting", "Nodes that wait for approval.",
	  "SELECT count(*) FROM hub_enrolment WHERE state = 1", true },
	{ "yizhan_hub_feed_lines", "Number of the feed's newest line.",
	  "SELECT coalesce(max(seq), 0) FROM hub_feed", true },
};

void
metrics_add(struct metrics *m, enum metric which, uint64_t n)
{
	atomic_fetch_add_explicit(&m->values[which], n, memory_order_relaxed);
}

void
metrics_http(struct metrics *m, int status)
{
	static const enum metric of_class[] = { METRIC_HTTP_2XX, METRIC_HTTP_3XX, METRIC_HTTP_4XX,
		                                METRIC_HTTP_5XX };

	if (status >= 200 && status < 600)
		metrics_add(m, of_class[status / 100 - 2], 1);
}

void
metrics_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

int
metrics_write(struct buf *out, const struct metrics *m, struct store_db *db, bool is_hub,
              struct err *err)
{
	for (int i = 0; i < METRIC_COUNT; i++) {
		uint64_t value = atomic_load_explicit(&m->values[i], memory_order_relaxed);

		if (counters[i].help != NULL)
			metrics_head(out, counters[i].family, "counter", counters[i].help);
		buf_printf(out, "%s%s %" PRIu64 "\n", counters[i].family, counters[i].labels,
		           value);
	}
	for (size_t i = 0; i < sizeof facts / sizeof facts[0]; i++) {
		int64_t value;

		if (facts[i].hub && !is_hub)
			continue;
		if (store_stmt_int(db, facts[i].sql, 0, &value, err) < 0)
			return err_wrap(err, "%s", facts[i].name);
		metrics_head(out, facts[i].name, "gauge", facts[i].help);
		buf_printf(out, "%s %" PRId64 "\n", facts[i].name, value);
	}
	return buf_check(out, err);
}

void
metrics_disk(struct buf *out, const char *dir)
{
	struct statvfs disk;

	if (statvfs(dir, &disk) != 0)
		return; /* not known: no line */
	metrics_head(out, "yizhan_disk_free_bytes", "gauge", "Room on the disk of the database.");
	buf_printf(out, "yizhan_disk_free_bytes %" PRIu64 "\n",
	           (uint64_t)disk.f_bavail * disk.f_frsize);
}

int
metrics_health(struct buf *out, struct store_db *db, bool is_hub, struct err *err)
{
	int64_t format;

	if (store_stmt_int(db, "SELECT value FROM yz_meta WHERE name = 'format'", 0, &format, err) <
	    0)
		return err->code;
	buf_printf(out, "{\"status\":\"ok\",\"role\":\"%s\"}\n", is_hub ? "hub" : "node");
	return buf_check(out, err);
}
