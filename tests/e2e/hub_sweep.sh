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
# what a meeting notes is not what the sweep has done: none by itself
git config -f "$node/node.conf" sync.interval 86400
serve "$node"
check 0 '"state":"in_sync"' -C "$node" sync --json
tests/e2e/sweep.py "$hub_address" "$address" "$hub" "$node" "$foreign" "$canary" >"$SCRATCH/swept" 2>&1
tail -n 30 "$SCRATCH/swept"
sum=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$SCRATCH/swept")
[ -n "$sum" ] || sum='0 1'
passed=$((passed + ${sum% *})) failed=$((failed + ${sum#* }))
finish
