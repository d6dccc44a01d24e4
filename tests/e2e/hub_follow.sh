#!/bin/sh
# hub_follow.sh - the feed as it grows: long-polls and event streams get every line
# once and in order, also after a line that breaks, from whoever they may hear; how
# many may wait; what happens to them when a token ends and when the hub stops.
# What is asked, and how, is in follow.py.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
other=$SCRATCH/other
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 >/dev/null &&
	"$YIZHAN" -C "$other" init --facility F2 >/dev/null || exit 1
serve "$hub"
hub_pid=$last hub_address=$address
enrol "$node" F1 "http://$hub_address"
enrol "$other" F2 "http://$hub_address"
tests/e2e/follow.py "$YIZHAN" "$hub" "$node" "$other" "$hub_address" "$hub_pid" >"$SCRATCH/followed" 2>&1
tail -n 30 "$SCRATCH/followed"
sum=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$SCRATCH/followed")
passed=$((passed + ${sum% *})) failed=$((failed + ${sum#* }))
finish
