#!/bin/sh
# cli_hub.sh - tokens and nodes at a hub, the archive at a node, verify at both;
# and what is answered in the wrong place.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
node=$SCRATCH/node
hub=$SCRATCH/hub

"$YIZHAN" -C "$node" init --facility F1 --name F1 >/dev/null && "$YIZHAN" -C "$hub" init --hub >/dev/null || exit 1

check 0 '^[A-Za-z0-9_-]{43}  ?It is shown only now. Its id is [0-9a-f]{16}.$' -C "$hub" token new --scope all
check 1 'no facility F1 is known here; .*yizhan enrol new makes the code for a new one$' -C "$hub" token new --scope f/F1
is "$("$YIZHAN" -C "$hub" token list --json | grep -o '"scope":"f/F1"')" '' 'and there is none'
"$YIZHAN" -C "$hub" enrol new --facility F1 >/dev/null
check 0 '^\{"token":"[A-Za-z0-9_-]{43}","id":"[0-9a-f]{16}","expires":null\}$' -C "$hub" token new --scope f/F1 --json
check 1 'rows of course are everybody.s, where a token of f/F1 can.t write; leave it out, or give --scope all' \
	-C "$hub" token new --scope f/F1 --write booking,course
check 0 'It is shown only now' -C "$hub" token new --scope all --write booking,course
check 0 '"expires":"2999-01-31T00:00:00.000Z"\}$' -C "$hub" token new --scope all --expires 2999-01-31 --json
check 0 '"expires":"2999-01-31T12:30:00.000Z"\}$' -C "$hub" token new --scope all --expires 2999-01-31T12:30:00Z --json
check 0 '"expires":"20..-' -C "$hub" token new --scope all --expires 90d --tables child,care_event --json
for list in --tables --write; do
	check 1 "yz_share is yizhan.s own, which no token reads or writes; leave it out" -C "$hub" token new --scope all $list child,yz_share
