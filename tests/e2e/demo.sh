#!/bin/sh
# demo.sh - what the demo tells of a day is what happened in it.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
out=$SCRATCH/out

TMPDIR=$SCRATCH "$YIZHAN" demo --facilities 2 --speed 6000 >"$out" 2>&1
is "$?" 0 'status of the demo'
# rows of the board: facility present checks waiting state digest
is "$(awk 'NF == 6 && $4 ~ /^[0-9]+$/ && $4 > 0 && $6 == "✓"' "$out")" '' \
	'a row that has something waiting is not called equal'
is "$(grep -c '^  F[0-9]* .*✓$' "$out" | sed 's/^[1-9][0-9]*$/some/')" some 'rows that are equal'
# by the clock of the day, which on a slow machine goes on by an hour from one look to the next
is "$(grep -oE 'longest outage survived +[1-9][0-9]* h [0-5][0-9] min, [1-9][0-9]* changes waited' "$out" | wc -l)" 1 'the outage'
# what waited when the line came back is what then went up, unless the daemon was first
waited=$(sed -n 's/.* min, \([0-9]*\) changes waited$/\1/p' "$out")
sent=$(sed -n 's/^ *sent \([0-9]*\), received .*/\1/p' "$out" | head -n 1)
is "$([ "${sent:-0}" -le "$waited" ] && echo yes)" yes "sent ${sent:-nothing} of the $waited that waited"
# parents asked at the hub, and each facility answered what came down to it
is "$(sed -n 's/^  leave asked at the hub  *\([0-9]*\), \([0-9]*\) answered .*/\1 \2/p' "$out" |
	awk '$1 > 0 && $1 == $2 { print "all" }')" all 'the leave that was asked and answered'
is "$(awk '$1 == "house_check" { print $2, $3 }' "$out")" '4 4' 'two houses opened and closed'
[ "$failed" = 0 ] || cat "$out"
finish
