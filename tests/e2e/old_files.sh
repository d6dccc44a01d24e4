#!/bin/sh
# old_files.sh - the databases of every format that was ever left by a program
# (tests/golden/old): each is read, brought to today's format and goes on, hub and
# node; and those of a program to come are left alone, with a sentence.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc

# meta DIR NAME [VALUE]: read or write a word of the file, as no command of ours would.
meta() {
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1] + "/yizhan.db")
if len(sys.argv) > 3:
    db.execute("UPDATE yz_meta SET value = ? WHERE name = ?", (int(sys.argv[3]), sys.argv[2]))
    db.commit()
print(*db.execute("SELECT value FROM yz_meta WHERE name = ?", (sys.argv[2],)).fetchone())' "$@"
}

# unpack FILE: to where fresh copies are taken from.
unpack() {
	mkdir "$SCRATCH/as_it_was"
	python3 -c 'import sys, tarfile
tarfile.open(sys.argv[1]).extractall(sys.argv[2])' "$1" "$SCRATCH/as_it_was"
}

fresh() {
	rm -rf "$hub" "$node"
	cp -R "$SCRATCH/as_it_was/hub" "$SCRATCH/as_it_was/node" "$SCRATCH"
	chmod 700 "$hub" "$node"
}

# What a person reads is read first by a command that only reads: each from an untouched file.
read_first() {
	for words in status log 'conflicts list' 'quarantine list' verify 'history child 01000000000000000000000000000000' \
		'export visit' 'schema show visit'; do
		fresh
		# shellcheck disable=SC2086 # words
		said=$("$YIZHAN" -C "$node" $words 2>&1)
		case $? in
		0 | 4) ;;
		*) is "$said" '' "$1: $words" ;;
		esac
	done
	is "$(meta "$node" format)" "$now" "$1: the format after it was read"
}

# waiting PATTERN: the id of what the hub's quarantine lists with that reason.
waiting() {
	"$YIZHAN" -C "$hub" quarantine list --json | tr '{' '\n' | grep -e "$1" | sed 's/.*"id":\([0-9]*\).*/\1/'
}

# What the formats have brought is there, and works: a row that was refused is, once it is written
# anew; records from far ahead are let in; a share is one; where it differed is still told.
brought() {
	if [ "$count" -ge 2 ]; then
		is "$(test -n "$(waiting 'NOT NULL')" && echo listed)" listed "$1: a row that was refused"
		sql "$node" "UPDATE visit SET who = 'cousin' WHERE id = 3" >/dev/null
		check 0 '"state":"in_sync"' -C "$node" sync --json
		check 0 '"state":"in_sync"' -C "$node" sync --json # what was refused is looked at by the next
		is "$(sql "$hub" 'SELECT who FROM visit WHERE id = 3')" '[{"who":"cousin"}]' "$1: the row at the hub"
		is "$(waiting 'NOT NULL')" '' "$1: it is listed no more"
	fi
	if [ "$count" -ge 3 ]; then
		is "$(sql "$hub" 'SELECT count(*) AS n FROM yz_held')" '[{"n":1}]' "$1: what is held"
		check 0 '' -C "$hub" quarantine retry "$(waiting 'days\? ahead\|day ahead')"
		for i in 1 2; do
			check 0 '"state":"in_sync"' -C "$node" sync --json
		done
		is "$(sql "$node" 'SELECT amount FROM care_event ORDER BY id')" '[{"amount":120},{"amount":60}]' "$1: it was let in"
		is "$(sql "$hub" 'SELECT count(*) AS n FROM yz_held')" '[{"n":0}]' "$1: nothing is held"
	fi
	if [ "$count" -ge 4 ]; then
		check 0 '02000000000000000000000000000000.*F2' -C "$hub" share list
		sql "$node" "UPDATE child SET note = 'seen by two' WHERE id = x'02000000000000000000000000000000'" >/dev/null
		check 0 '"state":"in_sync"' -C "$node" sync --json
		is "$(sql "$hub" "SELECT s.name FROM yz_member m JOIN yz_scope s ON s.id = m.scope")" '[{"name":"f/F2"}]' "$1: who else sees it"
	fi
	if [ "$count" -ge 5 ]; then
		is "$(sql "$node" "SELECT count(*) AS n FROM yz_rift WHERE mended_ms IS NOT NULL")" '[{"n":1}]' "$1: where it differed"
	fi
	check 0 'in order' -C "$hub" verify --deep
	is "$(digest "$node")" "$(digest "$hub")" "$1: digests in the end"
}

