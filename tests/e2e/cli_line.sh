#!/bin/sh
# cli_line.sh - a hub and two nodes of one facility as real processes: what the
# commands say, and how they end, while the line is there, cut, and back.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
hub=$SCRATCH/hub one=$SCRATCH/one two=$SCRATCH/two
pids=

# start DIR: `yizhan run` there; the address goes to $address.
start() {
	rm -f "$SCRATCH/listen"
	"$YIZHAN" -C "$1" run --listen 127.0.0.1:0 --json >"$SCRATCH/listen" 2>>"$SCRATCH/run.log" &
	pids="$pids $!"
	last=$!
	i=0
	until [ -s "$SCRATCH/listen" ] || [ $i = 100 ]; do
		sleep 0.1
		i=$((i + 1))
	done
	address=http://$(sed 's/.*"listen":"\([^"]*\)".*/\1/' "$SCRATCH/listen")
}

# stop PID: end it and wait.
stop() {
	kill "$1" 2>/dev/null
	wait "$1" 2>/dev/null
}

# shellcheck disable=SC2086 # a list of numbers
trap 'kill $pids 2>/dev/null; wait' EXIT

# enrol DIR: with a code of its own.
enrol() {
	code=$("$YIZHAN" -C "$hub" enrol new --facility F1 --auto --json | sed 's/.*"code":"\([^"]*\)".*/\1/')
	check 0 'enrolled as a node of F1' -C "$1" enrol "$code" "$address"
}

sql() {
	"$YIZHAN" -C "$1" sql --json "$2"
}

"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$one" init --facility F1 --name 阳光托育 >/dev/null &&
	"$YIZHAN" -C "$two" init --facility F1 >/dev/null || exit 1
# at init --name would also be the facility's, and a conflict with the other node's
git config -f "$one/node.conf" facility.name '向日葵园 办公室'
check 1 'not enrolled at a hub; get a code there and run yizhan -C .* enrol CODE URL' -C "$one" sync
check 1 '^\{"error":\{"code":"invalid",' -C "$one" sync --json
check 1 'is a facility.s node; yizhan enrol is for the hub' -C "$one" enrol new --facility F1
check 2 'new needs --facility ID, whose node it is to be; usage: ' -C "$hub" enrol new
check 2 '"x y" can.t be a facility.s ID, .*; usage: ' -C "$hub" enrol new --facility 'x y'
check 1 '; ' -C "$hub" enrol approve nobody
check 2 'takes a code or a node.s id; usage: ' -C "$hub" enrol approve
check 1 'a code has 28 characters' -C "$one" enrol ABCD http://127.0.0.1:1
check 2 'usage: ' -C "$one" enrol ABCD
check 2 'give ADDR:PORT or unix:PATH; usage: ' -C "$one" run --listen nowhere
check 1 '; ' -C "$SCRATCH/none" run
start "$hub"
hub_pid=$last hub_url=$address
enrol "$one"
enrol "$two"
check 0 '"facility":"F1","name":"向日葵园 办公室","facility_name":null,"street":null,"lat_e6":null,"lon_e6":null,"state":"never"' -C "$hub" nodes --json
is "$("$YIZHAN" -C "$hub" nodes | grep -c " $(hostname) *unknown *never")" 1 'a node without a name is called like its machine'
check 1 'is granted; yizhan enrol list names those that wait, yizhan nodes revoke shuts a granted node out' \
	-C "$hub" enrol deny "$code"
check 1 'Address already in use; choose another with --listen ADDR:PORT' -C "$one" run --listen "${hub_url#http://}"

code=$("$YIZHAN" -C "$hub" enrol new --facility F2 --auto --json | sed 's/.*"code":"\([^"]*\)".*/\1/')
check 1 'is a hub.s directory; a code is used at a facility.s node' -C "$hub" enrol "$code" "$address"
# a code for another facility is refused before it binds anybody: the node may use its own, another node this one
for id in 2 3; do
	"$YIZHAN" -C "$SCRATCH/node$id" init --facility "F$id" >/dev/null
done
check 1 'this code is for facility F2, and the node was made for F3; use one for that facility$' \
	-C "$SCRATCH/node3" enrol "$code" "$address"
