#!/bin/sh
# fault_full.sh - F09: a disk that is full, first a hub's, then a node's.  The daemon runs on;
# who wants to write is told so and when to come again; reads go on; what was acknowledged
# before is sealed and sent with the room of the reserve; when there is room again all goes on
# by itself, and nothing that was acknowledged is lost.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
disk=$SCRATCH/disk
mkdir "$disk"
mount -t tmpfs -o size=200m yizhan "$disk" 2>/dev/null || { echo 'no disk can be mounted here'; exit 77; }
trap 'exec 3>&-; kill $pids 2>/dev/null; wait; umount "$disk"' EXIT

# fill NAME: what is left of the disk
fill() {
	head -c 1G /dev/zero >"$disk/$1" 2>/dev/null
}

full() {
	"$YIZHAN" -C "$1" status --json >"$SCRATCH/status"
	grep -q '"disk_full":true' "$SCRATCH/status"
}

# Full, and the daemon has seen it.
given_up() {
	full "$1" && [ ! -e "$1/reserve" ]
}

good() {
	! full "$1" && [ -e "$1/reserve" ]
}

# ask ADDRESS PATH CURL-ARGUMENT...: the status; answer and head are in $SCRATCH
ask() {
	at=$1$2
	shift 2
	curl -s -o "$SCRATCH/answer" -D "$SCRATCH/head" -w '%{http_code}' --max-time 60 "$@" "http://$at"
}

# refused WHAT: the last answer was that of a full disk
refused() {
	is "$(grep -c '"status":507,.*"detail":"the disk is full' "$SCRATCH/answer")" 1 "$1 is told why: $(cat "$SCRATCH/answer")"
	is "$(grep -ciE '^Retry-After: [0-9]+' "$SCRATCH/head")" 1 "$1 is told when to come again"
}

rows() {
	sql "$1" "SELECT count(*) AS n FROM $2" | tr -dc '0-9'
}

# ------------------------------------------------------------------ the hub's

# What the daemons print goes beside the disk.
mkdir -m 700 "$disk/hub" "$disk/station"
ln -s "$disk/hub" "$hub"
district
read_all=$("$YIZHAN" -C "$hub" token new --scope all --personal | head -n 1)
writes=$("$YIZHAN" -C "$hub" token new --scope all --write announcement --personal | head -n 1)

# The platform writes all the while, one row a request; what was acknowledged is written down.
: >"$SCRATCH/acked"
cat >"$SCRATCH/platform.py" <<'PY'
import http.client, json, sys
host, port = sys.argv[1].split(':')
statuses = open(sys.argv[4], 'w')
for n in range(1 << 30):
    row = {'id': '%032x' % (n + 1), 'facility_id': 'F1', 'title': 't' * 2000}
    line = json.dumps({'key': 'news/%d' % n, 'table': 'announcement', 'op': 'upsert', 'row': row})
    to = http.client.HTTPConnection(host, int(port), timeout=60)
    to.request('POST', '/v1/records', line, {'Authorization': 'Bearer ' + sys.argv[2]})
    answer = to.getresponse()
    text = answer.read()
    print(answer.status, file=statuses, flush=True)
    if answer.status == 200 and b'"state":"stored"' in text:
        with open(sys.argv[3], 'a') as acked:
            print(row['id'], file=acked)
PY
python3 "$SCRATCH/platform.py" "$hub_address" "$writes" "$SCRATCH/acked" "$SCRATCH/statuses" &
platform=$!
pids="$pids $platform"
soon lines "$SCRATCH/acked" 3
fill a
soon given_up "$hub"
is $? 0 'the reserve is given up'
fill b
soon grep -q 507 "$SCRATCH/statuses"
kill "$platform"
wait "$platform" 2>/dev/null
is "$(grep -vc '^200$\|^507$' "$SCRATCH/statuses")" 0 "it answered: $(sort "$SCRATCH/statuses" | uniq -c | tr '\n' ' ')"
check 4 'the disk is full' -C "$hub" status
is "$(state "$hub")" attention 'the state of a hub whose disk is full'

