#!/bin/sh
# snippets.sh - the hub's page /snippets: every snippet is run as the page shows it,
# one after the other, in a folder of a new user's, against a hub that a facility
# writes to meanwhile; the rows are the hub's.  Those that need packaging/npm are
# left out unless SNIPPETS=all (tests/browser/snippets.mjs).
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 --name 小星星 >/dev/null || exit 1
serve "$hub"
enrol "$node" F1 "http://$address"
"$YIZHAN" -C "$node" import roster packaging/rosters/centre-1.csv >/dev/null || exit 1
sql "$node" "INSERT INTO growth_measurement(facility_id, child_id, measured_date, weight_g, length_mm)
	SELECT 'F1', id, 20260301, 11250, 865 FROM child;
	INSERT INTO attendance_event(facility_id, enrollment_id, kind, at, biz_date)
	SELECT 'F1', id, 1, 1772323200000, 20260301 FROM enrollment;
	INSERT INTO nap_session(enrollment_id, biz_date, facility_id, quality)
	SELECT id, 20260301, 'F1', 3 FROM enrollment" >/dev/null || exit 1
check 0 '"state":"in_sync"' -C "$node" sync --json
mkdir "$SCRATCH/user" && ln -s "$hub" "$SCRATCH/user/hub"
tests/e2e/snippets.py "$address" "$hub" "$node" "$SCRATCH/user" "${SNIPPETS:-without-npm}" >"$SCRATCH/said" 2>&1
tail -n 40 "$SCRATCH/said"
sum=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$SCRATCH/said")
[ -n "$sum" ] || sum='0 1'
passed=$((passed + ${sum% *})) failed=$((failed + ${sum#* }))
finish