check 0 'enrolled as a node of F2' -C "$SCRATCH/node2" enrol "$code" "$address"
code=$("$YIZHAN" -C "$hub" enrol new --facility F3 --auto --json | sed 's/.*"code":"\([^"]*\)".*/\1/')
check 0 'enrolled as a node of F3' -C "$SCRATCH/node3" enrol "$code" "$address"
# who was revoked hears what to do, and the code stays good
"$YIZHAN" -C "$hub" nodes revoke "$("$YIZHAN" -C "$SCRATCH/node3" status --json | sed 's/.*"node":"\([0-9a-f]*\)".*/\1/')" >/dev/null
code=$("$YIZHAN" -C "$hub" enrol new --facility F3 --auto --json | sed 's/.*"code":"\([^"]*\)".*/\1/')
check 1 'this node was revoked; init a new directory and enrol that one$' -C "$SCRATCH/node3" enrol "$code" "$address"
"$YIZHAN" -C "$SCRATCH/node3b" init --facility F3 >/dev/null
check 0 'enrolled as a node of F3' -C "$SCRATCH/node3b" enrol "$code" "$address"

# ------------------------------------------------------------------ the line is there

sql "$one" "INSERT INTO child(id, facility_id, name) VALUES (x'00112233445566778899aabbccddeeff', 'F1', '小明')" >/dev/null
check 0 '"state":"in_sync","sent":[1-9][0-9]*,"received":[0-9]+,"bytes_out":[0-9]+,"bytes_in":[0-9]+,"round_trips":[1-9],"rejected":\[\],"took_ms":[0-9]+' \
	-C "$one" sync --json
check 0 '"state":"in_sync"' -C "$two" sync --json
is "$(sql "$two" 'SELECT name FROM child')" '[{"name":"小明"}]' 'the child at the other node'
# two was made without a name and has nothing to say of it
check 0 '"state":"in_sync"' -C "$one" sync --json
for dir in "$hub" "$one" "$two"; do
	is "$(sql "$dir" 'SELECT facility_id, name FROM facility')" '[{"facility_id":"F1","name":"阳光托育"}]' "the facility at $dir"
	check 0 '"state":"in_sync".*"conflicts":0,' -C "$dir" status --json
done
check 0 '"state":"in_sync","waiting":0,"oldest_waiting_s":null,"last_success":"20[^"]*","last_attempt":"20[^"]*","last_error":null,"conflicts":0,' \
	-C "$one" status --json
check 0 '^in sync, last exchange [0-9]+ seconds? ago$' -C "$one" status
digest() {
	"$YIZHAN" -C "$1" status --json | grep -o '{"scope":"f/F1","digest":"[0-9a-f]*"'
}
is "$(digest "$one")" "$(digest "$hub")" 'digest of f/F1 at node and hub'
is "$(digest "$two")" "$(digest "$hub")" 'digest of f/F1 at the other node and hub'
check 0 '"column":"name","value":"小明","before":null,"n":[1-9][0-9]*,' \
	-C "$hub" history child 00112233445566778899aabbccddeeff --json
check 0 '"scope":"f/F1","table":"child","key":"00112233445566778899aabbccddeeff","op":"upsert",' -C "$hub" log --json
check 0 '^in order' -C "$hub" verify --deep
check 0 '^in order' -C "$one" verify --deep

# ------------------------------------------------------------------ the hub is down

stop "$hub_pid"
check 3 '; records are kept: sync again when the line is back, or leave it to yizhan run$' -C "$one" sync
check 3 '^\{"error":\{"code":"unreachable","message":"[^"]+","do":"[^"]+"\}\}$' -C "$one" sync --json
check 3 '"state":"unreachable","waiting":0,.*"last_error":"[^"]+"' -C "$one" status --json
check 3 'last good exchange .* ago \(.+\)$' -C "$one" status
sql "$one" "UPDATE child SET note = 'written at one'" >/dev/null
check 0 '"state":"waiting","waiting":1,"oldest_waiting_s":[0-9]+,.*"last_error":"[^"]+"' -C "$one" status --json
check 3 '; ' -C "$two" enrol 0000-0000-0000-0000-0000-0000-0000 "$hub_url"

# ------------------------------------------------------------------ back, and both wrote

