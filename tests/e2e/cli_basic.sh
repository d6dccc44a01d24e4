#!/bin/sh
# cli_basic.sh - init, sql, track and schema, and that a wrong word is answered
# with one sentence that says what happened and what to do.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
node=$SCRATCH/node

# ------------------------------------------------------------------ what works

check 0 '^node [0-9a-f]{32} of facility F1 in ' -C "$node" init --facility F1 --name 向日葵
check 0 '^hub [0-9a-f]{32} in ' -C "$SCRATCH/hub" init --hub
is "$(stat -c %a "$node" "$node/key" "$node/yizhan.db" | xargs)" '700 600 600' 'rights of a node'
check 0 '^node ' -C "$SCRATCH/shared" init --facility F1 --group "$(id -gn)"
is "$(stat -c %a "$SCRATCH/shared" "$SCRATCH/shared/key" "$SCRATCH/shared/yizhan.db" | xargs)" '3770 600 660' \
	'rights of a node that a group writes'
check 0 '^\{"node":"[0-9a-f]{32}","epoch":"[0-9a-f]{16}","facility":null,"role":"hub"\}$' \
	-C "$SCRATCH/hub2" init --hub --json

check 0 '^\[\]$' -C "$node" sql --json 'CREATE TABLE t(a INTEGER NOT NULL PRIMARY KEY, b TEXT, c INT)'
check 0 '^\[\{"a":1,"b":"x","c":null\},\{"a":2,"b":"驿站","c":5\}\]$' -C "$node" sql --json \
	"INSERT INTO t VALUES (1, 'x', NULL), (2, '驿站', 5); SELECT * FROM t; DELETE FROM t WHERE 0;"
check 0 '^\[\{"t":"�A","r":1.0,"i":9e999,"b":"00ff","n":null,"_bad_utf8":\["t"\]\}\]$' -C "$node" sql --json \
	"SELECT CAST(x'ff41' AS TEXT) t, 1.0 r, 1e999 i, x'00ff' b, ? n"
check 0 '^a b +c 1 x +2 驿站 5$' -C "$node" sql 'SELECT * FROM t'
check 0 '^\[\]$' -C "$node" sql --json ' -- nothing
	/* at all */ ; '
# rows are of the last statement that gave some
check 0 '^\[\{"b":"z"\}\]$' -C "$node" sql --json \
	"INSERT INTO t VALUES (7, 'z', NULL) RETURNING b; SELECT 1 WHERE 0; DELETE FROM t WHERE a = 7"
check 0 '^b z$' -C "$node" sql "INSERT INTO t VALUES (7, 'z', NULL) RETURNING b; SELECT 1 WHERE 0; DELETE FROM t WHERE a = 7"
check 0 '^\[\]$' -C "$node" sql --json 'SELECT 1 WHERE 0'
is "$("$YIZHAN" -C "$node" sql 'SELECT 1 WHERE 0' 2>&1)" '' 'no rows'
# all or nothing
check 1 'UNIQUE constraint failed: t.a; nothing was written' -C "$node" sql \
	"INSERT INTO t(a) VALUES (3); INSERT INTO t(a) VALUES (1)"
check 0 '^\[\{"n":2\}\]$' -C "$node" sql --json 'SELECT count(*) n FROM t'
# what waits is the facility's own row, written by init
is "$("$YIZHAN" -C "$node" sql --json 'SELECT count(*) n FROM yz_log')" '[{"n":1}]' 'changes that wait'

check 0 '^\{"table":"t","kind":"record","scope":"f/F1","scope_column":null\}$' \
	-C "$node" track t --max c --json
check 0 '^\[\{"n":3\}\]$' -C "$node" sql --json 'SELECT count(*) n FROM yz_log'
check 1 't.c only grows' -C "$node" sql 'UPDATE t SET c = 1 WHERE a = 2'
check 0 '-- tracked: record, scope f/F1; greatest wins: c CREATE TABLE t' -C "$node" schema show t
check 0 '"name":"t","sql":"CREATE TABLE t\(.*"kind":"record","scope":"f/F1"' -C "$node" schema show t --json
check 0 '^-- 驿站 yizhan: the tables .*-- 7 婴幼儿 .* kept nowhere -- tracked: record, scope f/ \+ facility_id CREATE TABLE child\(' \
	-C "$node" schema show
check 0 '^-- 13 出勤事件 · coming and going \(event\) .*-- tracked: event, ' -C "$node" schema show attendance_event
check 0 '^-- tracked: record, scope f/F1; greatest wins: c CREATE TABLE t' -C "$node" schema show t
check 0 '"scope":"f/","scope_column":"facility_id"' -C "$SCRATCH/hub" schema show child --json
YIZHAN_DIR=$node check 0 '^n 2$' sql 'SELECT count(*) n FROM t'

