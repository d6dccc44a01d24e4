#!/bin/sh
# net_stall_long.sh - lines on which nothing breaks and nothing moves: a peer
# that vanished after the connection stood, an answer of one byte a second, a
# line that only goes up.  Each meeting is given up by the node itself (its limit
# is 30 bytes a second over 60 s), says so, and costs nothing; they wait at the
# same time.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
district
kinds='vanished drip oneway'
rule_of() {
	case $1 in
	vanished) echo 'hole.up=0 hole.down=0' ;;
	drip) echo 'rate.down=1' ;;
	oneway) echo 'hole.down=0' ;;
	esac
}

for kind in $kinds; do
	"$YIZHAN" -C "$SCRATCH/$kind" init --facility F1 >/dev/null || exit 1
	enrol "$SCRATCH/$kind" F1 "$via"
	"$YIZHAN" -C "$SCRATCH/$kind" sync >/dev/null || exit 1
	sql "$SCRATCH/$kind" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', '$kind')" >/dev/null
done

# connected N: so many connections since the last count.
connected() {
	count_line
	came=$((came + connections))
	[ $came -ge "$1" ]
}

waits=
for kind in $kinds; do
	node=$SCRATCH/$kind
	cursor >"$SCRATCH/$kind.proven"
	# shellcheck disable=SC2046 # words
	rule reset $(rule_of "$kind")
	count_line
	came=0
	(
		"$YIZHAN" -C "$SCRATCH/$kind" sync >"$SCRATCH/$kind.said" 2>&1
		echo $? >"$SCRATCH/$kind.status"
	) &
	waits="$waits $!"
	soon connected 1 || exit 1
done
rule reset

# A fourth facility is served meanwhile.
node=$SCRATCH/node
sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', 'meanwhile')" >/dev/null
settled 'while others wait'

for wait in $waits; do
	wait "$wait"
done
for kind in $kinds; do
	node=$SCRATCH/$kind
	is "$(cat "$SCRATCH/$kind.status")" 3 "$kind: how sync ends"
	is "$(grep -c 'hub unreachable: timeout' "$SCRATCH/$kind.said")" 1 "$kind: $(cat "$SCRATCH/$kind.said")"
	is "$(cursor)" "$(cat "$SCRATCH/$kind.proven")" "$kind: what the hub has proven"
	is "$(state "$node")" waiting "$kind: the node's state"
done
for kind in $kinds $kinds; do
	"$YIZHAN" -C "$SCRATCH/$kind" sync >/dev/null
done
for kind in $kinds; do
	node=$SCRATCH/$kind
	settled "$kind, after healing"
	is "$(sql "$hub" "SELECT count(*) AS n FROM child WHERE name = '$kind'")" '[{"n":1}]' "$kind: its row, once"
done
finish