done
id=$("$YIZHAN" -C "$hub" token new --scope all --json | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/')
check 0 "^token $id opens nothing any more" -C "$hub" token revoke "$id"
check 2 'new needs --scope all or --scope f/ID; usage: ' -C "$hub" token new --scope zz
check 2 'new needs --scope all or --scope f/ID; usage: ' -C "$hub" token new --scope 'f/x y'
check 1 'there is no table nothere here; yizhan schema show lists them' -C "$hub" token new --scope all --tables nothere
check 2 '--expires soon is no time like 90d, 12h, 2027-01-31 or 2027-01-31T12:00:00Z; usage: ' -C "$hub" token new --scope all --expires soon
check 1 'expiry is in the past; give a later one' -C "$hub" token new --scope all --expires 2001-01-01
check 1 'there is no token 12ab; ' -C "$hub" token revoke 12ab
check 0 "^.{43}  ?It is shown only now" -C "$hub" token new --scope all --name platform
check 1 "there is a token platform already; revoke it first" -C "$hub" token new --scope all --name platform
check 0 "\"name\":\"platform\",\"scope\":\"all\".*\"state\":\"valid\".*\"state\":\"revoked\"" -C "$hub" token list --json
check 0 '^ID +NAME +STATE +SCOPE +TABLES +WRITES +PERSONAL +EXPIRES +LAST USED *.* platform +valid +all +all +never +never' -C "$hub" token list
check 0 "^token platform opens nothing any more" -C "$hub" token revoke platform
check 2 'new needs --scope all or --scope f/ID; usage: ' -C "$hub" token new
code=$("$YIZHAN" -C "$hub" enrol new --facility F1 | head -n 1)
check 0 "expired" -C "$hub" enrol expire "$code"
check 0 "^${code%%-*}-… +F1 +expired" -C "$hub" enrol list
check 0 "\"code\":\"${code%%-*}\",\"facility\":\"F1\",\"state\":\"expired\"" -C "$hub" enrol list --json
check 0 "the hub's machine +expired enrolment ${code%%-*} *\$" -C "$hub" admin log
check 1 'no enrolment is called ZZZZ.*; yizhan enrol list names those that wait' -C "$hub" enrol approve ZZZZ
# a street that is likely a slip: the code is made, the row is written, and one line says so
warned() { # SENTENCE ARG...
	said=$1
	shift
	is "$("$YIZHAN" -C "$hub" "$@" 2>&1 >/dev/null)" "$said" "$*"
}
warned '' enrol new --facility F1 --street 330105001
warned '' enrol new --facility F1 --street 330105001001
warned "yizhan enrol: warning: 33010500 is no street's code, which has 9 digits, or 12 with the community's" \
	enrol new --facility F1 --street 33010500
printf 'subdistrict_code,version,residents\n330105001,20201101,40000\n' >"$SCRATCH/population"
warned '' import population "$SCRATCH/population"
warned 'yizhan enrol: warning: 330105009 is none of the streets in population' enrol new --facility F1 --street 330105009 --json
printf 'facility_id,subdistrict_code\nA,330105001\nB,330105001002\nC,\n' >"$SCRATCH/facilities"
warned '' import facility "$SCRATCH/facilities"
printf 'facility_id,subdistrict_code\nA,330105001\nB,米市巷\nC,330105002\n' >"$SCRATCH/facilities"
warned "yizhan import: warning: line 3: 米市巷 is no street's code, which has 9 digits, or 12 with the community's; and more rows like it" \
	import facility "$SCRATCH/facilities"
check 0 '"n":2' -C "$hub" sql "SELECT count(*) AS n FROM facility WHERE subdistrict_code IN ('米市巷', '330105002')" --json
"$YIZHAN" -C "$hub" sql 'DELETE FROM facility; DELETE FROM population' >/dev/null
echo '姓名,出生日期,班级' >"$SCRATCH/roster"
check 1 'it has no facility of its own; import a roster at the node of its facility' -C "$hub" import roster "$SCRATCH/roster"
check 1 'is a directory; give the path of a CSV file' -C "$node" import roster "$SCRATCH"
check 1 'is a directory; give the path of a CSV file' -C "$node" import child "$SCRATCH"
check 2 'revoke needs one ID; usage: ' -C "$hub" token revoke

# a department's table: kept with source, day and hash, replaced by the next, given back to spreadsheets
printf '统一社会信用代码,名称\n0091,=1+1\n' >"$SCRATCH/table"
check 0 '^would be: external_licences: 1 rows of 2 columns joined to a facility by 统一社会信用代码: 0 of 1 rows$' -C "$hub" import external licences "$SCRATCH/table" --source 市场监管 --date 2026-11-01 --dry-run
check 0 '^external_licences: 1 rows of 2 columns joined to a facility by 统一社会信用代码: 0 of 1 rows$' -C "$hub" import external licences "$SCRATCH/table" --source 市场监管 --date 2026-11-01
check 0 '"table":"external_licences","delivery":1,"rows":1,"columns":2,"replaces":0,"same":true,"facility":\{"column":"统一社会信用代码","rows":0\},"street":null,"dry_run":false' \
	-C "$hub" import external licences "$SCRATCH/table" --source 市场监管 --date 2026-11-01 --json
check 0 "yz_line,统一社会信用代码,名称,yz_source,yz_date,yz_facility_id.? 2,0091,'=1\+1,市场监管,20261101,.?$" -C "$hub" export v1_external_licences --excel
is "$("$YIZHAN" -C "$hub" export v1_external_licences --excel | head -c 3 | od -An -tx1)" ' ef bb bf' 'a mark for spreadsheets'
# which column names a facility or a street, or that none does
printf '单位,片区,结果\nb1,330105001002,合格\nB2,330105009,合格\n' >"$SCRATCH/fire"
check 0 '^external_fire: 2 rows of 3 columns no column names a facility or a street; if one does, say which with --facility-column or --street-column$' \
	-C "$hub" import external fire "$SCRATCH/fire" --source 消防 --date 2026-11-01
"$YIZHAN" -C "$hub" sql "INSERT INTO facility(facility_id, filing_no) VALUES ('F1', 'B1'), ('F2', 'B9');
	INSERT INTO population(subdistrict_code, version, name_zh) VALUES ('330105001', 20201101, '米市巷')" >/dev/null
check 0 'as they were joined to a facility by 单位: 1 of 2 rows joined to a street by 片区: 1 of 2 rows$' \
	-C "$hub" import external fire "$SCRATCH/fire" --source 消防 --date 2026-11-01 --facility-column 单位 --street-column 片区
check 0 '"rows":2,"columns":3,"replaces":0,"same":true,"facility":\{"column":"单位","rows":1\},"street":\{"column":"片区","rows":1\}' \
	-C "$hub" import external fire "$SCRATCH/fire" --source 消防 --date 2026-11-01 --facility-column 单位 --street-column 片区 --json
check 0 '"facility_id":"F1",.*"name":"fire",.*"rows":1.*"facility_id":"F2",.*"rows":0' -C "$hub" export v1_facility_external --ndjson
check 1 'line 1: no column is called 街道; nothing was written, correct the file' \
	-C "$hub" import external fire "$SCRATCH/fire" --source 消防 --date 2026-11-01 --street-column 街道
"$YIZHAN" -C "$hub" sql 'DELETE FROM facility; DELETE FROM population' >/dev/null
printf 'a,b\n1,\377\377\n' >"$SCRATCH/bytes"
check 1 'line 2, column 2: byte 6 is neither UTF-8 .* nothing was written' -C "$hub" import external x "$SCRATCH/bytes" --source s --date 20261101
check 0 "\"sha256\": *\"?$(sha256sum <"$SCRATCH/table" | cut -c1-64)" -C "$hub" export v1_external_delivery --ndjson
check 2 '--source WHO: who delivers this table\?; usage: ' -C "$hub" import external x "$SCRATCH/table" --date 20261101
check 2 '--date YYYY-MM-DD: of which day does the table speak\?; usage: ' -C "$hub" import external x "$SCRATCH/table" --source s --date soon
check 2 'external NAME FILE: which name, which file\?; usage: ' -C "$hub" import external "$SCRATCH/table" --source s --date 20261101
check 2 'are for external NAME FILE; usage: ' -C "$hub" import child "$SCRATCH/table" --source s
check 2 'are for external NAME FILE; usage: ' -C "$hub" import child "$SCRATCH/table" --street-column s
check 2 'is read by external NAME FILE; usage: ' -C "$hub" import external_licences "$SCRATCH/table"
check 1 'is a facility.s node; yizhan import is for the hub.s directory' -C "$node" import external x "$SCRATCH/table" --source s --date 20261101
check 0 '^-- 机构 · facilities CREATE VIEW v1_facility AS.*v1_seats_per_1000' -C "$hub" schema show --views
check 0 '"name":"v1_node",.*"only_hub":true,"columns":\[\{"name":"facility_id","personal":false\}' -C "$hub" schema show --views --json
is "$("$YIZHAN" -C "$node" schema show --views | grep -c 'VIEW v1_node')" 0 'the hub.s views are the hub.s alone'
check 2 '--views shows all of them; leave the table out; usage: ' -C "$hub" schema show child --views
check 2 'token can.t "eat"; usage: ' -C "$hub" token eat
check 1 'is a facility.s node; yizhan token is for the hub.s directory' -C "$node" token new --scope all
check 0 '^\[\]$' -C "$hub" nodes --json
check 0 '^none; yizhan enrol new makes a code for one$' -C "$hub" nodes
check 0 '^none; yizhan nodes without a filter lists all$' -C "$hub" nodes --street 330105001
check 1 'there is no node me here; yizhan nodes lists them' -C "$hub" nodes revoke me
check 1 'there is no node 0{32} here; ' -C "$hub" nodes revoke 00000000000000000000000000000000
check 1 'is a facility.s node; ' -C "$node" nodes
check 2 'nodes can.t "eat"; usage: ' -C "$hub" nodes eat

check 0 '^\[\]$' -C "$node" archive log --json
check 0 '^\{"ok":true,"streams":0,"records":0,"rows":[0-9]+,"orphans":0,"digests":\[\{"scope":"all","ok":true\}\],"problems":\[\],"again":\[\]\}$' \
	-C "$node" verify --json
"$YIZHAN" -C "$node" sql "INSERT INTO child(id, facility_id, name) VALUES (x'00112233445566778899aabbccddeeff', 'F1', '小明')"
check 0 '^1 new commit, proof/[0-9a-f]{32}-[0-9a-f]{16} is at [0-9a-f]{40}$' -C "$node" archive now
check 0 '"no":1,"at":"[^"]*","commit":"[0-9a-f]{40}","subject":"[^"]*","streams":\[\{"scope":"f/F1","from":1,"n":3\}\]' \
	-C "$node" archive log --json
check 0 '"column":"name","value":"小明","before":null,"n":3,"commit":"[0-9a-f]{40}"' \
	-C "$node" history child 00112233445566778899aabbccddeeff --json
commit=$("$YIZHAN" -C "$node" archive log --json | sed 's/.*"commit":"\([0-9a-f]*\)".*/\1/')
rm -rf "$node/archive.git"
check 1 'there is no archive.git; .* NOT in order' -C "$node" verify
check 0 "^1 commit, proof/.* is at $commit$" -C "$node" archive rebuild
check 0 '^in order: 3 records in 1 streams' -C "$node" verify --deep
# a copy is another life: the branch of the old one is made again, its own is empty
cp -a "$node" "$SCRATCH/copy"
check 0 ' 1 commit, proof/[0-9a-f]{32}-[0-9a-f]{16} has none yet$' -C "$SCRATCH/copy" archive rebuild
is "$(git -C "$SCRATCH/copy/archive.git" for-each-ref --format='%(objectname)' 'refs/heads/proof/*')" "$commit" \
	'the proof branches of the copy'
# a row that was written since is not damage, one changed behind our back is
"$YIZHAN" -C "$node" sql "UPDATE child SET note = 'x'"
check 0 '^in order' -C "$node" verify --deep
"$YIZHAN" -C "$node" archive now >/dev/null
python3 - "$node/yizhan.db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'child'").fetchall():
    db.execute(f'DROP TRIGGER "{name}"')
