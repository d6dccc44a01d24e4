#!/bin/sh
# rotate_far_long.sh - a hub is put back to before more rotations than one header line tells of, and to
# before nearly as many lives under one key as a rotation lists.  It gets all of it again, by itself.
# (Of more than 24 it takes no more of the oldest under the node's first key: README, Limits.)
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 --name F1 >/dev/null || exit 1
serve "$hub"
hub_pid=$last hub_address=$address
enrol "$node" F1 "http://$address"
"$YIZHAN" -C "$node" sync >/dev/null || exit 1

add() { # NAME
	sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', '$1')" >/dev/null
}

children() {
	sql "$1" 'SELECT count(*) AS n FROM child' | tr -dc '0-9'
}

# put_back DIR: the hub as it was then, at the address that it had.
put_back() {
	stop "$hub_pid"
	rm -rf "$hub"
	cp -a "$1" "$hub"
	serve "$hub" "$hub_address"
	hub_pid=$last
}

# What came of a life that the rotation had no room to tell of waits for a person.
let_in() {
	for id in $("$YIZHAN" -C "$hub" quarantine --json | grep -o '"id":[0-9]*' | tr -dc '0-9\n'); do
		check 0 '"reason":"it came after the key that signs it was replaced"' -C "$hub" quarantine show "$id" --json
		check 0 'tries again' -C "$hub" quarantine retry "$id"
	done
	"$YIZHAN" -C "$node" sync >/dev/null 2>&1
}

# all_again N WHAT
all_again() {
	"$YIZHAN" -C "$node" sync >/dev/null 2>&1
	"$YIZHAN" -C "$node" sync >/dev/null 2>&1
	let_in
	check 0 '"state":"in_sync"' -C "$node" sync --json
	is "$(children "$hub")" "$1" "$2: what the hub has"
	is "$(digest "$hub")" "$(digest "$node")" "$2: digests"
	is "$(sql "$hub" 'SELECT count(*) AS n FROM yz_quarantine' | tr -dc '0-9')" 0 "$2: nothing is kept aside"
	check 0 '^in order' -C "$hub" verify --deep
	check 0 '^in order' -C "$node" verify --deep
}

stop "$hub_pid"
cp -a "$hub" "$SCRATCH/before"
serve "$hub" "$hub_address"
hub_pid=$last

# ------------------------------------------------------------------ many lives under one key

lives=20
i=0
while [ $i -lt $lives ]; do
	rm -f "$node"/yizhan.db-*
	cp "$node/yizhan.db" "$SCRATCH/db"
	add "life$i"
	"$YIZHAN" -C "$node" sync >/dev/null || exit 1
	rm -f "$node"/yizhan.db-*
	cp "$SCRATCH/db" "$node/yizhan.db" # a snapshot: the next opening begins another life
	"$YIZHAN" -C "$node" sync >/dev/null || exit 1
	i=$((i + 1))
done
is "$(children "$hub")" $lives 'a child in each life'
is "$(test "$(sql "$hub" "SELECT count(*) AS n FROM yz_stream m JOIN yz_scope c ON c.id = m.scope WHERE c.name = 'f/F1'" |
	tr -dc '0-9')" -gt 19 && echo many)" many 'lives that the hub knows'
check 0 'another key' -C "$node" rotate
add rotated
"$YIZHAN" -C "$node" sync >/dev/null
put_back "$SCRATCH/before"
all_again $((lives + 1)) 'a hub of before the lives'

# ------------------------------------------------------------------ more rotations than a line takes

stop "$hub_pid"
rm -rf "$SCRATCH/before"
cp -a "$hub" "$SCRATCH/before"
serve "$hub" "$hub_address"
hub_pid=$last
i=0
while [ $i -lt 16 ]; do
	check 0 'another key' -C "$node" rotate
	add "key$i"
	"$YIZHAN" -C "$node" sync >/dev/null || exit 1
	i=$((i + 1))
done
is "$(test "$(sed -n 's/^chain //p' "$node/key" | tr -d '\n' | wc -c)" -gt 6800 && echo long)" long 'the chain is longer than what is shown at once'
put_back "$SCRATCH/before"
all_again $((lives + 17)) 'a hub of before the rotations'
finish
