#!/bin/sh
# hub_snapshot.sh - snapshots that are made while a facility writes and the hub
# merges: each, with the feed from its cursor on, is what the hub has in the end;
# a download that is cut goes on; exports; what is told of each.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
other=$SCRATCH/other canary=canary_7d20f1
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 >/dev/null &&
	"$YIZHAN" -C "$other" init --facility F2 >/dev/null || exit 1
serve "$hub"
base=http://$address hub_pid=$last
enrol "$node" F1 "$base"
enrol "$other" F2 "$base"
sql "$other" "INSERT INTO child(id, facility_id, name, note) VALUES (randomblob(16), 'F2', '$canary', '$canary')" >/dev/null
check 0 '"state":"in_sync"' -C "$other" sync --json
"$YIZHAN" -C "$node" import roster packaging/rosters/centre-1.csv >/dev/null || exit 1
check 0 '"state":"in_sync"' -C "$node" sync --json

# token ARG...: a new one
token() {
	"$YIZHAN" -C "$hub" token new "$@" | head -n 1
}

# asked WANT TOKEN PATH CURL-ARGUMENT...: the status; the answer is in $SCRATCH/answer, its head in head
asked() {
	want=$1 bearer=$2 at=$3
	shift 3
	is "$(curl -s -o "$SCRATCH/answer" -D "$SCRATCH/head" -w '%{http_code}' --max-time 60 \
		-H "Authorization: Bearer $bearer" "$@" "$base$at")" "$want" "$at $*"
}

head_of() {
	tr -d '\r' <"$SCRATCH/head" | sed -n "s/^$1: //Ip"
}

# ------------------------------------------------------------------ while others write

# write N: rounds of new, changed and deleted rows, each brought to the hub
writing() {
	for i in $(seq 1 6); do
		sql "$node" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
			INSERT INTO care_event(facility_id, kind, at, note) SELECT 'F1', i % 7, $i * 1000 + i, 'r$i' FROM n;
			UPDATE child SET note = 'round $i', sex = 1 + ($i + length(name)) % 2;
			DELETE FROM guardian WHERE id IN (SELECT id FROM guardian LIMIT 2);
			INSERT INTO menu_item(facility_id, biz_date, dish) VALUES ('F1', 20260000 + $i, '粥')" >/dev/null
		"$YIZHAN" -C "$node" sync >/dev/null || echo "round $i failed"
	done
	echo written
}
writing >"$SCRATCH/writing" 2>&1 &
writer=$!
pids="$pids $writer"
n=0
for words in '--scope all --personal' '--scope all' '--scope f/F1 --personal' '--scope f/F1' \
	'--scope all --tables care_event,child' '--scope f/F1 --tables guardian,menu_item --personal'; do
	n=$((n + 1))
	# shellcheck disable=SC2086 # words
	t=$(token $words)
	echo "$t" >"$SCRATCH/token.$n"
	asked 200 "$t" /v1/snapshot.sqlite.zst
	cp "$SCRATCH/answer" "$SCRATCH/$n.zst"
	head_of Yz-Cursor >"$SCRATCH/cursor.$n"
	zstd -dq "$SCRATCH/$n.zst" -o "$SCRATCH/$n.sqlite"
	is "$?" 0 "snapshot $n unpacks"
done
wait "$writer"
is "$(cat "$SCRATCH/writing")" written 'every round reached the hub while snapshots were made'
check 0 '"state":"in_sync"' -C "$node" sync --json
for i in $(seq 1 $n); do
	is "$(tests/e2e/join.py "$SCRATCH/$i.sqlite" "$SCRATCH/cursor.$i" "$base" "$SCRATCH/token.$i" "$hub/yizhan.db" 2>&1 | tail -n 1)" \
		'the same' "snapshot $i and the feed behind it"
done
is "$(cut -c 17-32 "$SCRATCH"/cursor.* | sort -u | wc -l | sed 's/^[2-9]/several/')" several 'moments'

# ------------------------------------------------------------------ nothing of F2

