#!/bin/sh
# make.sh - write the golden databases of one format: a hub and a facility's node
# as a program of that format leaves them.  Once for each format that a program was
# released with, by that program:
#
#	YIZHAN=build/yizhan sh tests/golden/old/make.sh tests/golden/old/format-N.tar.xz
#
# Both have met.  The node has a table of its own, an open conflict, and a row that
# isn't sealed yet.  e2e/old_files.sh reads them.
set -eu
dir=$(mktemp -d)
hub=$dir/hub node=$dir/node two=$dir/two
trap 'kill "$pid" 2>/dev/null || :; wait; rm -rf "$dir"' EXIT
pid=

yizhan() {
	"$YIZHAN" -C "$@" >/dev/null
}

yizhan "$hub" init --hub
"$YIZHAN" -C "$hub" run --listen 127.0.0.1:0 >"$dir/said" 2>/dev/null &
pid=$!
until grep -qs '^serving' "$dir/said"; do sleep 0.05; done
url=$(sed -n 's/^serving .* on \(http:.*\)/\1/p' "$dir/said")
for each in "$node" "$two"; do
	yizhan "$each" init --facility F1 --name Old
	code=$("$YIZHAN" -C "$hub" enrol new --facility F1 --auto --json | sed 's/.*"code":"\([^"]*\)".*/\1/')
	yizhan "$each" enrol "$code" "$url" 2>/dev/null
	yizhan "$each" sync
done

yizhan "$node" sql "CREATE TABLE visit(id INTEGER NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL, who TEXT, top INTEGER)"
yizhan "$node" track visit --max top
yizhan "$node" sql "INSERT INTO visit VALUES (1, 'F1', 'aunt', 3), (2, 'F1', 'uncle', 4);
	INSERT INTO child(id, facility_id, name, sex, birth_date) VALUES
		(x'01000000000000000000000000000000', 'F1', '安一', 1, 20240301),
		(x'02000000000000000000000000000000', 'F1', '安二', 2, 20240402);
	INSERT INTO care_event(id, facility_id, kind, at, amount) VALUES
		(x'03000000000000000000000000000000', 'F1', 1, 1795000000000, 120)"
yizhan "$node" sync
yizhan "$two" sync
# the same cell twice, unseen
yizhan "$node" sql "UPDATE child SET note = 'written at one' WHERE id = x'01000000000000000000000000000000'"
sleep 0.1
yizhan "$two" sql "UPDATE child SET note = 'written at two' WHERE id = x'01000000000000000000000000000000'"
for each in "$node" "$two" "$node"; do
	yizhan "$each" sync || [ $? = 4 ]
done
yizhan "$node" sql "DELETE FROM visit WHERE id = 2"
yizhan "$node" sync || [ $? = 4 ]
yizhan "$node" sql "UPDATE child SET name = '安二二' WHERE id = x'02000000000000000000000000000000'"
kill "$pid"
wait "$pid" || :
for each in "$hub" "$node"; do # no -wal beside it
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
db.close()' "$each/yizhan.db"
	rm -rf "$each"/lock "$each"/reserve "$each"/ctl "$each"/archive.git "$each"/yizhan.db-*
done
tar -C "$dir" --sort=name --owner=0 --group=0 --numeric-owner -cJf "$1" hub node