# It meets its hub, which is as old; what waited is sent, what is in conflict is decided.
go_on() {
	fresh
	serve "$hub"
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1] + "/yizhan.db")
db.execute("UPDATE yz_remote SET url = ?", ("http://" + sys.argv[2],))
db.commit()' "$node" "$address"
	"$YIZHAN" -C "$node" sync >/dev/null 2>&1 # it says that this is a copy
	check 0 '"state":"attention"' -C "$node" sync --json
	is "$(meta "$node" format) $(meta "$hub" format)" "$now $now" "$1: formats"
	is "$(meta "$hub" hub_format)" "$now_hub" "$1: the format of the hub's tables"
	is "$(digest "$node")" "$(digest "$hub")" "$1: digests"
	is "$(sql "$hub" 'SELECT hex(substr(id, 1, 1)) AS id, name, note FROM child ORDER BY id')" \
		'[{"id":"01","name":"安一","note":"written at two"},{"id":"02","name":"安二二","note":null}]' "$1: children at the hub"
	is "$(sql "$node" 'SELECT * FROM visit WHERE id < 3')" '[{"id":1,"facility_id":"F1","who":"aunt","top":3}]' "$1: visits"
	id=$("$YIZHAN" -C "$node" conflicts list --json | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/')
	check 0 '"other":"written at one"' -C "$node" conflicts show "$id" --json
	check 0 '' -C "$node" conflicts resolve "$id" --take other
	check 0 '"state":"in_sync"' -C "$node" sync --json
	check 0 '^\[\]' -C "$hub" conflicts list --json
	is "$(sql "$hub" "SELECT note FROM child WHERE name = '安一'")" '[{"note":"written at one"}]' "$1: the decision at the hub"
	brought "$1"
	sql "$node" "INSERT INTO allergy(child_id, allergen_code, facility_id)
		VALUES (x'01000000000000000000000000000000', 'EGG', 'F1')" >/dev/null
	check 0 '"state":"in_sync"' -C "$node" sync --json
	is "$(sql "$hub" 'SELECT active, ended, facility_id FROM allergy_word')" \
		'[{"active":1,"ended":0,"facility_id":"F1"}]' "$1: what was said of an allergy"
	stop "$last"
	check 0 '' -C "$node" archive rebuild
	check 0 'in order' -C "$node" verify --deep
}

"$YIZHAN" -C "$hub" init --hub >/dev/null || exit 1
now=$(meta "$hub" format)
now_hub=$(meta "$hub" hub_format)
count=0
for file in tests/golden/old/format-*.tar.xz; do
	unpack "$file"
	is "$(meta "$SCRATCH/as_it_was/node" format)" "$((count + 1))" "$file: its format"
	read_first "$file"
	go_on "$file"
	rm -rf "$SCRATCH/as_it_was"
	count=$((count + 1))
done
is "$count" "$now" "golden files, one for each format: tests/golden/old/make.sh makes today's"

# ------------------------------------------------------------------ downgrade

# leaves_alone DIR WORDS...: the facility's tables are a newer program's, and each of these says so.
leaves_alone() {
	dir=$1
	shift
	known=$(meta "$dir" facility_format)
	meta "$dir" facility_format 999 >/dev/null
	before=$(cksum "$dir/yizhan.db")
	for words in "$@"; do
		# shellcheck disable=SC2086 # words
		check 1 'this file.s facility tables have format 999, this program knows [0-9]+: install the newer yizhan again' \
			-C "$dir" $words
	done
	is "$(cksum "$dir/yizhan.db")" "$before" "$dir: facility tables of a newer program"
	meta "$dir" facility_format "$known" >/dev/null
}
leaves_alone "$node" status sync run log 'export child' 'import child /dev/null' 'conflicts list'
leaves_alone "$hub" status run nodes 'seats list' 'token new --scope all'
meta "$hub" hub_format 999 >/dev/null
for words in nodes run 'token new --scope all'; do
	# shellcheck disable=SC2086 # words
	check 1 'this hub.s tables have format 999, this program knows [0-9]+: install the newer yizhan again' -C "$hub" $words
done
meta "$node" format 999 >/dev/null
before=$(cksum "$node/yizhan.db")
echo 'CREATE TABLE a(b);' >"$SCRATCH/a.sql"
for words in "schema plan $SCRATCH/a.sql" "schema apply $SCRATCH/a.sql" 'backup backup.db' 'track child'; do
	# shellcheck disable=SC2086 # words
	check 1 'format 999, this program knows [0-9]+: install the newer yizhan again' -C "$node" $words
done
is "$(cksum "$node/yizhan.db")" "$before" 'the file of a newer program'
finish
