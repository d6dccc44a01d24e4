#!/bin/sh
# memory_long.sh - a month without a line, 22 000 changes, and then: one meeting
# in bounded memory at both ends, and a node that takes little when it has nothing
# to do.  IDLE: how many seconds of nothing (default 60; 600 is what is promised).
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 --name F1 >/dev/null || exit 1
serve "$hub"
hub_pid=$last
enrol "$node" F1 "http://$address" 2>/dev/null
stop "$hub_pid"

# A day after the other: a thousand records, some of them corrected.
day=0
while [ $day -lt 22 ]; do
	sql "$node" "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 950)
		INSERT INTO care_event(facility_id, enrollment_id, kind, at, biz_date, amount, note)
		SELECT 'F1', randomblob(16), 1 + i % 8, 1793491200000 + $day * 86400000 + i * 30000, 20261101 + $day, i % 200,
		iif(i % 50 = 0, 'a note of day $day, ' || i, NULL) FROM n;
		INSERT INTO daily_report(child_id, biz_date, facility_id, mood, note)
		SELECT randomblob(16), 20261101 + $day, 'F1', 1 + abs(random() % 4), 'slept well' FROM
		(WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 50) SELECT i FROM n)" >/dev/null
	sql "$node" "UPDATE daily_report SET note = 'slept well, ate all' WHERE biz_date = 20261101 + $day" >/dev/null
	"$YIZHAN" -C "$node" sync >/dev/null 2>&1 # seals; nobody answers
	day=$((day + 1))
done
is "$("$YIZHAN" -C "$node" status --json | sed 's/.*"waiting":\([0-9]*\).*/\1/')" 22001 'changes wait, with the facility itself'

# kib FIELD PID: VmHWM (the most so far) or VmRSS of a process.
kib() {
	sed -n "s/^$1:[^0-9]*\([0-9]*\) kB/\1/p" "/proc/$2/status"
}
# below GOT LIMIT WHAT
below() {
	is "$([ "$1" -le "$2" ] && echo yes || echo "$1 KiB")" yes "$3: at most $2 KiB"
}
in_sync() {
	[ "$(state "$node")" = in_sync ]
}
serve "$hub" "$address"
hub_pid=$last
serve "$node"
node_pid=$last
i=0
until in_sync; do
	i=$((i + 1))
	[ $i -lt 100 ] || { echo 'they never met'; exit 1; }
	sleep 0.5
done
is "$(sql "$hub" 'SELECT count(*) AS n FROM care_event' | tr -dc 0-9)" 20900 'all of it is at the hub'
below "$(kib VmHWM "$node_pid")" 65536 'the node, at most'
below "$(kib VmHWM "$hub_pid")" 98304 'the hub, at most'
echo "node: at most $(kib VmHWM "$node_pid") KiB, hub: $(kib VmHWM "$hub_pid") KiB"

# And then nothing.
sleep "${IDLE:-60}"
below "$(kib VmRSS "$node_pid")" 32768 "the node after ${IDLE:-60} s of nothing"
echo "node, idle: $(kib VmRSS "$node_pid") KiB"
finish
