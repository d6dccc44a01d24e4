#!/bin/sh
# schema.sh - schema files with real programs: planned, applied beside a running
# daemon, renamed and dropped at one node only, and what is refused.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
district
two=$SCRATCH/two
"$YIZHAN" -C "$two" init --facility F1 >/dev/null || exit 1
enrol "$two" F1 "http://$hub_address"
serve "$node"

# meet: both nodes have told each other, through the hub.
meet() {
	for dir in "$node" "$two" "$node"; do
		check 0 '"state":"in_sync"' -C "$dir" sync --json
	done
	is "$(digest "$node")" "$(digest "$hub")" "digest, node and hub: $1"
	is "$(digest "$two")" "$(digest "$hub")" "digest, the other and hub: $1"
}

# ------------------------------------------------------------------ a plan, and the same applied

cat >"$SCRATCH/visit.sql" <<'EOF'
-- who came to look
CREATE TABLE visit(id INTEGER NOT NULL PRIMARY KEY, facility_id TEXT NOT NULL, who TEXT, note TEXT, top INTEGER);
-- yizhan track visit --max top --urgent
CREATE INDEX visit_who ON visit(who);
ALTER TABLE child ADD COLUMN shoe TEXT;
EOF
before=$("$YIZHAN" -C "$node" schema show)
check 0 'visit: a new table, tracked .*child: shoe is new; .* child: 0 changes to be sent .*nothing was changed' \
	-C "$node" schema plan "$SCRATCH/visit.sql"
is "$("$YIZHAN" -C "$node" schema show)" "$before" 'the schema after a plan'
wanted='"tables":\[\{"table":"visit","is":"new","tracked":true,"added":\[\],"dropped":\[\],"renamed":\[\],"changes":0,"kept":0,"waiting":0\},\{"table":"child","is":"altered","tracked":true,"added":\["shoe"\],"dropped":\[\],"renamed":\[\],"changes":0,"kept":0,"waiting":0\}\],"others":1\}$'
check 0 "^\{\"applied\":false,$wanted" -C "$node" schema plan "$SCRATCH/visit.sql" --json
check 0 "^\{\"applied\":true,$wanted" -C "$node" schema apply "$SCRATCH/visit.sql" --json
check 1 'line 2: table visit already exists' -C "$node" schema apply "$SCRATCH/visit.sql"

# ------------------------------------------------------------------ written beside the daemon, read elsewhere

sql "$node" "INSERT INTO visit VALUES (1, 'F1', 'aunt', 'one', 1), (2, 'F1', 'uncle', 'two', 2)" >/dev/null
check 0 '"state":"in_sync"' -C "$node" sync --json # the table is urgent: the daemon may have been quicker
check 0 '"received":[1-9]' -C "$two" sync --json
check 0 '"is":"new",.*"waiting":2' -C "$two" schema apply "$SCRATCH/visit.sql" --json
meet 'a table that both have'
is "$(sql "$two" 'SELECT id, who, note, top FROM visit')" "$(sql "$node" 'SELECT id, who, note, top FROM visit')" 'rows'
# a column and what is written to it before anybody has looked
sql "$two" "ALTER TABLE visit ADD COLUMN mood TEXT; UPDATE visit SET mood = 'shy' WHERE id = 2" >/dev/null
sql "$node" "ALTER TABLE visit ADD COLUMN mood TEXT; UPDATE visit SET mood = 'glad' WHERE id = 1" >/dev/null
meet 'a column that was written at once'
for dir in "$node" "$two"; do
	is "$(sql "$dir" 'SELECT mood FROM visit ORDER BY id')" '[{"mood":"glad"},{"mood":"shy"}]' "moods in $dir"
done

# ------------------------------------------------------------------ renamed at one

echo 'ALTER TABLE visit RENAME COLUMN note TO remark; ALTER TABLE visit RENAME COLUMN top TO highest;' >"$SCRATCH/rename.sql"
check 0 '"renamed":\[\{"from":"note","to":"remark","travels":"note"\},\{"from":"top","to":"highest","travels":"top"\}\],"changes":0' \
	-C "$node" schema apply "$SCRATCH/rename.sql" --json
