#!/bin/sh
# attack_rollback.sh - A43, F29: the hub goes back to an old backup of itself.
# Nodes whose records it has lost bring them again, and their status never says
# that it has what it hasn't.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
district

add() {
	sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', '$1')" >/dev/null
	check 0 '"sent":1' -C "$node" sync --json
}

epoch() {
	"$YIZHAN" -C "$1" status --json | sed 's/.*"epoch":"\([0-9a-f]*\)".*/\1/'
}

add before
stop "$hub_pid"
cp -a "$hub" "$SCRATCH/backup"
serve "$hub" "$hub_address"
add after
add later
of_node=$(digest "$node")
old=$(epoch "$hub")
stop "$last"
rm -r "$hub"
cp -a "$SCRATCH/backup" "$hub"
serve "$hub" "$hub_address"
is "$([ "$(epoch "$hub")" != "$old" ] && echo another)" another 'a hub that went back is another life of it'
is "$(sql "$hub" 'SELECT name FROM child')" '[{"name":"before"}]' 'it has forgotten'
check 0 '"life":null' -C "$hub" status --json
# it hears of the new life, and what that lacks goes up in the same meeting
check 0 '"state":"in_sync","sent":4,.*"rejected":\[\]' -C "$node" sync --json
is "$(sql "$hub" 'SELECT count(*) AS n FROM child')" '[{"n":3}]' 'one meeting brings the rest'
# by that meeting the hub knows what it was, and that its node has seen it
check 0 '"life":"restored"' -C "$hub" status --json
check 0 'was restored to an older state' -C "$hub" status
check 0 'F1 .* saw the hub go back' -C "$hub" nodes
check 0 '"hub_life":"went back"' -C "$hub" nodes --json
check 0 'the hub went back to an older state' -C "$node" status
check 0 '"state":"in_sync","sent":0' -C "$node" sync --json
is "$(digest "$node")" "$of_node" 'nothing changed at the node'
settled 'after the rollback'
is "$(sql "$hub" 'SELECT name FROM child ORDER BY name')" \
	'[{"name":"after"},{"name":"before"},{"name":"later"}]' 'each row is there, once'
check 0 '^in order' -C "$hub" verify --deep
check 0 '^in order' -C "$node" verify --deep
finish
