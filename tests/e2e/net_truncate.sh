#!/bin/sh
# net_truncate.sh - an exchange that breaks after byte k, going up or coming
# down: the node believes nothing, the hub has the row never or once, and the
# next good line heals it.  STEP: between two k (default 97); the last eight
# bytes of either side are tried one by one.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
step=${STEP:-97}
district
written=0

# One more row waits at the node.
write_row() {
	written=$((written + 1))
	sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', 'n$written')" >/dev/null
}

# meet_cut WAY K: meet over a line that breaks there; true if that was behind its end.
meet_cut() {
	rule reset "cut.$1=$2"
	"$YIZHAN" -C "$node" sync --json >"$SCRATCH/said" 2>&1
	status=$?
	tried=$((tried + 1))
	[ $status != 0 ] || return 0
	is "$status" 3 "$1, byte $2: how sync ends"
	is "$(cursor)" "$proven" "$1, byte $2: what the hub has proven"
	return 1
}

# has WHERE COUNT WHAT: so many rows of ours, each once.
has() {
	is "$(sql "$1" "SELECT count(*) AS n, count(DISTINCT name) AS each FROM child WHERE name LIKE 'n%'")" \
		"[{\"n\":$2,\"each\":$2}]" "$3"
}

# cut_from WAY K STEP: at K, K + STEP, ... until nothing is cut any more.
cut_from() {
	k=$2
	until meet_cut "$1" "$k"; do
		[ "$1" = down ] || has "$hub" $((written - 1)) "a request cut at byte $k leaves nothing"
		count_line
		k=$((k + $3))
	done
	count_line
	len=$([ "$1" = up ] && echo "$passed_up" || echo "$passed_down")
	is "$([ "$len" -le "$k" ] && echo whole)" whole "cut $1 at byte $k of $len, and it is called a success"
	has "$hub" "$written" "the hub has the row once, $1"
}

write_row # the first brings the table's schema with it
settled 'before'
for way in up down; do
	tried=0
	for from in 0 end; do
		count_line
		proven=$(cursor)
		write_row
		if [ $from = 0 ]; then
			cut_from $way 0 "$step"
		else
			cut_from $way $((len - 8)) 1
		fi
	done
	settled "cut on the way $way"
	has "$node" "$written" "at the node, $way"
	echo "cut_$way=$tried step=$step bytes=$len"
done
is "$(sql "$hub" 'SELECT (SELECT count(*) FROM yz_conflict) + (SELECT count(*) FROM yz_quarantine) AS n')" \
	'[{"n":0}]' 'nothing is in conflict or in quarantine'
finish