sql "$two" "UPDATE child SET note = 'written at two'" >/dev/null
"$YIZHAN" -C "$hub" run --listen "${hub_url#http://}" >/dev/null 2>>"$SCRATCH/run.log" &
pids="$pids $!"
i=0
until "$YIZHAN" -C "$one" sync >/dev/null 2>&1 || [ $i = 50 ]; do
	sleep 0.1
	i=$((i + 1))
done
"$YIZHAN" -C "$two" sync >/dev/null
"$YIZHAN" -C "$one" sync >/dev/null
check 4 '^1 conflict needs a look · last good exchange [0-9]+ seconds? ago$' -C "$one" status
check 4 '"state":"attention".*"conflicts":1,' -C "$hub" status --json
# the meeting went well, and says what it has found
check 0 '^sent 0, received 0 changes; [^;]*; 1 round trip 1 conflict needs a look · last good exchange [0-9]+ seconds? ago$' \
	-C "$one" sync
check 0 '^\{"state":"attention","sent":0,' -C "$one" sync --json
check 0 '^\[\{"id":"[0-9a-f]{32}","table":"child","key":"00112233445566778899aabbccddeeff","column":"note","shown":"written at two","other":"written at one","site":"[0-9a-f]{32}-[0-9a-f]{16}","other_site":"[0-9a-f]{32}-[0-9a-f]{16}","at":"20[^"]*","state":"open"\}\]$' \
	-C "$one" conflicts --json
id=$("$YIZHAN" -C "$one" conflicts --json | grep -o '"id":"[0-9a-f]*"' | cut -d'"' -f4)
check 0 '^[0-9a-f]{8} · open · child 00112233445566778899aabbccddeeff note   shown   written at two · 20[^ ]*Z · [0-9a-f]{8}   other   written at one · 20[^ ]*Z · this node   before  [^ ].*   yizhan conflicts resolve [0-9a-f]{8} --take shown.other.VALUE$' \
	-C "$one" conflicts show "$id"
check 0 '"column":"note",.*"part":"note","shown_at":"20[^"]*Z","shown_by":null,"shown_device":"[^"]+","other_at":"20[^"]*Z","other_by":null,"other_device":"this node","before":"?[^"]+"?,"state":"open"\}$' \
	-C "$one" conflicts show "$id" --json
check 0 '"id":"'"$id"'".*"shown_device":"[^"]+".*"other_device":"[^"]+"' -C "$hub" conflicts show "$id" --json
check 0 '"state":"resolved"\}$' -C "$one" conflicts resolve "$id" --take other --json
check 1 'this conflict is resolved already; ' -C "$one" conflicts resolve "$id" --take shown
check 0 '"id":"[0-9a-f]+".*"state":"resolved"' -C "$one" conflicts --all --json
for dir in "$one" "$two" "$one"; do
	"$YIZHAN" -C "$dir" sync >/dev/null
done
for dir in "$hub" "$one" "$two"; do
	is "$(sql "$dir" 'SELECT note FROM child')" '[{"note":"written at one"}]' 'the note that was chosen'
	check 0 '"state":"in_sync".*"conflicts":0,' -C "$dir" status --json
done
check 0 'note +written at one +written at two' -C "$two" history child 00112233445566778899aabbccddeeff

# ------------------------------------------------------------------ a daemon beside the commands

start "$two"
check 0 '"state":"in_sync"' -C "$two" sync --json
sql "$two" "UPDATE child SET note = 'with a daemon'" >/dev/null
check 0 '"state":"in_sync"' -C "$two" sync --json
check 0 'brought the archive up to date' -C "$two" archive now
check 0 '"commit":"[0-9a-f]{40}"' -C "$two" archive log --json
check 1 'yizhan runs in .*; stop it, then rebuild' -C "$two" archive rebuild
check 1 '; ' -C "$two" run
check 0 '"column":"note","value":"with a daemon","before":"written at one"' \
	-C "$two" history child 00112233445566778899aabbccddeeff --json
check 0 '^in order' -C "$two" verify --deep

# ------------------------------------------------------------------ a row of another facility stays here

