/*
 * tests/bench/herd.c - what a hub bears when a fleet comes back: `yizhan load`,
 * which shares the machine with its hub.
 */
#include "tests/bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE = 4096 };

/* The whole number that is called `name` in the document. */
static double
figure(const char *doc, const char *name)
{
	char quoted[64];
	const char *at;

	snprintf(quoted, sizeof quoted, "\"%s\":", name);
	at = strstr(doc, quoted);
	if (at == NULL) {
		fprintf(stderr, "bench: yizhan load doesn't tell %s\n", name);
		exit(1);
	}
	return strtod(at + strlen(quoted), NULL);
}

void
bench_herd(void)
{
	const char *yizhan = getenv("YIZHAN"), *nodes = getenv("HERD_NODES"),
	           *days = getenv("HERD_DAYS");
	char command[512], doc[LINE] = "";
	FILE *f;

	if (yizhan == NULL) {
		fprintf(stderr,
		        "bench: YIZHAN doesn't say where the program is; make bench does\n");
		exit(1);
	}
	snprintf(command, sizeof command, "'%s' load --json --nodes '%s' --days '%s' 2>/dev/null",
	         yizhan, nodes == NULL ? "60" : nodes, days == NULL ? "3" : days);
	/* NOLINTNEXTLINE(cert-env33-c): whoever sets YIZHAN and HERD_* types the command anyhow */
	f = popen(command, "r");
	if (f == NULL || fgets(doc, sizeof doc, f) == NULL || pclose(f) != 0) {
		fprintf(stderr, "bench: %s: %s\n", command, doc);
		exit(1);
	}
	bench_say("herd_nodes", figure(doc, "nodes"), 0);
	bench_say("herd_changes", figure(doc, "changes"), 0);
	bench_say("herd_changes_per_s", 1000 * figure(doc, "changes") / figure(doc, "took_ms"), 0);
	bench_say("herd_slowest_vs_median", figure(doc, "slowest_ms") / figure(doc, "median_ms"),
	          2);
	bench_say("herd_refused", figure(doc, "refused") + figure(doc, "lost"), 0);
	bench_say("herd_healthz_slowest_ms", figure(doc, "healthz_slowest_ms"), 0);
	bench_say("herd_hub_peak_kib", figure(doc, "hub_peak_kib"), 0);
}
