#!/bin/sh
# net_values.sh - F46 to F49 with real programs: values at the ends of their
# ranges are the same everywhere; a column more is no change; a table that the
# hub doesn't know goes through it; a file of a newer program is left alone.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
district
two=$SCRATCH/two
"$YIZHAN" -C "$two" init --facility F1 >/dev/null || exit 1
enrol "$two" F1 "http://$hub_address"

# Both nodes have a table of their own; the hub has never heard of it (F46).
for dir in "$node" "$two"; do
	sql "$dir" "CREATE TABLE extreme(id INTEGER NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL, v)" >/dev/null
	check 0 '' -C "$dir" track extreme
done

# ------------------------------------------------------------------ F49

long=$(printf '%8000s' '' | sed 's/ /0123456789/g')
sql "$node" "INSERT INTO extreme SELECT value ->> 0, 'F1', CASE value ->> 1
	WHEN 'max' THEN 9223372036854775807 WHEN 'min' THEN -9223372036854775808
	WHEN 'inf' THEN 9e999 WHEN '-inf' THEN -9e999 WHEN 'nan' THEN 9e999 - 9e999
	WHEN '-0' THEN -0.0 WHEN 'tiny' THEN 5e-324 WHEN 'tenth' THEN 0.1 WHEN 'third' THEN 1.0/3
	WHEN 'int as real' THEN 1.0 WHEN 'text' THEN '' WHEN 'blob' THEN x'' WHEN 'zeroblob' THEN zeroblob(100000)
	WHEN 'nul' THEN 'a' || char(0) || 'b' WHEN 'surrogate' THEN CAST(x'eda080' AS TEXT)
	WHEN 'broken' THEN CAST(x'fffe80' AS TEXT) WHEN 'turn' THEN char(0x202e) || 'abc' WHEN 'emoji' THEN '👩‍👩‍👧'
	WHEN 'formula' THEN '=cmd|''/c calc''!A1' WHEN 'lines' THEN char(13, 10) || '\"' || char(9)
	WHEN 'long' THEN '$long' END
	FROM json_each('[[1,\"max\"],[2,\"min\"],[3,\"inf\"],[4,\"-inf\"],[5,\"nan\"],[6,\"-0\"],[7,\"tiny\"],[8,\"tenth\"],
	[9,\"third\"],[10,\"int as real\"],[11,\"text\"],[12,\"blob\"],[13,\"zeroblob\"],[14,\"nul\"],[15,\"surrogate\"],
	[16,\"broken\"],[17,\"turn\"],[18,\"emoji\"],[19,\"formula\"],[20,\"lines\"],[21,\"long\"],[9223372036854775807,\"max\"],
	[-9223372036854775808,\"min\"]]')" >/dev/null
values() {
	sql "$1" "SELECT id, typeof(v) AS t, hex(CAST(v AS BLOB)) AS h, quote(v) AS q FROM extreme ORDER BY id"
}
wanted=$(values "$node")
is "$(sql "$node" 'SELECT count(*) AS n FROM extreme' | tr -dc '0-9')" 23 'rows with extremes'
is "$(sql "$node" 'SELECT typeof(v) AS t FROM extreme WHERE id = 5')" '[{"t":"null"}]' 'not a number is NULL'
for dir in "$node" "$two" "$node"; do
	check 0 '"state":"in_sync"' -C "$dir" sync --json
done
is "$(values "$two")" "$wanted" 'the same at the other node, through a hub that has no such table'
is "$(digest "$two")" "$(digest "$hub")" 'digests, with a table that the hub does not have'
is "$(digest "$node")" "$(digest "$hub")" 'digests, at the first node'
sql "$two" 'UPDATE extreme SET v = v WHERE id > 0' >/dev/null
check 0 '"sent":0,' -C "$two" sync --json
"$YIZHAN" -C "$node" export extreme --excel >"$SCRATCH/csv"
is "$(grep -ac '^19,F1,"\{0,1\}'"'=cmd" "$SCRATCH/csv")" 1 'a formula is text in a spreadsheet'
check 0 '^in order' -C "$two" verify --deep

# ------------------------------------------------------------------ F47

sql "$node" 'ALTER TABLE child ADD COLUMN shoe TEXT' >/dev/null
sql "$node" "INSERT INTO child(id, facility_id, name) WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
	SELECT randomblob(16), 'F1', 'n' || i FROM n" >/dev/null
check 0 '"sent":2000,' -C "$node" sync --json
sql "$node" 'ALTER TABLE child ADD COLUMN hat TEXT' >/dev/null
check 0 '"sent":0,' -C "$node" sync --json
settled 'a column more'
sql "$node" "UPDATE child SET hat = 'red' WHERE name = 'n7'" >/dev/null
check 0 '"sent":1,' -C "$node" sync --json
settled 'and a value in it, that the hub has no place for'
sql "$hub" 'ALTER TABLE child ADD COLUMN hat TEXT' >/dev/null
settled 'and now it has'
is "$(sql "$hub" "SELECT count(*) AS n FROM child WHERE hat = 'red' AND name = 'n7'" | tr -dc '0-9')" 1 'the value is there'

# ------------------------------------------------------------------ F48

python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE yz_meta SET value = 999 WHERE name = ?", ("format",))
db.commit()' "$node/yizhan.db"
before=$(cksum "$node/yizhan.db")
for words in sync status log verify run conflicts 'archive now' 'export child' 'history child 00'; do
	# shellcheck disable=SC2086 # words
	check 1 'this database has format 999, this program knows [0-9]+: install the newer yizhan again' -C "$node" $words
done
is "$(cksum "$node/yizhan.db")" "$before" 'the file of a newer program'
finish
