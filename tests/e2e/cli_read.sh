#!/bin/sh
# cli_read.sh - status, log and history tell what was written, before and after
# it was sealed, and change nothing.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
node=$SCRATCH/node
hub=$SCRATCH/hub

"$YIZHAN" -C "$node" init --facility F1 --name F1 >/dev/null && "$YIZHAN" -C "$hub" init --hub >/dev/null || exit 1
check 0 '"state":"never_synced","waiting":1,"oldest_waiting_s":[0-9]+,"last_success":null,' -C "$node" status --json
check 0 '"facility":null,"role":"hub","state":"in_sync"' -C "$hub" status --json
check 0 '^in order$' -C "$hub" status
check 0 '^1 change waiting since .* UTC · not enrolled with a hub yet$' -C "$node" status
# every replica has the catalogue, equal, without sending it
is "$("$YIZHAN" -C "$node" status --json | sed 's/.*"scopes":\(\[[^]]*\]\).*/\1/')" \
	"$("$YIZHAN" -C "$hub" status --json | sed 's/.*"scopes":\(\[[^]]*\]\).*/\1/')" 'digests of the catalogue'
check 0 '^\[\{[^}]*"table":"facility","key":"F1","op":"upsert",[^}]*"n":null,"unit":null\}\]$' -C "$node" log --json
check 0 '^\[\]$' -C "$hub" log --json

"$YIZHAN" -C "$node" sql 'CREATE TABLE t(a INTEGER NOT NULL, b TEXT NOT NULL, c INT, d TEXT, PRIMARY KEY(a, b))' &&
	"$YIZHAN" -C "$node" track t >/dev/null &&
	"$YIZHAN" -C "$node" sql "INSERT INTO t VALUES (1, 'x/y', 5, NULL), (2, 'z', NULL, 'w')" || exit 1
check 0 '"state":"never_synced","waiting":3,"oldest_waiting_s":[0-9]+,' -C "$node" status --json
check 0 '^3 changes waiting since 20..-..-..T..:.. UTC · not enrolled' -C "$node" status
# a row written again before it is sealed is one change
"$YIZHAN" -C "$node" sql "UPDATE t SET c = 6 WHERE a = 1"
check 0 '"waiting":3,' -C "$node" status --json
check 0 '^\[\{"at":"20[^"]*Z","site":"[0-9a-f]{32}-[0-9a-f]{16}","scope":"f/F1","table":"t","key":\[1,"x/y"\],"op":"upsert","columns":\["c","d"\],"n":null,"unit":null\}\]$' \
	-C "$node" log --json --limit 1
check 0 '^AT +SITE +SCOPE +N +TABLE +WHAT +KEY 20[^ ]* [0-9a-f]{8} f/F1 +waits t +new +1/x/y ' -C "$node" log
check 0 '^\[\{"at":"[^"]*","site":"[^"]*","facility":"F1","by":null,"column":"c","value":6,"before":null,"n":null,"commit":null\}\]$' \
	-C "$node" history t 1/x/y --json
# looking has sealed nothing
is "$("$YIZHAN" -C "$node" sql --json 'SELECT count(*) n FROM yz_segment')" '[{"n":0}]' 'segments'
is "$("$YIZHAN" -C "$node" sql --json 'SELECT count(*) n FROM yz_log')" '[{"n":4}]' 'entries of the log'

check 1 'No such file or directory; ' -C "$SCRATCH/none" status
check 1 '^\{"error":\{"code":"not_found"' -C "$SCRATCH/none" status --json
check 2 'one word too many; usage: ' -C "$node" status now
check 2 '^\{"error":\{"code":"invalid","message":"--limit x is not a number' -C "$node" log --limit x --json
check 2 'is not a number that can be; give one from 0 to ' -C "$node" log --limit -1
check 1 'No such file or directory; ' -C "$SCRATCH/none" log
check 1 'table nothere is not tracked here; ' -C "$node" history nothere 1
check 1 'key "one/z": table t: column a: "one" is not a whole number; write it as yizhan log and yizhan sql show it' -C "$node" history t one/z
check 1 'table t has 2 key columns; write them as a/b' -C "$node" history t 1
check 1 't has no row with the key 7/q and never had; ' -C "$node" history t 7/q
check 1 'is not hex digits, two for each byte' -C "$node" history child 12x
check 2 'too few words' -C "$node" history t

# ------------------------------------------------------------------ what needs a person

check 0 '^\[\]$' -C "$node" conflicts --json
check 0 '^no conflict is open$' -C "$node" conflicts list --all
check 1 'there is no conflict abcdef; yizhan conflicts lists them' -C "$node" conflicts show abcdef
check 1 'there is no conflict ab; ' -C "$node" conflicts resolve ab --take shown
check 1 'there is no conflict abcdef; ' -C "$node" conflicts resolve abcdef --take other
check 2 'resolve needs --take shown, other or a value; usage: ' -C "$node" conflicts resolve abcdef
check 2 'resolve needs the ID of a conflict; usage: ' -C "$node" conflicts resolve --take shown
check 2 'conflicts can.t "fly"; usage: ' -C "$node" conflicts fly
check 0 '^\[\]$' -C "$node" quarantine --json
check 0 '^nothing is in quarantine$' -C "$node" quarantine
check 1 'the quarantine holds no change 7; yizhan quarantine lists them' -C "$node" quarantine show 7
check 2 'show needs one ID; usage: ' -C "$node" quarantine show
check 2 'quarantine can.t "fly"; usage: ' -C "$node" quarantine fly
# a row of another facility stays here, is listed, and blocks nothing
"$YIZHAN" -C "$node" sql "INSERT INTO child(id, facility_id, name) VALUES (x'00112233445566778899aabbccddeeff', 'F2', 'x')"
"$YIZHAN" -C "$node" archive now >/dev/null
check 4 '^1 change could not be applied · 3 changes waiting ' -C "$node" status
check 4 '"state":"attention","waiting":3,.*"quarantined":1,' -C "$node" status --json
check 0 '^\[\{"id":1,"scope":"f/F2","site":null,"n":null,"table":"child","key":"00112233445566778899aabbccddeeff","reason":"[^"]+","since":"[^"]*Z","tries":1,"dropped":null,"dropped_by":null\}\]$' \
	-C "$node" quarantine --json
check 0 '^\{"id":1,"scope":"f/F2",' -C "$node" quarantine show 1 --json
check 1 'the quarantine holds no change 9; ' -C "$node" quarantine drop 9
check 1 'the quarantine holds no change 9; ' -C "$node" quarantine retry 9
check 5 '^tried again: 1 still can.t be applied; see yizhan quarantine$' -C "$node" quarantine retry
check 5 '^\{"state":"done","left":1\}$' -C "$node" quarantine retry 1 --json
check 0 '"tries":3,' -C "$node" quarantine --json
check 0 '^dropped: the row is gone from here$' -C "$node" quarantine drop 1
check 0 '^\[\]$' -C "$node" sql --json "SELECT * FROM child WHERE facility_id = 'F2'"
check 0 '^\[\]$' -C "$node" quarantine --json
check 0 '"tries":3,"dropped":"20[^"]*Z","dropped_by":"[^"]+"\}\]$' -C "$node" quarantine list --all --json
check 1 'change 1 was dropped already; ' -C "$node" quarantine drop 1
check 1 'change 1 was dropped; what is dropped isn.t tried again' -C "$node" quarantine retry 1
check 0 '^applied: nothing of it is in quarantine any more$' -C "$node" quarantine retry
check 0 '^3 changes waiting ' -C "$node" status
check 2 'drop needs one ID; usage: ' -C "$node" quarantine drop
finish
