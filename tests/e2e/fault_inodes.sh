#!/bin/sh
# fault_inodes.sh - F10: a disk on which no file can be made any more.  A running node
# takes rows all the same, says what it can't do and why, loses nothing, and goes on
# once there is room.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
disk=$SCRATCH/disk
mkdir "$disk"
mount -t tmpfs -o nr_inodes=300,size=256m yizhan "$disk" 2>/dev/null || { echo 'no disk can be mounted here'; exit 77; }
trap 'exec 3>&-; kill $pids 2>/dev/null; wait; umount "$disk"' EXIT
node=$disk/node
district
serve "$node"
node_pid=$last
check 0 . -C "$node" archive now

i=0
while (: >"$disk/$i") 2>/dev/null; do
	i=$((i + 1))
done
is "$([ $i -gt 0 ] && echo full)" full 'the disk has no file left to give'

rows() {
	sql "$node" 'SELECT count(*) AS n FROM child' | tr -dc '0-9'
}
for i in 1 2 3; do
	sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', 'child $i')"
	is $? 0 "row $i is taken"
	check 3 'No space left on device.*records are kept' -C "$node" sync --json
done
is "$(rows)" 3 'and is there'
check 1 'could not.*archive\.git|No space left' -C "$node" archive now
kill -0 "$node_pid"
is $? 0 'the node runs on'
is "$(state "$node")" waiting 'and says that its rows wait'

rm -f "$disk"/[0-9]*
settled 'when there is room'
check 0 . -C "$node" archive now
check 0 '^in order' -C "$node" verify --deep
is "$(sql "$hub" 'SELECT count(*) AS n FROM child' | tr -dc '0-9')" 3 'the hub has every row'
stop "$node_pid"
is "$(rows)" 3 'nothing was lost'
check 0 '^in order' -C "$node" verify --deep
finish
