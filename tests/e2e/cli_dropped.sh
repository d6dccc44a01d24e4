#!/bin/sh
# cli_dropped.sh - another program drops tables, views and triggers: everybody is told, and
# yizhan doctor --fix brings back what the program makes, with what the records say.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc

# stranger SQL: as another program writes, through the system's SQLite.
stranger() {
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA wal_autocheckpoint = 0")
db.executescript(sys.argv[2])' "$node/yizhan.db" "$1"
}

# sql DIR WORDS: one value.
sql() {
	"$YIZHAN" -C "$1" sql "$2" | tail -n 1
}

"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 --name F1 >/dev/null || exit 1
serve "$hub"
code=$("$YIZHAN" -C "$hub" enrol new --facility F1 --auto --json | sed 's/.*"code":"\([^"]*\)".*/\1/')
"$YIZHAN" -C "$node" enrol "$code" "http://$address" >/dev/null 2>&1 || exit 1
echo "CREATE TABLE visit(id INTEGER NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL DEFAULT 'F1', who TEXT);
-- yizhan track visit" >"$SCRATCH/visit.sql"
"$YIZHAN" -C "$node" schema apply "$SCRATCH/visit.sql" >/dev/null &&
	"$YIZHAN" -C "$node" sql "INSERT INTO child(id, facility_id, name) VALUES
		(x'0101010101010101010101010101aaaa', 'F1', '安一'), (x'0202020202020202020202020202bbbb', 'F1', '白二');
		INSERT INTO visit(id, who) VALUES (1, '外婆')" >/dev/null &&
	"$YIZHAN" -C "$node" sync >/dev/null || exit 1
check 0 'well +tables +all that is tracked and all that the program uses is there' -C "$node" doctor
norms=$(sql "$node" 'SELECT count(*) FROM norm_param')

# ------------------------------------------------------------------ a table of the program's own

stranger 'DROP TABLE child; DROP TABLE norm_param; DROP TABLE local_pin'
check 4 '^2 tables are lost, see yizhan doctor' -C "$node" status
"$YIZHAN" -C "$hub" sql "UPDATE child SET note = '中心' WHERE id = x'0202020202020202020202020202bbbb'" >/dev/null
"$YIZHAN" -C "$node" sync >/dev/null 2>&1
check 4 '"state":"attention",.*"lost_tables":2,"lost_rows":1,' -C "$node" status --json
check 1 'table child: there is no table child; what is written there is not captured, .* NOT in order' -C "$node" verify
check 4 'ill +tables +child is not tracked any more: there is no table child, and 1 row waits for it; yizhan doctor --fix makes it anew, .*ill +tables +norm_param .*ill +tables +the program.s table local_pin is gone; ' \
	-C "$node" doctor
is "$("$YIZHAN" -C "$node" doctor | grep -c child_id_hash)" 0 'an index goes with its table'
check 0 'mended +tables +made anew: [^;]*child,.*mended +rows .* 1 are again what their records say' -C "$node" doctor --fix
is "$(sql "$node" "SELECT group_concat(name || ifnull(note, ''), ' ') FROM child")" '安一 白二中心' 'both children are back'
is "$(sql "$node" 'SELECT count(*) FROM norm_param')" "$norms" 'the catalogue is back'
check 0 '^in order' -C "$node" verify --deep
"$YIZHAN" -C "$node" sql "UPDATE child SET note = '又' WHERE id = x'0101010101010101010101010101aaaa'" >/dev/null
check 0 '"state":"in_sync","sent":1,' -C "$node" sync --json
is "$(sql "$hub" "SELECT group_concat(ifnull(note, ''), ' ') FROM child")" '又 中心' 'what is written then is captured'

# ------------------------------------------------------------------ its views and triggers

stranger "DROP TRIGGER allergy_said; DROP VIEW v1_child; CREATE VIEW v1_child AS SELECT 1 AS one"
check 4 "ill +tables +the program's trigger allergy_said is gone; .*ill +tables +the program's view v1_child is not as it made it; " \
	-C "$node" doctor
check 0 'mended +tables +made anew: allergy_said, v1_child ' -C "$node" doctor --fix
stranger "DROP TRIGGER allergy_said; DROP VIEW v1_child"
"$YIZHAN" -C "$node" sync >/dev/null # a start is enough
"$YIZHAN" -C "$node" sql "INSERT INTO allergy(child_id, allergen_code, facility_id)
	VALUES (x'0101010101010101010101010101aaaa', 'egg', 'F1')" >/dev/null
is "$(sql "$node" 'SELECT count(*) FROM allergy_word')" 1 'the word that the trigger writes'
check 0 'well +tables ' -C "$node" doctor

# ------------------------------------------------------------------ a table of somebody's

stranger 'DROP TABLE visit'
check 0 '"state":"attention",' -C "$node" sync --json
check 4 'ill +tables +visit is not tracked any more: there is no table visit; make it as it was with yizhan schema apply, -- yizhan track visit, then yizhan doctor --fix; or say there DROP TABLE IF EXISTS visit' \
	-C "$node" doctor --fix
check 0 'visit: a new table, tracked' -C "$node" schema apply "$SCRATCH/visit.sql"
check 0 'mended +rows .* 1 are again what their records say' -C "$node" doctor --fix
is "$(sql "$node" 'SELECT who FROM visit')" 外婆 'its row is back'
stranger 'DROP TABLE visit'
check 4 '^1 table is lost, ' -C "$node" status
echo 'DROP TABLE IF EXISTS visit;' >"$SCRATCH/drop.sql"
check 0 'done' -C "$node" schema apply "$SCRATCH/drop.sql"
check 0 '"lost_tables":0,' -C "$node" status --json
finish