record='{"key":"late","table":"announcement","op":"upsert","row":{"id":"000000000000000000000000000000ff","facility_id":"F1","title":"x"}}'
is "$(ask "$hub_address" /v1/records -H "Authorization: Bearer $writes" -d "$record")" 507 'a record'
refused 'the platform'
is "$(ask "$hub_address" /v1/changes -H "Authorization: Bearer $read_all")" 200 'the feed goes on'
is "$(ask "$hub_address" /healthz)" 200 'the hub is in health'
is "$(ask "$hub_address" /v1/snapshot.sqlite.zst -H "Authorization: Bearer $read_all")" 507 'a snapshot'
is "$(grep -c 'a snapshot may need [0-9]* MB, and the disk has 0 MB' "$SCRATCH/answer")" 1 "it says what it would need: $(cat "$SCRATCH/answer")"
sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', 'one')" >/dev/null
check 3 'its disk is full' -C "$node" sync --json
is "$(state "$node")" waiting 'the node keeps its row'
kill -0 "$hub_pid"
is $? 0 'the hub is the one that was started'

rm "$disk/a" "$disk/b"
soon good "$hub"
is "$(ask "$hub_address" /v1/records -H "Authorization: Bearer $writes" -d "$record")" 200 'with room a record is taken'
settled 'when the hub has room'
is "$(rows "$hub" child)" 1 'and the row is there'
sql "$hub" 'SELECT lower(hex(id)) AS id FROM announcement' | grep -oE '[0-9a-f]{32}' | sort >"$SCRATCH/there"
is "$(sort "$SCRATCH/acked" | comm -23 - "$SCRATCH/there" | wc -l)" 0 "of $(wc -l <"$SCRATCH/acked") acknowledged rows none is lost"
kill -0 "$hub_pid"
is $? 0 'the hub is still the one that was started'
stop "$hub_pid"
check 0 '^in order' -C "$hub" verify --deep

# ------------------------------------------------------------------ a node's

# It is started on a full disk, and has to make room for that.
node=$SCRATCH/station hub=$SCRATCH/hub2
ln -s "$disk/station" "$node"
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F2 --name F2 >/dev/null || exit 1
serve "$hub"
enrol "$node" F2 "http://$address"
check 0 '"state":"in_sync"' -C "$node" sync --json
for i in 1 2 3; do
	sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F2', 'child $i')" >/dev/null
done
fill a
serve "$node"
node_pid=$last node_address=$address
soon given_up "$node"
check 4 'the disk is full' -C "$node" status
check 0 '"state":"in_sync"' -C "$node" sync --json
is "$(rows "$hub" child)" 3 'what was written before goes up with the room of the reserve'
is "$(ask "$node_address" /api/v1/batch -d '{"do":"arrival","key":"k1"}')" 507 'a record'
refused 'who writes'
is "$(ask "$node_address" /tap -d 'do=arrive')" 507 'a tap'
is "$(grep -c 'role="alert".*磁盘已满' "$SCRATCH/answer")" 1 'the page says why'
is "$(ask "$node_address" '/tap?lang=en' -d 'do=arrive')" 507 'a tap'
is "$(grep -c 'role="alert".*the disk is full' "$SCRATCH/answer")" 1 'in English too'
fill b
is "$(ask "$node_address" /)" 200 'the page goes on without any room'
sleep 2
kill -0 "$node_pid"
is $? 0 'and the daemon too'
rm "$disk/a" "$disk/b"
soon good "$node"
sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F2', 'child 4')" >/dev/null
check 0 '"state":"in_sync"' -C "$node" sync --json
is "$(rows "$hub" child)" 4 'with room it goes on by itself'
stop "$node_pid"
check 0 '^in order' -C "$node" verify --deep
finish
