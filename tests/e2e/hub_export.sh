#!/bin/sh
# hub_export.sh - the manifest of all tables, and what has changed since: read again
# and again while a facility writes, by tokens of different rights, each ends as the
# hub is; a child that goes to another facility is gone for the first; what is noted.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
other=$SCRATCH/other canary=canary_5b77e0
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 --name 小星星 >/dev/null &&
	"$YIZHAN" -C "$other" init --facility F2 >/dev/null || exit 1
serve "$hub"
base=http://$address
enrol "$node" F1 "$base"
enrol "$other" F2 "$base"
sql "$other" "INSERT INTO child(id, facility_id, name, note) VALUES (randomblob(16), 'F2', '$canary', '$canary')" >/dev/null
check 0 '"state":"in_sync"' -C "$other" sync --json
"$YIZHAN" -C "$node" import roster packaging/rosters/centre-1.csv >/dev/null || exit 1
check 0 '"state":"in_sync"' -C "$node" sync --json

n=0
for words in '--scope all --personal' '--scope all' '--scope f/F1 --personal' '--scope f/F1' \
	'--scope all --tables care_event,child' '--scope f/F2 --personal'; do
	n=$((n + 1))
	mkdir "$SCRATCH/$n"
	# shellcheck disable=SC2086 # words
	"$YIZHAN" -C "$hub" token new $words | head -n 1 >"$SCRATCH/token.$n"
done

# follow WHAT: each token's reader takes what there is
follow() {
	for i in $(seq 1 $n); do
		tests/e2e/export_set.py "$base" "$SCRATCH/token.$i" "$hub/yizhan.db" "$SCRATCH/$i" >"$SCRATCH/said" 2>&1
		is "$(tail -n 1 "$SCRATCH/said")" 'the same' "$1: reader $i"
	done
}

# ------------------------------------------------------------------ all, and what has changed

follow 'all tables'
for i in 1 2; do
	sql "$node" "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100)
		INSERT INTO care_event(facility_id, kind, at, note) SELECT 'F1', i % 7, $i * 1000 + i, 'r$i' FROM n;
		UPDATE child SET note = 'round $i', sex = 1 + ($i + length(name)) % 2;
		DELETE FROM guardian WHERE id IN (SELECT id FROM guardian LIMIT 2);
		INSERT INTO menu_item(facility_id, biz_date, dish) VALUES ('F1', 20260000 + $i, '粥')" >/dev/null
	check 0 '"state":"in_sync"' -C "$node" sync --json
	follow "round $i"
done
tests/e2e/export_set.py "$base" "$SCRATCH/token.1" "$hub/yizhan.db" "$SCRATCH/1" >"$SCRATCH/said" 2>&1
is "$(head -n 1 "$SCRATCH/said")" '0 rows told' 'of nothing nothing'
is "$(grep -l "$canary" "$SCRATCH"/[1-6]/rows.json | sed 's|.*/\([1-6]\)/.*|\1|' | tr '\n' ' ')" '1 6 ' "who has what F2 wrote"
is "$(grep -l 'round 2' "$SCRATCH"/[1-6]/rows.json | sed 's|.*/\([1-6]\)/.*|\1|' | tr '\n' ' ')" '1 3 ' 'who has notes'

# a child that goes to F2: gone for who reads F1, with what carries its id
child=$("$YIZHAN" -C "$node" sql --json "SELECT hex(child_id) AS id FROM allergy LIMIT 1" | grep -oE '[0-9A-F]{32}' | tr A-F a-f)
check 0 '' -C "$hub" share move "$child" F2
for d in "$node" "$other" "$node"; do "$YIZHAN" -C "$d" sync >/dev/null; done
for i in 1 3 6; do
	tests/e2e/export_set.py "$base" "$SCRATCH/token.$i" "$hub/yizhan.db" "$SCRATCH/$i" >"$SCRATCH/said" 2>&1
	cp "$SCRATCH/said" "$SCRATCH/said.$i"
done
has() {
	python3 -c 'import json, sys; print(sum(json.dumps(sys.argv[2]) == k for k in json.load(open(sys.argv[1]))["tables"]["child"]))' \
		"$SCRATCH/$1/rows.json" "$child"
}
is "$(tail -n 1 "$SCRATCH/said.1")" 'the same' 'who reads all has all rows'
is "$(has 1) $(has 3) $(has 6)" '1 0 1' 'the child is where it went'

# ------------------------------------------------------------------ what is noted, and what goes wrong

check 0 '"what":"export ndjson.zst","scope":"f/F1","tables":"child","personal":true,"bytes":[1-9]' -C "$hub" token exports --json
check 0 '"what":"export ndjson.zst, deleted","scope":"f/F1","tables":"guardian","personal":false' -C "$hub" token exports --json
t=$(cat "$SCRATCH/token.4")
# asked WANT PATH CURL-ARGUMENT...: the status; the answer is in $SCRATCH/answer
asked() {
	want=$1 at=$2
	shift 2
	is "$(curl -s -o "$SCRATCH/answer" -D "$SCRATCH/head" -w '%{http_code}' --max-time 60 "$@" "$base$at")" "$want" "$at $*"
}
asked 200 /v1/export -H "Authorization: Bearer $t"
file=$(grep -oE '/v1/export.ndjson.zst[^"]*table=child"' "$SCRATCH/answer" | tr -d '"')
asked 200 "$file" -H "Authorization: Bearer $t"
cp "$SCRATCH/answer" "$SCRATCH/whole"
asked 410 "$file" -H "Authorization: Bearer $(cat "$SCRATCH/token.1")"
asked 401 "$file"
asked 404 "$file&op=delete" -H "Authorization: Bearer $t"
asked 410 '/v1/export?since=000000000000000000000000000000000000000000000001' -H "Authorization: Bearer $t"
is "$(grep -ci '^link: </v1/snapshot.sqlite.zst>; rel="alternate"' "$SCRATCH/head")" 1 'where to begin again'
stop "$last"
serve "$hub"
base=http://$address
asked 200 "$file" -H "Authorization: Bearer $t"
cmp "$SCRATCH/answer" "$SCRATCH/whole" && passed=$((passed + 1)) || failed=$((failed + 1))
is "$(find "$hub/snapshots" -type f -perm /077 | wc -l)" 0 'files that others may read'
is "$(find "$hub/snapshots" -type f ! -name '*.zst' | wc -l) $(find "$hub/snapshots" -name 'new*' | wc -l)" '0 0' 'files left behind'
finish
