#!/bin/sh
# rotate.sh - a node's key is replaced: while records wait and the hub is away, twice in a row,
# under a running daemon; then a database, a directory and a hub of before it are put back.
# Whatever anybody wrote is everywhere in the end, and everywhere it verifies.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
second=$SCRATCH/second
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 --name F1 >/dev/null &&
	"$YIZHAN" -C "$second" init --facility F1 >/dev/null || exit 1
serve "$hub"
hub_pid=$last hub_address=$address
enrol "$node" F1 "http://$address"
enrol "$second" F1 "http://$address"

# add DIR NAME FROM TO: a child each.
add() {
	sql "$1" "WITH RECURSIVE n(i) AS (VALUES ($3) UNION ALL SELECT i + 1 FROM n WHERE i < $4)
		INSERT INTO child(id, facility_id, name) SELECT randomblob(16), 'F1', '$2' || i FROM n" >/dev/null
}

count() { # DIR LIKE
	sql "$1" "SELECT count(*) AS n FROM child WHERE name LIKE '$2'" | tr -dc '0-9'
}

meet() {
	for dir in "$@"; do
		check 0 '"state":"in_sync"' -C "$dir" sync --json
	done
}

key() {
	sed -n '1s/.* # //p' "$1/key"
}

# same DIR...: all have what the hub has, and can prove it.
same() {
	for dir in "$@"; do
		is "$(digest "$dir")" "$(digest "$hub")" "the digest at $(basename "$dir")"
		is "$(state "$dir")" in_sync "the state of $(basename "$dir")"
		check 0 '^in order' -C "$dir" verify --deep
	done
	check 0 '^in order' -C "$hub" verify --deep
	is "$(sql "$hub" 'SELECT count(*) AS n FROM yz_quarantine' | tr -dc '0-9')" 0 'nothing is kept aside'
}

back() { # the hub, at the address it had
	serve "$hub" "$hub_address"
	hub_pid=$last
}

# ------------------------------------------------------------------ no hub, no rotation of a hub

"$YIZHAN" -C "$SCRATCH/alone" init --facility F9 >/dev/null
check 1 'no hub knows' -C "$SCRATCH/alone" rotate

# ------------------------------------------------------------------ records wait, the hub is away

add "$node" here 1 10
meet "$node" "$second"
first=$(key "$node")
cp -a "$node" "$SCRATCH/old"
cp -a "$hub" "$SCRATCH/oldhub"
stop "$hub_pid"
add "$node" here 11 15
check 0 'another key' -C "$node" rotate
add "$node" here 16 20
check 0 '"key":"[0-9a-f]{64}"' -C "$node" rotate --json
add "$second" there 1 20
is "$(test "$(key "$node")" = "$first" && echo same)" '' 'the key is another'
is "$(test -e "$node/key.next" && echo left)" '' 'nothing is left of the rotation'
back
meet "$node" "$second" "$node"
same "$node" "$second"
for dir in "$hub" "$node" "$second"; do
	is "$(count "$dir" 'here%') $(count "$dir" 'there%')" '20 20' "what $(basename "$dir") has"
done
is "$(sql "$hub" 'SELECT count(*) AS n FROM hub_key' | tr -dc '0-9')" 2 'keys that the hub has seen replaced'
is "$(sql "$node" "SELECT count(DISTINCT key) AS n FROM yz_site WHERE node = (SELECT value FROM yz_meta WHERE name = 'node')" |
	tr -dc '0-9')" 3 'keys of the lives'

# life: what the hub says of the node's
life() {
	"$YIZHAN" -C "$hub" nodes show "$(node_id)" --json | grep -oE '"life":("[a-z]+"|null)'
}
node_id() {
	sql "$node" "SELECT hex(value) AS h FROM yz_meta WHERE name = 'node'" | sed 's/.*"h":"\([0-9A-F]*\)".*/\1/' | tr 'A-F' 'a-f'
}
is "$(life)" '"life":null' 'a node with another key was not put back'

# ------------------------------------------------------------------ under a daemon

serve "$node"
node_pid=$last
add "$node" run 1 5
check 0 'another key' -C "$node" rotate
meet "$node" "$second"
sql "$second" "UPDATE child SET name = 'corrected' WHERE name = 'run3'" >/dev/null
add "$node" run 6 7
check 0 'another key' -C "$node" rotate
meet "$node" "$second" "$node"
check 0 'another key' -C "$node" rotate
meet "$node"
check 0 'another key' -C "$node" rotate # of a life that wrote nothing
meet "$node"
stop "$node_pid"
same "$node" "$second"
is "$(count "$node" corrected) $(count "$hub" 'run%')" '1 6' 'a later correction stands'
is "$(life)" '"life":null' 'nor one that replaced it again and again'

# ------------------------------------------------------------------ an older database, under the new key

cp "$node/yizhan.db" "$SCRATCH/db"
add "$node" db 1 3
meet "$node"
check 0 'another key' -C "$node" rotate
add "$node" db 4 5
meet "$node"
rm -f "$node"/yizhan.db-*
cp "$SCRATCH/db" "$node/yizhan.db"
add "$node" db 6 8
meet "$node" "$second" "$node"
same "$node" "$second"
is "$(count "$node" 'db%') $(count "$second" 'db%')" '8 8' 'nothing of an older database is lost'
is "$(life)" '"life":"restored"' 'this one was put back'

# ------------------------------------------------------------------ an older directory, with the first key

node_id=$(node_id)
mv "$node" "$SCRATCH/gone"
cp -a "$SCRATCH/old" "$node"
add "$node" copy 1 4
"$YIZHAN" -C "$node" sync >/dev/null 2>&1 # a copy: the log says so, once
check 1 'was replaced: this is an older copy' -C "$node" sync
check 0 'another key' -C "$node" rotate
check 1 'refuses this node' -C "$node" sync
is "$(count "$hub" 'copy%')" 0 'an older copy brings nothing in'
check 0 'may replace its key once' -C "$hub" nodes rekey "$node_id"
meet "$node" "$second" "$node"
same "$node" "$second"
is "$(count "$hub" 'copy%') $(count "$node" 'db%')" '4 8' 'what was written in the copy is there'
check 1 'was replaced' -C "$SCRATCH/gone" sync
check 1 'no node 00' -C "$hub" nodes rekey 00000000000000000000000000000000

# ------------------------------------------------------------------ an older hub

stop "$hub_pid"
mv "$hub" "$SCRATCH/newhub"
cp -a "$SCRATCH/oldhub" "$hub"
back
add "$node" late 1 2
"$YIZHAN" -C "$node" sync >/dev/null
meet "$node" "$second" "$node" "$second"
same "$node" "$second"
is "$(count "$hub" '%') $(count "$second" '%')" "$(count "$node" '%') $(count "$node" '%')" 'a hub of before has all again'

# ------------------------------------------------------------------ a new machine, the archive

"$YIZHAN" -C "$SCRATCH/third" init --facility F1 >/dev/null
enrol "$SCRATCH/third" F1 "http://$hub_address"
meet "$SCRATCH/third"
same "$SCRATCH/third"
check 0 'new commit' -C "$node" archive now
check 0 '^in order' -C "$node" verify --deep
check 0 'another key' -C "$node" rotate
add "$node" last 1 1
check 0 'new commit' -C "$node" archive now
check 0 '^in order' -C "$node" verify --deep
finish
