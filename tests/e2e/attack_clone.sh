#!/bin/sh
# attack_clone.sh - A36, F27, F28: a card that was cloned, both copies in use; a
# node that is put back from an old backup.  Nothing that anybody wrote is lost,
# and in the end all have the same.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
district

add() { # DIR NAME
	sql "$1" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', '$2')" >/dev/null
}

sync() {
	for dir in "$@"; do
		check 0 '"state":' -C "$dir" sync --json
	done
}

names() {
	sql "$1" 'SELECT group_concat(name) AS n FROM (SELECT name FROM child ORDER BY name)' |
		sed 's/.*"n":"\([^"]*\)".*/\1/'
}

same() { # NAMES DIR...
	want=$1
	shift
	for dir in "$@"; do
		is "$(names "$dir")" "$want" "the rows at $(basename "$dir")"
		is "$(digest "$dir")" "$(digest "$hub")" "the digest at $(basename "$dir")"
		is "$(state "$dir")" in_sync "the state of $(basename "$dir")"
	done
}

# ------------------------------------------------------------------ both copies live

add "$node" before
sync "$node"
cp -a "$node" "$SCRATCH/clone"
add "$node" first
add "$SCRATCH/clone" second
sync "$node" "$SCRATCH/clone" "$node" "$SCRATCH/clone"
same before,first,second "$hub" "$node" "$SCRATCH/clone"
sql "$SCRATCH/clone" "UPDATE child SET name = 'third' WHERE name = 'first'" >/dev/null
sync "$SCRATCH/clone" "$node"
same before,second,third "$hub" "$node" "$SCRATCH/clone"

# ------------------------------------------------------------------ back to an old backup

cp -a "$node" "$SCRATCH/backup"
add "$node" lost
sql "$node" "DELETE FROM child WHERE name = 'before'" >/dev/null
sync "$node"
rm -r "$node"
mv "$SCRATCH/backup" "$node"
is "$(names "$node")" before,second,third 'the backup is old'
add "$node" new
sync "$node" "$node" "$SCRATCH/clone"
same lost,new,second,third "$hub" "$node" "$SCRATCH/clone"
is "$(sql "$hub" 'SELECT count(*) AS n FROM yz_quarantine' | tr -dc '0-9')" 0 'nothing is kept aside'
for dir in "$hub" "$node" "$SCRATCH/clone"; do
	check 0 '^in order' -C "$dir" verify --deep
done
finish
