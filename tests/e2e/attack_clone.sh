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

# life DIR: the word that its status has for this week
life() {
	"$YIZHAN" -C "$1" status --json | sed 's/.*"life":\("[a-z]*"\|null\).*/\1/' | tr -d '"'
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
# the first wrote before the copy was started, so that one can't know yet that it goes on
is "$(life "$node")" cloned 'the first has heard of what its copy wrote'
is "$(life "$SCRATCH/clone")" restored 'the copy has heard of what the first wrote before'

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
is "$(life "$SCRATCH/clone")" cloned 'the copy has heard that the first went on'
is "$(sql "$hub" 'SELECT count(*) AS n FROM yz_quarantine' | tr -dc '0-9')" 0 'nothing is kept aside'

# ------------------------------------------------------------------ the whole directory, and nothing else

second=$SCRATCH/second
"$YIZHAN" -C "$second" init --facility F2 >/dev/null || exit 1
enrol "$second" F2 "http://$hub_address"
back() {
	rm -r "$1"
	mv "$1.bak" "$1"
}
sql "$second" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F2', 'kept')" >/dev/null
sync "$second"
cp -a "$second" "$second.bak"
back "$second"
sync "$second" "$second"
is "$(life "$second")" null 'a copy that lacks nothing may have been carried to a new machine'
cp -a "$second" "$second.bak"
sql "$second" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F2', 'lost')" >/dev/null
sync "$second"
back "$second"
is "$(names "$second")" kept 'the directory is put back'
sync "$second" "$second"
is "$(names "$second")" kept,lost 'what was lost comes back'
is "$(life "$second")" restored 'and it is called by its name'
check 0 'in sync.*was restored to an older state' -C "$second" status

for dir in "$hub" "$node" "$SCRATCH/clone" "$second"; do
	check 0 '^in order' -C "$dir" verify --deep
done
finish