sql "$one" "INSERT INTO child(id, facility_id, name) VALUES (x'01112233445566778899aabbccddeeff', 'F9', '小红')" >/dev/null
check 5 '^sent 0, received .* 1 change stays here: yizhan -C .*/one quarantine 1 change could not be applied · last ' -C "$one" sync
# told by the meeting that found it, then by status and quarantine alone
check 0 '"state":"attention",.*"rejected":\[\]' -C "$one" sync --json
check 0 '^sent 0, received .* 1 change stays here: yizhan -C .*/one quarantine 1 change could not be applied · last ' -C "$one" sync
check 4 '"quarantined":1,' -C "$one" status --json
sql "$one" "INSERT INTO child(id, facility_id, name) VALUES (x'03112233445566778899aabbccddeeff', 'F9', '小绿')" >/dev/null
check 5 '"rejected":\[\{"scope":"f/F9","n":null,"reason":"not ours: [^"]*"\}\]' -C "$one" sync --json
check 0 '^dropped: the row is gone from here$' -C "$one" quarantine drop 2
sql "$two" "INSERT INTO child(id, facility_id, name) VALUES (x'01112233445566778899aabbccddeeff', 'F9', '小红'),
	(x'02112233445566778899aabbccddeeff', 'F9', '小兰')" >/dev/null
check 5 '^sent 0, received [^;]*; [^;]*; 1 round trip 2 changes stay here: yizhan -C .*/two quarantine 2 changes could not be applied · last ' -C "$two" sync
check 0 '"rejected":\[\]' -C "$two" sync --json
check 0 '^the running yizhan tries again before its next exchange; ' -C "$two" quarantine retry
check 5 '"rejected":\[\{"scope":"f/F9","n":null,"reason":"not ours: [^"]*"\}\]' -C "$two" sync --json
check 0 '^\{"id":1,.*"tries":[23],"dropped":null' -C "$two" quarantine show 1 --json
check 0 'child +01112233445566778899aabbccddeeff +name +小红 +waits' -C "$one" quarantine show 1
check 0 '"changes":\[\{"table":"child","key":"01112233445566778899aabbccddeeff","op":"upsert","at":null,"values":\{"facility_id":"F9","name":"小红",.*\}\],"why":null\}$' \
	-C "$one" quarantine show 1 --json
check 0 'not ours: this node may not write rows of f/F9; the row stays here only: write it as one of this facility.s, or drop it' \
	-C "$one" quarantine
check 0 '^dropped: the row is gone from here$' -C "$one" quarantine drop 1
check 0 '"rejected":\[\]' -C "$one" sync --json

# ------------------------------------------------------------------ a row can't go to another facility

sql "$one" "INSERT INTO class_group(id, facility_id, name) VALUES (x'03', 'F1', '甲')" >/dev/null
check 0 '"rejected":\[\]' -C "$one" sync --json
sql "$one" "REPLACE INTO class_group(id, facility_id, name) VALUES (x'03', 'F9', '乙')" >/dev/null
check 5 '^sent 1, received .* 1 change was put back here: yizhan -C .*/one quarantine 1 change could not be applied · last ' -C "$one" sync
check 0 'class_group.facility_id says who may see the row and can.t change: the row is in f/F1 again' \
	-C "$one" quarantine
check 0 'what was written was put back at once, and isn.t kept$' -C "$one" quarantine show 3
check 0 '"changes":null,"why":"what was written was put back at once' -C "$one" quarantine show 3 --json
for dir in "$one" "$hub"; do
	is "$(sql "$dir" "SELECT facility_id, name FROM class_group WHERE id = x'03'")" '[{"facility_id":"F1","name":"乙"}]' 'the row stays where it was'
done
check 0 '^dropped: it stays as it is$' -C "$one" quarantine drop 3
check 0 '"rejected":\[\]' -C "$one" sync --json

# ------------------------------------------------------------------ shut out

id_of() {
	"$YIZHAN" -C "$1" status --json | sed 's/.*"node":"\([0-9a-f]*\)".*/\1/'
}
for dir in "$one" "$two"; do # by itself, and through its daemon
	check 0 'opens nothing' -C "$hub" nodes revoke "$(id_of "$dir")"
	check 1 'the hub refuses this node, which was revoked there; init a new directory and enrol that one with a new code$' -C "$dir" sync
	check 1 '^\{"error":\{"code":"denied","message":"the hub refuses this node, [^";]*","do":"init a new directory [^"]*"\}\}$' \
		-C "$dir" sync --json
	is "$("$YIZHAN" -C "$dir" status | grep -c 'last good exchange .*(the hub refuses this node, .*; init a new directory')" 1 \
		'status of a node that was shut out'
done
finish