db.execute("UPDATE child SET note = 'forged'")
db.commit()
PY
check 1 "child 00112233445566778899aabbccddeeff: the row's values are not those it was written with" -C "$node" verify --deep
# what is the hub's can't be written anew here, and verify doesn't say so
check 1 '; ' -C "$node" sql "UPDATE code_set SET name_zh = 'forged'"
python3 - "$node/yizhan.db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'code_set'").fetchall():
    db.execute(f'DROP TRIGGER "{name}"')
db.execute("UPDATE code_set SET name_zh = 'forged' WHERE (set_code, code) = (SELECT set_code, code FROM code_set LIMIT 1)")
db.commit()
PY
check 1 'code_set [^;]*; only the hub may write this table: yizhan doctor --fix puts back.*child 0011[^;]*; yizhan doctor --fix logs|child 0011[^;]*; yizhan doctor --fix logs.*code_set [^;]*; only the hub may write this table: yizhan doctor --fix puts back' \
	-C "$node" verify --deep
# a segment changed in the file
python3 - "$node/yizhan.db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE yz_segment SET head = zeroblob(32) WHERE id = 1")
db.commit()
PY
check 1 '"ok":false,.*"where":"stream f/F1 of ' -C "$node" verify --json
check 2 'archive can.t "fly"; usage: ' -C "$node" archive fly
check 1 'holds no node; ' -C "$SCRATCH" archive now
check 1 'holds no node; ' -C "$SCRATCH" verify
finish
