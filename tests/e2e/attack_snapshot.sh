#!/bin/sh
# attack_snapshot.sh - A36, F27, F28: a node's folder is put back with its anchor
# into the very same files, as a virtual machine's snapshot is; and two such
# machines run from one snapshot.  Twice each.  Nobody has to do anything, and all
# that was written exists everywhere.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
district

station=$SCRATCH/station

# A second node of the facility, which corrects what the first one wrote.
add_station() {
	check 0 . -C "$station" init --facility F1
	code=$("$YIZHAN" -C "$hub" enrol new --facility F1 --auto --json | sed 's/.*"code":"\([^"]*\)".*/\1/')
	"$YIZHAN" -C "$station" enrol "$code" "http://$hub_address" >/dev/null 2>&1
}

write() { # DIR MARK
	sql "$1" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10)
	 INSERT INTO child(id, facility_id, name) SELECT randomblob(16), 'F1', '$2' || i FROM n" >/dev/null
	sql "$1" "WITH RECURSIVE n(i) AS (SELECT 11 UNION ALL SELECT i + 1 FROM n WHERE i < 20)
	 INSERT INTO child(id, facility_id, name) SELECT randomblob(16), 'F1', '$2' || i FROM n" >/dev/null
}

# The folder's state as NAME, and back into the same inodes.
save() {
	rm -rf "$SCRATCH/saved.$1"
	cp -a "$node" "$SCRATCH/saved.$1"
}

put_back() {
	for file in "$node"/*; do
		[ -e "$SCRATCH/saved.$1/$(basename "$file")" ] || rm -r "$file"
	done
	for file in "$SCRATCH/saved.$1"/*; do
		if [ -d "$file" ]; then
			rm -rf "${node:?}/$(basename "$file")"
			cp -a "$file" "$node/"
		else
			cat "$file" >"$node/$(basename "$file")"
		fi
	done
}

rows() {
	sql "$1" 'SELECT count(*) AS n FROM child' | tr -dc '0-9'
}

marked() { # DIR MARK
	sql "$1" "SELECT count(*) AS n FROM child WHERE name GLOB '$2[0-9]*'" | tr -dc '0-9'
}

life() {
	"$YIZHAN" -C "$1" status --json | sed 's/.*"life":\("[a-z]*"\|null\).*/\1/'
}

epoch() {
	"$YIZHAN" -C "$1" status --json | sed 's/.*"epoch":"\([0-9a-f]*\)".*/\1/'
}

sync() {
	for dir in "$@"; do
		check 0 '"state":"in_sync".*"rejected":\[\]' -C "$dir" sync --json
	done
}

same() { # ROWS DIR...
	want=$1
	shift
	for dir in "$hub" "$@"; do
		is "$(rows "$dir")" "$want" "the rows at $(basename "$dir")"
		is "$(digest "$dir")" "$(digest "$hub")" "the digest at $(basename "$dir")"
		is "$(state "$dir")" in_sync "the state of $(basename "$dir")"
		is "$(sql "$dir" 'SELECT count(*) AS n FROM yz_quarantine' | tr -dc '0-9')" 0 'nothing is kept aside'
	done
}

add_station
sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (x'01', 'F1', 'wrong')" >/dev/null

# ------------------------------------------------------------------ put back, twice

total=1
for round in a b; do
	save snapshot
	first=$(epoch "$node")
	write "$node" "lost-$round-"
	sync "$node" "$station"
	is "$(epoch "$node")" "$first" 'one life until then'
	sql "$station" "UPDATE child SET name = 'right' WHERE id = x'01'" >/dev/null
	sync "$station"
	put_back snapshot
	write "$node" "kept-$round-"
	check 0 . -C "$node" archive now # it speaks of records that will be written again
	sync "$node" "$station"
	total=$((total + 40))
	same $total "$node" "$station"
	is "$(marked "$station" "lost-$round-")$(marked "$node" "lost-$round-")" 2020 'what was lost came back'
	is "$(marked "$station" "kept-$round-")" 20 'what was written after it went up'
	is "$(sql "$hub" "SELECT name FROM child WHERE id = x'01'")" '[{"name":"right"}]' 'the correction stands'
	is "$([ "$(epoch "$node")" != "$first" ] && echo another)" another 'it is another life'
	is "$(life "$node")" '"restored"' 'and says so'
	check 0 '"life":"restored"' -C "$hub" nodes --json
done
check 0 'restored to an older state' -C "$node" status

# ------------------------------------------------------------------ two from one snapshot, twice

write "$node" unsent-
save one
save two
for round in c d; do
	for machine in one two; do
		put_back $machine
		write "$node" "$machine-$round-"
		sync "$node"
		save $machine
	done
	total=$((total + 40))
done
total=$((total + 20))
epochs=
for machine in one two one; do
	put_back $machine
	sync "$node"
	save $machine
	epochs="$epochs$(epoch "$node") "
	is "$(life "$node")" '"cloned"' "machine $machine knows that it isn't alone"
done
sync "$station"
for machine in one two; do
	put_back $machine
	same $total "$node" "$station"
done
# shellcheck disable=SC2086 # one word an epoch
is "$(printf '%s\n' $epochs | sort -u | wc -l | tr -dc '0-9')" 2 'each machine is a life of its own'
check 0 'cloned' -C "$hub" nodes
for dir in "$hub" "$node" "$station"; do
	check 0 '^in order' -C "$dir" verify --deep
done
check 0 'records [0-9]*-[0-9]* of an earlier life were written again' -C "$node" verify
check 0 . -C "$node" archive now
check 0 . -C "$node" archive rebuild
check 0 '"ok":true.*"again":\[{"scope":"f/F1","first":[0-9]*,"last":[0-9]*}' -C "$node" verify --json
finish