# ------------------------------------------------------------------ what doesn't

check 1 'holds a node already; choose another directory' -C "$node" init --facility F1
check 2 "can't be a facility's ID, which is 1 to 48 .*; usage: " -C "$SCRATCH/x" init --facility 'a/b c'
check 2 "can't be a facility's ID, .*; usage: " -C "$SCRATCH/x" init --facility ''
check 1 'no such group|there is no group nobodyhere here; ' -C "$SCRATCH/x" init --facility A --group nobodyhere
check 1 "no/such can't be made: the directory above it isn't there; make it first" -C "$SCRATCH/no/such" init --facility A
: >"$SCRATCH/file"
check 1 'file is a file; choose a new directory' -C "$SCRATCH/file" init --facility A
check 1 'file/x lies below a file; choose another place' -C "$SCRATCH/file/x" init --facility A
is "$(ls -d "$SCRATCH/x" 2>/dev/null)" '' 'a refused init leaves nothing'
check 2 'either --facility ID or --hub is needed; usage: ' -C "$SCRATCH/x" init
check 2 'a hub has no facility; usage: ' -C "$SCRATCH/x" init --hub --facility A
check 2 'the option --facility needs a value; usage: ' -C "$SCRATCH/x" init --facility

check 1 'No such file or directory; -C DIR names' -C "$SCRATCH/none" sql 'SELECT 1'
check 1 'holds no node; make one with yizhan -C .* init' -C "$SCRATCH" sql 'SELECT 1'
for words in 'sql SELECT(1)' sync run status verify 'archive now'; do
	# shellcheck disable=SC2086 # words
	check 1 'No such file or directory; -C DIR names' -C "$SCRATCH/none" $words
	# shellcheck disable=SC2086 # words
	check 1 'holds no node; make one with yizhan -C .* init' -C "$SCRATCH" $words
done
# a key is nowhere else
for spoil in 'chmod 644 key' 'echo nonsense >key' ': >key' 'rm key'; do
	cp -a "$node" "$SCRATCH/spoilt"
	(cd "$SCRATCH/spoilt" && eval "$spoil")
	case $spoil in
	chmod*) wanted='key can be read by others; chmod 600 .*/spoilt/key$' ;;
	*) wanted='key (holds no key|is empty|is not there); no backup has it: make a new node with yizhan init elsewhere' ;;
	esac
	check 1 "$wanted" -C "$SCRATCH/spoilt" sync
	rm -rf "$SCRATCH/spoilt"
done
cp -a "$node" "$SCRATCH/spoilt" && rm "$SCRATCH/spoilt/node.conf"
check 1 'has no node.conf; write it anew with git config -f .*/spoilt/node.conf facility.id ID' -C "$SCRATCH/spoilt" run
check 1 'no such table: nothere; nothing was written' -C "$node" sql 'SELECT * FROM nothere'
check 1 'syntax error; nothing was written' -C "$node" sql 'SELEKT 1'
check 1 "COMMIT can't stand here" -C "$node" sql '/* so */ COMMIT; SELECT 1'
check 1 "ATTACH can't stand here, because .* transaction already; read another file with" \
	-C "$node" sql "attach '$SCRATCH/y' as y"
# the engine's own tables are for reading
check 1 "yz_log is yizhan's own and can only be read; nothing was written" -C "$node" sql 'DROP TABLE yz_log'
check 1 "yz_segment is yizhan's own" -C "$node" sql "UPDATE t SET c = 9; DELETE FROM yz_segment"
check 1 "hub_node is yizhan's own" -C "$SCRATCH/hub" sql 'DELETE FROM hub_node'
check 0 '^\[\{"c":5\}\]$' -C "$node" sql --json 'SELECT c FROM t WHERE a = 2'
# what the program and other nodes count on isn't taken away; one refused statement undoes those before it
for words in 'DROP TABLE guardian' 'ALTER TABLE child RENAME TO kid' 'ALTER TABLE child DROP COLUMN note' \
	'DROP VIEW v1_child' 'DROP TRIGGER allergy_said'; do
	check 1 'the program itself uses (guardian|child|v1_child|allergy_said), ' -C "$node" sql "UPDATE t SET c = 9; $words"
