#!/bin/sh
# load.sh - a small fleet comes back at once: all of it goes up, nobody is refused,
# the hub answers meanwhile, and afterwards every node holds what the hub holds.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
mkdir "$SCRATCH/tmp"
export TMPDIR="$SCRATCH/tmp"

# figure NAME: of the document that was printed last.
figure() {
	printf '%s\n' "$said" | sed -nE "s/.*\"$1\":(-?[0-9]+).*/\1/p"
}

said=$("$YIZHAN" load --nodes 6 --days 1 --json 2>"$SCRATCH/progress")
is "$?" 0 'status'
is "$(grep -c '^6 of 6 nodes' "$SCRATCH/progress")" 2 "$(cat "$SCRATCH/progress")"
for name in drained level; do
	is "$(figure $name)" 6 "nodes that are $name"
done
for name in refused lost healthz_unanswered; do
	is "$(figure $name)" 0 "$name"
done
is "$([ "$(figure changes)" -gt 3000 ] && echo yes)" yes "$(figure changes) changes of six days"
is "$([ "$(figure slowest_ms)" -le "$(figure took_ms)" ] && echo yes)" yes 'the slowest and the whole'
is "$([ "$(figure hub_peak_kib)" -gt 1000 ] && echo yes)" yes 'the memory of the hub'
is "$([ "$(figure bytes_out)" -lt $((20 * $(figure changes))) ] && echo yes)" yes 'bytes of a change'

# what can't be had is said before anything is made
check 2 '--nodes 0 is not a number that can be; give one from 1 to 5000' load --nodes 0
check 2 '--days 61 is not a number that can be; give one from 1 to 60' load --days 61
said=$(prlimit --nofile=200 "$YIZHAN" load --nodes 100 2>&1)
is "$?" 1 'status of too many'
is "$(printf '%s' "$said" | grep -c '100 nodes need 1664 open files and this shell allows 200; ulimit')" 1 "$said"
said=$(TMPDIR=$SCRATCH/nowhere "$YIZHAN" load 2>&1)
is "$(printf '%s' "$said" | grep -c 'set TMPDIR to one')" 1 "$said"
is "$(ls -A "$TMPDIR")" '' 'what is left of them'
finish
