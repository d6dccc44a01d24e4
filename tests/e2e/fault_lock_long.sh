#!/bin/sh
# fault_lock_long.sh - another program keeps the database of a running node, and then that of
# its hub, locked for longer than anybody waits.  Both daemons run on, say why, and go on by
# themselves once it has let go; nothing is lost.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
district
serve "$node"
node_pid=$last

cat >"$SCRATCH/hold.py" <<'PY'
"""Hold the write lock of a database until a line comes."""
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=20)
db.execute('BEGIN IMMEDIATE')
print('held', flush=True)
sys.stdin.readline()
db.execute('ROLLBACK')
PY

# hold DIR: keep it locked until `let_go`
hold() {
	rm -f "$SCRATCH/go"
	mkfifo "$SCRATCH/go"
	: >"$SCRATCH/held"
	python3 "$SCRATCH/hold.py" "$1/yizhan.db" <"$SCRATCH/go" >"$SCRATCH/held" &
	holder=$!
	exec 4>"$SCRATCH/go"
	soon lines "$SCRATCH/held" 1
}

let_go() {
	echo go >&4
	exec 4>&-
	wait "$holder"
}

row() {
	sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', '$1')" >/dev/null
}

row one
hold "$node"
check 3 'database is locked' -C "$node" sync --json
is "$(grep -q 'database is locked' "$node.log" && echo told)" told 'the log has it too'
kill -0 "$node_pid"
is $? 0 'and runs on'
let_go
settled 'when the node has its database again'

row two
hold "$hub"
check 3 'the hub answered 503' -C "$node" sync --json
kill -0 "$hub_pid"
is $? 0 'the hub runs on'
let_go
settled 'when the hub has its database again'
is "$(sql "$hub" 'SELECT count(*) AS n FROM child')" '[{"n":2}]' 'and has both rows'
kill -0 "$hub_pid" && kill -0 "$node_pid"
is $? 0 'both are the ones that were started'
finish
