#!/bin/sh
# kill9_long.sh - KILLS (500) kills of a node and its hub, at any moment, under the
# load of four tablets: the set of acknowledged taps is full at every reading
# (set_full.py), and in the end at the hub as well.  SEED may be given.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
node=$SCRATCH/node
hub=$SCRATCH/hub

"$YIZHAN" -C "$node" init --facility F1 >/dev/null && "$YIZHAN" -C "$hub" init --hub >/dev/null || exit 1
printf 'name,birth_date,class\n安一,2024-03-01,小一班\n' >"$SCRATCH/roster.csv"
"$YIZHAN" -C "$node" import roster "$SCRATCH/roster.csv" >/dev/null || exit 1

python3 tests/e2e/set_full.py "$YIZHAN" "$node" "$hub" "$SCRATCH" "${KILLS:-500}" "${SEED:-1}" >"$SCRATCH/told" 2>&1
is $? 0 'the set is full at every reading'
cat "$SCRATCH/told"

# told NAME: what set_full.py has counted of it
told() {
	tail -n 1 "$SCRATCH/told" | tr ' ' '\n' | sed -n "s/^$1=//p"
}
for what in kills_serving kills_starting kills_hub recovered duplicates; do
	is "$([ "$(told $what)" -gt 0 ] && echo some)" some "$what happened"
done
is "$([ "$(told answers)" -gt "${KILLS:-500}" ] && echo enough)" enough 'taps were acknowledged between the kills'

notes() {
	"$YIZHAN" -C "$1" sql --json "SELECT note FROM care_event WHERE note LIKE 'tablet%'" |
		tr ',' '\n' | sed -n 's/.*"note":"\([^"]*\)".*/\1/p' | sort >"$2"
}
notes "$node" "$SCRATCH/kept"
notes "$hub" "$SCRATCH/arrived"
is "$(sort "$SCRATCH/acknowledged" | comm -23 - "$SCRATCH/arrived" | wc -l)" 0 'every acknowledged tap is at the hub'
is "$(uniq -d "$SCRATCH/arrived" | wc -l)" 0 'no tap is there twice'
is "$(cmp "$SCRATCH/kept" "$SCRATCH/arrived" && echo same)" same 'the hub has every tap'
for dir in "$node" "$hub"; do
	is "$("$YIZHAN" -C "$dir" sql --json 'PRAGMA integrity_check')" '[{"integrity_check":"ok"}]' 'the file is whole'
	check 0 '^in order' -C "$dir" verify --deep
done
check 0 '"waiting":0' -C "$node" status --json
finish
