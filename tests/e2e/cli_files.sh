#!/bin/sh
# cli_files.sh - tables out of and into CSV without loss, rosters, backups; and
# that a bad file changes nothing.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
node=$SCRATCH/node
file=$SCRATCH/file.csv

"$YIZHAN" -C "$node" init --facility F1 >/dev/null &&
	"$YIZHAN" -C "$node" sql "CREATE TABLE t(a INTEGER NOT NULL, b TEXT NOT NULL, c REAL, d BLOB, e TEXT, PRIMARY KEY(a, b));
		INSERT INTO t VALUES (1, 'x', 1.5, x'00ff', NULL), (2, '=y, \"z\"', -3, NULL, ''), (9007199254740993, '驿站', 0.1, x'', 'two
lines')" && "$YIZHAN" -C "$node" track t >/dev/null || exit 1

# ------------------------------------------------------------------ round trip

"$YIZHAN" -C "$node" export t >"$file"
is "$(head -n 3 "$file" | tr -d '\r')" 'a,b,c,d,e
1,x,1.5,00ff,
2,"=y, ""z""",-3.0,,""' 'CSV'
check 0 '^3 rows: 0 new, 0 changed, 3 as before$' -C "$node" import t "$file"
"$YIZHAN" -C "$node" sql "DELETE FROM t WHERE a = 1; UPDATE t SET e = 'w' WHERE a = 2"
check 0 '^\{"rows":3,"added":1,"changed":1,"same":1\}$' -C "$node" import t "$file" --json --dry-run
check 0 '^\{"rows":3,"added":1,"changed":1,"same":1\}$' -C "$node" import t "$file" --json
is "$("$YIZHAN" -C "$node" export t | cksum)" "$(cksum <"$file")" 'exported again'
check 0 "^.a,b,c,d,e.* 2,\"'=y, \"\"z\"\"\",-3.0,,\"\"" -C "$node" export t --excel
check 0 '^\{"a":1,"b":"x","c":1.5,"d":"00ff","e":null\} \{"a":2,"b":"=y, \\"z\\"","c":-3.0,"d":null,"e":""\} ' \
	-C "$node" export t --ndjson
# an import is captured like any other write
is "$("$YIZHAN" -C "$node" log --json --limit 2 | grep -o '"table":"t"' | wc -l)" 2 'changes in the log'

# ------------------------------------------------------------------ bad files

bad() {
	printf %b "$1" >"$file"
	check 1 "$2" -C "$node" import t "$file"
}
bad 'a,b,c\n1,x,foo\n' '^yizhan import: line 2: column c: "foo" is not a number; nothing was written'
bad 'a,b,c\n7,q,1\n8,r,2,3\n' 'line 3: 4 fields, but the header has 3; nothing was written'
bad 'a,c\n1,2\n' 'key column "b" is missing; '
bad 'a,b,zz\n1,x,2\n' 'table t has no column "zz"; yizhan schema show t names them'
bad 'a,b,a\n1,x,2\n' 'column "a" is named twice; '
bad 'a,b\n1,"x\n' 'line 2: a quote is opened and never closed; nothing was written'
bad 'a,b\n1,\n' 'line 2: NOT NULL constraint failed: t.b; nothing was written'
bad '' 'the file is empty; '
bad 'a,b\n1,\0377\0377\n' '; nothing was written'
check 1 'there is no such file; ' -C "$node" import t "$SCRATCH/none.csv"
check 1 'is a directory; give the path of a CSV file' -C "$node" import t "$SCRATCH"
printf 'a\n1\n' >"$file"
check 1 'there is no table nothere; ' -C "$node" import nothere "$file"
is "$("$YIZHAN" -C "$node" sql --json 'SELECT count(*) n FROM t')" '[{"n":3}]' 'rows after the bad files'
check 1 'there is no table nothere; ' -C "$node" export nothere
for table in yz_meta YZ_log hub_token local_pin; do
	check 1 "^yizhan export: $table stays in this file, because such tables hold keys, PINs and tokens; " \
		-C "$node" export "$table" --csv
done
check 2 'only one of --csv, --ndjson and --excel can be; usage: ' -C "$node" export t --csv --excel
check 2 'too few words' -C "$node" import t
check 1 'holds no node; ' -C "$SCRATCH" import t "$file"
check 1 'holds no node; ' -C "$SCRATCH" export t

# ------------------------------------------------------------------ roster

printf '姓名,出生日期,班级\n小明,2024-03-01,小一班\n小红,2024-05-01,小一班\n' >"$file"
check 0 '"children":2,.*"added":2,.*"dry_run":true' -C "$node" import roster "$file" --json --dry-run
is "$("$YIZHAN" -C "$node" sql --json 'SELECT count(*) n FROM child')" '[{"n":0}]' 'children after the dry run'
check 0 '^2 children and 0 staff: 2 new, 0 changed, 0 as before; [0-9]+ rows written$' -C "$node" import roster "$file"
check 0 '"added":0,"changed":0,"same":2,"classes_added":0,"rows":0,' -C "$node" import roster "$file" --json
printf '姓名,出生,班级\n小明,2024-03-01,小一班\n' >"$file"
check 1 "line 1, column 2 .*出生.*; nothing was written" -C "$node" import roster "$file"
printf '姓名,出生日期,班级\n小明,yesterday,小一班\n' >"$file"
check 1 'line 2, column 2.*; nothing was written' -C "$node" import roster "$file"
check 1 'there is no such file; ' -C "$node" import roster "$SCRATCH/none.csv"
"$YIZHAN" -C "$SCRATCH/hub" init --hub >/dev/null
check 1 '; ' -C "$SCRATCH/hub" import roster "$file"

# ------------------------------------------------------------------ backup

check 0 '^\{"file":".*","bytes":[0-9]+\}$' -C "$node" backup "$SCRATCH/copy.db" --json
is "$(python3 -c "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT count(*) FROM t').fetchone()[0])" "$SCRATCH/copy.db")" \
	3 'rows in the backup'
is "$(stat -c %a "$SCRATCH/copy.db")" 600 'rights of the backup'
check 1 'is there already; choose another name' -C "$node" backup "$SCRATCH/copy.db"
check 1 "dir/copy.db can't be made: the directory above it isn't there; make it first" \
	-C "$node" backup "$SCRATCH/no/such/dir/copy.db"
check 1 "copy.db/x can't be made: it lies below a file; choose another place" -C "$node" backup "$SCRATCH/copy.db/x"
TMPDIR=$SCRATCH/no check 1 'no district can be made in .*/no: .*; set TMPDIR to one' demo
check 2 'too few words' -C "$node" backup
finish