sql "$node" "UPDATE visit SET remark = 'told here' WHERE id = 1" >/dev/null
sql "$two" "UPDATE visit SET note = 'told there', top = 7 WHERE id = 2" >/dev/null
meet 'a column that is called otherwise'
is "$(sql "$node" 'SELECT remark, highest FROM visit ORDER BY id')" \
	'[{"remark":"told here","highest":1},{"remark":"told there","highest":7}]' 'where it is renamed'
is "$(sql "$two" 'SELECT note, top FROM visit ORDER BY id')" \
	'[{"note":"told here","top":1},{"note":"told there","top":7}]' 'where it is not'
check 0 '"columns":\["remark"\]' -C "$node" log --json
check 0 '"columns":\["note"\]' -C "$two" log --json
check 0 '"column":"remark","value":"told there","before":"two"' -C "$node" history visit 2 --json
check 0 '"name":"remark","travels":"note"' -C "$node" schema show visit --json

# ------------------------------------------------------------------ dropped at one

echo 'ALTER TABLE visit DROP COLUMN remark;' >"$SCRATCH/drop.sql"
check 0 'remark is dropped .*the dropped cells of 2 rows stay beside it' -C "$node" schema plan "$SCRATCH/drop.sql"
check 0 '"dropped":\["remark"\],.*"changes":0,"kept":2' -C "$node" schema apply "$SCRATCH/drop.sql" --json
sql "$two" "UPDATE visit SET note = 'later' WHERE id = 2" >/dev/null
sql "$node" "UPDATE visit SET mood = 'wild' WHERE id = 2" >/dev/null
meet 'a column that one has dropped'
is "$(sql "$two" 'SELECT note, mood FROM visit WHERE id = 2')" '[{"note":"later","mood":"wild"}]' 'the other still has it'
echo 'ALTER TABLE visit ADD COLUMN note TEXT;' >"$SCRATCH/back.sql"
check 0 '"added":\["note"\],.*"waiting":2' -C "$node" schema apply "$SCRATCH/back.sql" --json
meet 'a column that came back'
is "$(sql "$node" 'SELECT note FROM visit ORDER BY id')" '[{"note":"told here"},{"note":"later"}]' 'and its cells'
check 0 'in order' -C "$node" verify --deep
check 0 'every tracked table has its triggers' -C "$node" doctor

# ------------------------------------------------------------------ refused

check 2 'which file\?; usage: ' -C "$node" schema plan
check 2 'schema can.t "eat"; usage: ' -C "$node" schema eat
check 1 'nowhere.sql: no such file; ' -C "$node" schema apply "$SCRATCH/nowhere.sql"
printf 'CREATE TABLE a(b);\0' >"$SCRATCH/binary.sql"
check 1 'is no text; ' -C "$node" schema apply "$SCRATCH/binary.sql"
check 1 'there is no such|holds no node|No such file' -C "$SCRATCH/nowhere" schema plan "$SCRATCH/drop.sql"
refuse() {
	printf '%s\n' "$1" >"$SCRATCH/refused.sql"
	check 1 "$2" -C "$node" schema apply "$SCRATCH/refused.sql"
}
refuse 'ALTER TABLE child RENAME COLUMN name TO n;' 'line 1: the program itself uses child: '
refuse 'DROP VIEW v1_child;' 'line 1: the program itself uses v1_child: '
refuse '-- yizhan track visit --scope' 'line 1: the option --scope needs a value; '
refuse '-- yizhan track visit --colour red' 'line 1: track has no word --colour here; '
refuse '-- yizhan track visit --scope all --scope-prefix x' 'line 1: --scope is the whole scope: '
refuse '-- yizhan sql visit' 'line 1: "-- yizhan sql visit" isn.t understood; say: '
refuse 'ALTER TABLE visit ADD COLUMN age INTEGER; UPDATE visit SET age = 3' 'line 1: a schema file holds CREATE, ALTER and DROP'
is "$(sql "$node" "SELECT count(*) AS n FROM pragma_table_info('visit') WHERE name = 'age'")" '[{"n":0}]' 'all or nothing'
finish
