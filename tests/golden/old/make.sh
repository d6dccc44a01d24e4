#!/bin/sh
# make.sh - write the golden databases of one format: a hub and a facility's node
# as a program of that format leaves them.  Once for each format that a program was
# released with, by that program:
#
#	YIZHAN=build/yizhan TOOLS=build sh tests/golden/old/make.sh tests/golden/old/format-N.tar.xz
#
# Both have met.  The node has a table of its own, an open conflict, and a row that
# isn't sealed yet.  From format 3 on the hub has refused a row, and has what the
# format brought: records from far ahead that it holds (4), a child that another
# facility sees (5), a place where it differed from its node (6).
# e2e/old_files.sh reads them.
#
# Formats 3 to 6 were each a program's for an hour of 2026-11-30, between merges; their
# files were made by programs built from 8320b1c, 2eb98d3, 12b508e and 9743c9b; that of
# format 7 by 589a273.
set -eu
dir=$(mktemp -d)
hub=$dir/hub node=$dir/node two=$dir/two far=$dir/far
trap 'exec 3>&-; kill $pids 2>/dev/null || :; wait; rm -rf "$dir"' EXIT
pids=

yizhan() {
	"$YIZHAN" -C "$@" >/dev/null
}

# meet DIR: what needs a person, or isn't taken, is what these files are to show.
meet() {
	yizhan "$1" sync 2>/dev/null || case $? in
	4 | 5) ;;
	*) return 1 ;;
	esac
}

enrol() { # DIR FACILITY URL
	yizhan "$1" init --facility "$2" --name Old
	code=$("$YIZHAN" -C "$hub" enrol new --facility "$2" --auto --json | sed 's/.*"code":"\([^"]*\)".*/\1/')
	yizhan "$1" enrol "$code" "$3" 2>/dev/null
	yizhan "$1" sync
}

# has TABLE: does a file of this format?
has() {
	python3 -c 'import sqlite3, sys
print(*sqlite3.connect(sys.argv[1] + "/yizhan.db").execute(
    "SELECT count(*) FROM sqlite_master WHERE name = ?", (sys.argv[2],)).fetchone())' "$hub" "$1" | grep -q 1
}

yizhan "$hub" init --hub
"$YIZHAN" -C "$hub" run --listen 127.0.0.1:0 >"$dir/said" 2>/dev/null &
pids=$!
until grep -qs '^serving' "$dir/said"; do sleep 0.05; done
url=$(sed -n 's/^serving .* on \(http:.*\)/\1/p' "$dir/said")
mkfifo "$dir/rules"
"$TOOLS/chaosproxy" "${url#http://}" <"$dir/rules" >"$dir/line" &
pids="$pids $!"
exec 3>"$dir/rules"
until [ -s "$dir/line" ]; do sleep 0.05; done
enrol "$node" F1 "$url"
enrol "$two" F1 "http://$(head -n 1 "$dir/line")"

yizhan "$node" sql "CREATE TABLE visit(id INTEGER NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL, who TEXT, top INTEGER)"
yizhan "$node" track visit --max top
yizhan "$hub" sql "CREATE TABLE visit(id INTEGER NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL, who TEXT NOT NULL, top INTEGER)"
yizhan "$hub" track visit --max top
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
	meet "$each"
done
yizhan "$node" sql "DELETE FROM visit WHERE id = 2"
meet "$node"
if has yz_share; then
	enrol "$far" F2 "$url"
	yizhan "$hub" share add 02000000000000000000000000000000 F2
	meet "$node"
	yizhan "$far" sync
fi
if has yz_rift; then # a row that was lost past the triggers
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1] + "/yizhan.db", isolation_level=None)
db.execute("BEGIN IMMEDIATE")
site, = db.execute("SELECT id FROM yz_scope WHERE name = ?", ("f/F1",)).fetchone()
old, = db.execute("SELECT sum FROM yz_digest WHERE scope = ?", (site,)).fetchone()
new = ((int.from_bytes(old, "big") + 1) % (1 << 128)).to_bytes(16, "big")
db.execute("UPDATE yz_digest SET sum = ? WHERE scope = ?", (new, site))
db.execute("COMMIT")' "$node"
	meet "$node"
fi
# the hub's table can't hold this one
yizhan "$node" sql "INSERT INTO visit VALUES (3, 'F1', NULL, 5)"
meet "$node"
if has yz_held; then # a clock three days ahead, and the answer is lost
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1] + "/yizhan.db")
db.execute("INSERT INTO care_event(id, facility_id, kind, at, amount) VALUES (?, ?, 1, 1795000000001, 60)",
    (bytes([4] + [0] * 15), "F1"))
db.execute("UPDATE yz_meta SET value = value + 3 * 86400000 * 65536 WHERE name = ?", ("last_stamp",))
db.commit()' "$two"
	echo cut.down=0 >&3
	until grep -q '^ok' "$dir/line"; do sleep 0.05; done
	yizhan "$two" sync 2>/dev/null || [ $? = 3 ]
fi
yizhan "$node" sql "UPDATE child SET name = '安二二' WHERE id = x'02000000000000000000000000000000'"
exec 3>&-
kill $pids
wait || :
for each in "$hub" "$node"; do # no -wal beside it
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
db.close()' "$each/yizhan.db"
	rm -rf "$each"/lock "$each"/reserve "$each"/ctl "$each"/archive.git "$each"/yizhan.db-*
done
tar -C "$dir" --sort=name --owner=0 --group=0 --numeric-owner -cJf "$1" hub node