# "F2" is asked for in values, not in bytes: two letters are among those of random ids now and then
for i in 3 4 6; do
	is "$(strings "$SCRATCH/$i.sqlite" | grep -c "$canary")" 0 "what F2 wrote in snapshot $i of F1"
	is "$(python3 -c 'import sqlite3, sys
snap = sqlite3.connect(sys.argv[1])
for (table,) in snap.execute("SELECT name FROM sqlite_master WHERE type IN (\"table\", \"view\")"):
  for row in snap.execute(f"SELECT * FROM \"{table}\""):
    if any(isinstance(v, str) and "F2" in v for v in row): print(table, row)' "$SCRATCH/$i.sqlite")" '' "F2 in snapshot $i of F1"
done
is "$(strings "$SCRATCH/2.sqlite" | grep -c "$canary\|round 1")" 0 'personal columns in a snapshot without'
is "$(strings "$SCRATCH/1.sqlite" | grep -c "$canary" | sed 's/^[1-9].*/some/')" some 'and with them'
t=$(cat "$SCRATCH/token.4")
asked 200 "$t" '/v1/changes?limit=10000'
is "$(grep -c "$canary\|F2\|round 1" "$SCRATCH/answer")" 0 "F2 or notes in the feed of a token of F1"
is "$(grep '"table":"child"' "$SCRATCH/answer" | grep -c '"name"')" 0 'names of children in it'
asked 200 "$t" '/v1/export?table=child&format=csv'
is "$(grep -c "$canary\|F2\|name" "$SCRATCH/answer")" 0 "F2 or names in an export of F1"
is "$(wc -l <"$SCRATCH/answer")" 59 'rows of an export with its head'
asked 403 "$t" '/v1/export?table=child&scope=f/F2'
asked 404 "$t" '/v1/export?table=hub_token'
asked 404 "$t" '/v1/export?table=v1_child'
is "$(python3 -c 'import sqlite3, sys
for row in sqlite3.connect(sys.argv[1]).execute("SELECT DISTINCT facility_id FROM v1_enrollment UNION SELECT facility_id FROM v1_node"):
  print(*row)' "$SCRATCH/4.sqlite")" F1 'views of F1 in its snapshot, and its node'

# views for who reads everything: an indicator for a spreadsheet, what the hub knows of its nodes
wide=$("$YIZHAN" -C "$hub" token new --scope all | head -n 1)
sql "$hub" "INSERT INTO population(subdistrict_code, version, name_zh, residents) VALUES ('330105001', 20201101, '米市巷', 50000)" >/dev/null
asked 200 "$wide" '/v1/export?table=v1_seats_per_1000&format=csv'
is "$(grep -c '^330105001,米市巷,0,0,50000,20201101,0.0,4.6,0' "$SCRATCH/answer")" 1 'an indicator as CSV'
asked 200 "$wide" '/v1/export?table=v1_child'
is "$(grep -c '"name"' "$SCRATCH/answer")" 0 'a view without personal columns'
asked 404 "$wide" '/v1/export?table=v1_growth_z'
asked 200 "$wide" '/v1/export?table=v1_node'
is "$(grep -c '"facility_id":"F[12]".*"known_until":1[0-9]\{12\}' "$SCRATCH/answer")" 2 'both nodes are known to some time'

# facilities near a place
sql "$hub" "INSERT INTO facility_public(facility_id, name, lat_e6, lon_e6) VALUES ('F7', '近', 30300000, 120150000), ('F8', '远', 30400000, 120150000)" >/dev/null
asked 200 "$t" '/v1/facilities?near=30.31,120.15&within=2'
is "$(grep -c '"F7".*"distance_m":1112.*"more":false' "$SCRATCH/answer")" 1 'one facility within two kilometres'
asked 400 "$t" '/v1/facilities?near=120.15,30.31'
asked 400 "$t" '/v1/facilities?near=30.31,120.15&near=1,1'
asked 401 no '/v1/facilities?near=30.31,120.15'
asked 401 no '/v1/export?table=child'
asked 401 no /v1/snapshot.sqlite.zst
asked 400 "$t" '/v1/export?table=child&table=staff'
asked 405 "$t" '/v1/export?table=child' -X POST
asked 400 "$t" '/v1/export?table=child' -X GET -d x
asked 400 "$t" '/v1/export?table=child' -H 'Authorization: Bearer other'
asked 400 "$t" /v1/snapshot.sqlite.zst?name=..%5c..
asked 200 "$t" /v1/snapshot.sqlite.zst -I

