#!/bin/sh
# fault_reader_long.sh - F14: somebody reads the database of a running node and doesn't end.
# The node keeps on and says what has grown and why; when the reader has gone, the log
# shrinks by itself.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
district
serve "$node"

mkfifo "$SCRATCH/go"
: >"$SCRATCH/reader"
python3 -c "
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute('BEGIN')
print(db.execute('SELECT count(*) FROM facility').fetchone()[0], flush=True)
sys.stdin.readline()
print(db.execute('SELECT count(*) FROM child').fetchone()[0], flush=True)
" "$node/yizhan.db" <"$SCRATCH/go" >"$SCRATCH/reader" 2>&1 &
reader=$!
pids="$pids $reader"
exec 4>"$SCRATCH/go"
soon lines "$SCRATCH/reader" 1

log_size() {
	stat -c %s "$node/yizhan.db-wal"
}
sql "$node" 'CREATE TABLE pile(bytes BLOB)' >/dev/null
for i in 1 2 3; do
	sql "$node" 'WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 25)
		INSERT INTO pile SELECT randomblob(1000000) FROM n' >/dev/null
	sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', 'child $i')" >/dev/null
	check 0 '"state":"in_sync"' -C "$node" sync --json
done
is "$([ "$(log_size)" -gt 64000000 ] && echo large)" large "the log has grown: $(log_size)"
is "$(sql "$hub" 'SELECT count(*) AS n FROM child' | tr -dc '0-9')" 3 'the hub has every row'
check 0 'log has grown to [0-9]+ MB: a program that reads' -C "$node" status
soon grep -q 'log has grown to [0-9]* MB: a program that reads' "$node.log"
is $? 0 'the daemon says so, too'

echo go >&4
wait $reader
is "$(tail -n 1 "$SCRATCH/reader")" 0 'the reader saw what it had begun with'
small() {
	sql "$node" "UPDATE child SET name = name || '.'" >/dev/null
	[ "$(log_size)" -le 8000000 ]
}
soon small
is "$(small && echo small)" small "the log has shrunk: $(log_size)"
is "$("$YIZHAN" -C "$node" status | grep -c 'log has grown')" 0 'and status is silent about it'
is "$(grep -c 'log has grown' "$node.log")" 1 'it was said once'
settled 'after it'
finish