done
check 1 't is tracked, .*; nothing was written, drop and rename with yizhan schema apply FILE' -C "$node" sql 'DROP TABLE t'
check 0 '^\[\{"c":5,"kids":0\}\]$' -C "$node" sql --json 'SELECT c, (SELECT count(*) FROM v1_child) kids FROM t WHERE a = 2'
printf 'name,value\nformat,01\n' >"$SCRATCH/meta.csv"
check 1 "yz_meta is yizhan's own and can only be read; " -C "$node" import yz_meta "$SCRATCH/meta.csv"
check 2 'too few words: it takes "STATEMENTS"; usage: ' -C "$node" sql
check 2 '"b" is one word too many; usage: ' -C "$node" sql a b
check 2 'there is no option --fast; usage: ' -C "$node" sql --fast 'SELECT 1'
check 1 '^\{"error":\{"code":"invalid","message":"no such table: x","do":"nothing was written, .*"\}\}$' \
	-C "$node" sql --json 'SELECT * FROM x'
check 2 '^\{"error":\{"code":"usage","message":".*","do":"usage: .*"\}\}$' -C "$node" sql --json
check 1 '^\{"error":\{"code":"not_found","message":".*","do":".*"\}\}$' -C "$SCRATCH/none" sql --json 'SELECT 1'

check 1 'there is no table nothere; yizhan schema show lists the tables' -C "$node" track nothere
check 1 'another way' -C "$node" track t --event
check 1 'another kind.*: make a new table and copy the rows there; ' -C "$node" track t --max c --event
for table in local_pin local_batch_key; do
	check 1 ": $table stays where it is: " -C "$node" track "$table" --scope all
done
for table in hub_node hub_feed hub_token; do
	check 1 ": $table stays where it is: " -C "$SCRATCH/hub" track "$table" --scope all
done
check 0 '^\[\{"n":0\}\]$' -C "$SCRATCH/hub" sql --json \
	"SELECT count(*) n FROM sqlite_schema WHERE type = 'trigger' AND tbl_name GLOB 'hub_*'"
check 1 ' has no column z' -C "$node" track t --max z
check 2 '--scope is the whole scope' -C "$node" track t --scope all --scope-column b
check 1 'there is no table nothere; yizhan schema show lists them' -C "$node" schema show nothere
check 2 'schema can.t "hide"; usage: ' -C "$node" schema hide

check 2 'there is no command "fly"; yizhan help lists the commands' fly
check 2 'there is no command; yizhan help' -C "$node"
check 2 'the option -C needs a value; ' -C
check 2 'there is no option --fly before the command; ' --fly
check 2 'there is no command "fly"; ' help fly

# where the output goes is full
for words in 'sql SELECT(1)' 'schema show' 'help'; do
	# shellcheck disable=SC2086 # several words
	said=$("$YIZHAN" -C "$node" $words 2>&1 >/dev/full)
	is "$?" 1 "status of $words"
	is "${said#*: }" "the output can't be written: No space left on device; look at where it goes" "$words"
done

# a file that is no database
mkdir "$SCRATCH/bad" && echo 'this is not a database, whatever its name says' >"$SCRATCH/bad/yizhan.db"
check 1 'file is not a database; ' -C "$SCRATCH/bad" sql 'SELECT 1'
check 1 'file is not a database; run yizhan doctor, and restore a backup if it agrees$' -C "$SCRATCH/bad" verify
check 4 'ill +database .*file is not a database; restore a backup' -C "$SCRATCH/bad" doctor
mkdir "$SCRATCH/empty" && : >"$SCRATCH/empty/yizhan.db"
check 1 "this database is no node's; restore a backup, or make a node elsewhere with yizhan init$" -C "$SCRATCH/empty" status
# a setting, a key, a file, a code: what is wrong with it, and what to do
cp -a "$node" "$SCRATCH/spoilt" && git config -f "$SCRATCH/spoilt/node.conf" sync.intervall 3
check 1 "node.conf:[0-9]+: there is no setting called 'sync.intervall'; put that right, by hand or with git config -f .*/spoilt/node.conf$" \
	-C "$SCRATCH/spoilt" sync
check 1 'is not hex digits, two for each byte; write it as yizhan log and yizhan sql show it$' -C "$node" history child zz
check 1 'meal_intake has 3 key columns; write them as a/b$' -C "$node" history meal_intake aa
check 1 'none.sql: no such file; look at the path$' -C "$node" schema plan "$SCRATCH/none.sql"
check 1 'a code has 28 characters, this one has 4; type it again as the hub shows it$' -C "$node" enrol ABCD http://127.0.0.1:1
check 1 '' -C "$SCRATCH/file" sql 'SELECT 1'

finish
