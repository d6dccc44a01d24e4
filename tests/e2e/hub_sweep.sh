#!/bin/sh
# hub_sweep.sh - every operation that /openapi.json describes, asked for what it
# describes and for what is wrong, at a hub and at a node: the statuses are those
# of the document, refusals are problem documents, nothing of another facility is
# in any answer, and no row has changed.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
other=$SCRATCH/other canary=canary_c4f19e foreign=f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2f2
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 >/dev/null &&
	"$YIZHAN" -C "$other" init --facility F2 >/dev/null || exit 1
serve "$hub"
hub_address=$address
enrol "$node" F1 "http://$hub_address"
enrol "$other" F2 "http://$hub_address"
sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', 'ours')" >/dev/null
sql "$other" "INSERT INTO child(id, facility_id, name) VALUES (x'$foreign', 'F2', '$canary')" >/dev/null
for dir in "$node" "$other"; do
	check 0 '"state":"in_sync"' -C "$dir" sync --json
done
serve "$node"
token=$("$YIZHAN" -C "$hub" token new --scope f/F1 --write child --personal | head -n 1)
rows() {
	for dir in "$hub" "$node"; do
		sql "$dir" 'SELECT (SELECT count(*) FROM child) AS children, (SELECT group_concat(name) FROM child) AS names,
			(SELECT count(*) FROM yz_log) AS log, (SELECT count(*) FROM yz_clock) AS clocks'
	done
}
before=$(rows)
tests/e2e/sweep.py "$hub_address" "$address" "$token" "$foreign" "$canary" >"$SCRATCH/swept" 2>&1
tail -n 30 "$SCRATCH/swept"
sum=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$SCRATCH/swept")
passed=$((passed + ${sum% *})) failed=$((failed + ${sum#* }))
is "$(rows)" "$before" 'nothing was written'
is "$(sql "$hub" 'SELECT count(*) AS n FROM hub_record_key' | tr -dc '0-9')" 0 'no key was kept'
finish