# a formula stays text
sql "$node" "UPDATE child SET name = '=HYPERLINK(1)' WHERE id = (SELECT min(id) FROM child)" >/dev/null
check 0 '"state":"in_sync"' -C "$node" sync --json
asked 200 "$(cat "$SCRATCH/token.1")" '/v1/export?table=child&format=csv&scope=f/F1'
is "$(grep -c ",'=HYPERLINK(1)," "$SCRATCH/answer")" 1 'a formula in CSV'

# ------------------------------------------------------------------ a download that is cut

asked 200 "$t" /v1/snapshot.sqlite.zst
cp "$SCRATCH/answer" "$SCRATCH/whole"
etag=$(head_of ETag) where=$(head_of Content-Location)
# digest and signature, by programs of others; the key as the administrator reads it
unhex() {
	python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' "$1"
}
is "$(head_of Repr-Digest)" "sha-256=:$(openssl dgst -sha256 -binary "$SCRATCH/whole" | openssl base64 -A):" 'the digest'
{
	printf yizhan-snapshot-1
	openssl dgst -sha256 -binary "$SCRATCH/whole"
	head_of Yz-Cursor | tr -d '\n'
} >"$SCRATCH/signed"
unhex "302a300506032b6570032100$(sed 's/.*# *//' "$hub/key" | tr -dc 0-9a-f)" >"$SCRATCH/key.der"
unhex "$(head_of Yz-Signature)" >"$SCRATCH/signature"
is "$(openssl pkeyutl -verify -pubin -keyform DER -inkey "$SCRATCH/key.der" -rawin -in "$SCRATCH/signed" \
	-sigfile "$SCRATCH/signature" 2>&1)" 'Signature Verified Successfully' 'the signature'
head -c 1000 "$SCRATCH/whole" >"$SCRATCH/part"
is "$(curl -s -C - -o "$SCRATCH/part" -w '%{http_code}' -H "Authorization: Bearer $t" -H "If-Range: $etag" \
	"$base/v1/snapshot.sqlite.zst")" 206 'go on by If-Range'
cmp "$SCRATCH/part" "$SCRATCH/whole" && passed=$((passed + 1)) || failed=$((failed + 1))
stop "$hub_pid"
serve "$hub"
base=http://$address
head -c 2000 "$SCRATCH/whole" >"$SCRATCH/part"
is "$(curl -s -C - -o "$SCRATCH/part" -w '%{http_code}' -H "Authorization: Bearer $t" "$base$where")" 206 \
	'go on by name, at a hub that was started anew'
cmp "$SCRATCH/part" "$SCRATCH/whole" && passed=$((passed + 1)) || failed=$((failed + 1))
asked 410 "$(cat "$SCRATCH/token.1")" "$where"
asked 416 "$t" "$where" -H 'Range: bytes=99999999-'
asked 304 "$t" "$where" -H "If-None-Match: $etag"
asked 200 "$t" "$where" -H 'Range: bytes=0-1' -H 'If-Range: "x"'
asked 400 "$t" "$where" -H 'Range: bytes=0-1' -H 'range: bytes=2-3'

# ------------------------------------------------------------------ what is told

check 0 'snapshot [0-9a-f]{32} +f/F1' -C "$hub" token exports
check 0 '"what":"export csv","scope":"f/F1","tables":"child","personal":true,"bytes":[1-9]' -C "$hub" token exports --json
is "$(find "$hub/snapshots" -perm /077 | wc -l)" 0 'files that others may read'
is "$(find "$hub/snapshots" -type f ! -name '*.zst' | wc -l)" 0 'files left behind'
check 2 'exports takes no more words; usage: ' -C "$hub" token exports now
finish
