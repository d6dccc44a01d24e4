#!/bin/sh
# hub_records.sh - the platform writes: requests of parents that arrive while the
# facility is offline go down to it, its answers come back up by the feed; what is
# sent twice is stored once; what may not be written is refused and leaks nothing.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
other=$SCRATCH/other canary=canary_51ce02
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 >/dev/null &&
	"$YIZHAN" -C "$other" init --facility F2 >/dev/null || exit 1
serve "$hub"
base=http://$address hub_pid=$last
enrol "$node" F1 "$base"
enrol "$other" F2 "$base"
"$YIZHAN" -C "$node" import roster packaging/rosters/centre-1.csv >/dev/null || exit 1
check 0 '"state":"in_sync"' -C "$node" sync --json
enrollment=$(sql "$node" 'SELECT id FROM enrollment LIMIT 1' | grep -oE '[0-9a-f]{32}')
child=$(sql "$node" 'SELECT id FROM child LIMIT 1' | grep -oE '[0-9a-f]{32}')
tables=leave_request,medication_request,pickup_auth,booking,growth_comment,announcement
token=$("$YIZHAN" -C "$hub" token new --scope f/F1 --write $tables --personal | head -n 1)
wide=$("$YIZHAN" -C "$hub" token new --scope all --write "$tables,course,code_set" --personal | head -n 1)
check 1 'there is no table nothere here; ' -C "$hub" token new --scope all --write nothere

# posted WANT TOKEN FILE CURL-ARGUMENT...: the status; the answer is in $SCRATCH/answer
posted() {
	want=$1 bearer=$2 file=$3
	shift 3
	is "$(curl -s -o "$SCRATCH/answer" -w '%{http_code}' --max-time 20 -H "Authorization: Bearer $bearer" \
		--data-binary "@$file" "$@" "$base/v1/records")" "$want" "$file $*"
}

# record KEY TABLE ROW [OP]
record() {
	echo "{\"key\":\"$1\",\"table\":\"$2\",\"op\":\"${4-upsert}\",\"row\":{$3}}"
}

# count STATE N: so many answers of that state
count() {
	is "$(grep -c "\"state\":\"$1\"" "$SCRATCH/answer")" "$2" "$1: $(cat "$SCRATCH/answer")"
}

# ------------------------------------------------------------------ while the facility is away

{
	record leave/1 leave_request "\"id\":\"00000000000000000000000000000011\",\"facility_id\":\"F1\",\"enrollment_id\":\"$enrollment\",\"date_from\":20261201,\"date_to\":20261202,\"reason\":\"发热\",\"source\":1"
	record drug/1 medication_request "\"id\":\"00000000000000000000000000000012\",\"facility_id\":\"F1\",\"child_id\":\"$child\",\"drug\":\"布洛芬\",\"dose_text\":\"5 ml\",\"date_from\":20261201,\"date_to\":20261203"
	record pickup/1 pickup_auth "\"id\":\"00000000000000000000000000000013\",\"facility_id\":\"F1\",\"child_id\":\"$child\",\"name\":\"外婆\""
	record drug/2 medication_request "\"id\":\"00000000000000000000000000000017\",\"facility_id\":\"F1\",\"child_id\":\"$child\",\"drug\":\"阿莫西林\",\"dose_text\":\"2 ml\",\"date_from\":20261201,\"date_to\":20261201"
	record tour/2 booking '"id":"00000000000000000000000000000018","facility_id":"F1","kind":1,"guardian_name":"李四"'
	record tour/3 booking '"id":"00000000000000000000000000000019","facility_id":"F1","kind":1,"guardian_name":"王五"'
	record tour/1 booking '"id":"00000000000000000000000000000014","facility_id":"F1","kind":1,"guardian_name":"张三","phone":"130"'
	record comment/1 growth_comment "\"id\":\"00000000000000000000000000000015\",\"facility_id\":\"F1\",\"child_id\":\"$child\",\"month_age\":18,\"text\":\"多户外\""
	record news/1 announcement '"id":"00000000000000000000000000000016","facility_id":"F1","title":"停课"'
} >"$SCRATCH/requests"
posted 200 "$token" "$SCRATCH/requests"
count stored 9
# the answer was lost: all of it again
posted 200 "$token" "$SCRATCH/requests"
count duplicate 9
# a bought course and a code go to everybody
{
	record course/1 course '"course_code":"C1","version":1,"title":"亲子阅读"'
	record code/1 code_set '"set_code":"leave_type","code":"9","version":99,"name_zh":"其他"'
} >"$SCRATCH/catalogue"
posted 200 "$wide" "$SCRATCH/catalogue"
count stored 2
stop "$hub_pid"
serve "$hub" "$address" # where its nodes know it
posted 200 "$token" "$SCRATCH/requests"
count duplicate 9

# ------------------------------------------------------------------ it comes back, and answers

check 0 '"state":"in_sync"' -C "$node" sync --json
is "$(sql "$node" "SELECT reason, date_from FROM leave_request")" '[{"reason":"发热","date_from":20261201}]' 'the leave at the facility'
is "$(sql "$node" "SELECT (SELECT count(*) FROM medication_request) + (SELECT count(*) FROM pickup_auth WHERE name = '外婆') +
	(SELECT count(*) FROM booking) + (SELECT count(*) FROM growth_comment) + (SELECT count(*) FROM announcement) +
	(SELECT count(*) FROM course) + (SELECT count(*) FROM code_set WHERE version = 99) AS n" | tr -dc '0-9')" 10 'all others too'
check 0 '"state":"in_sync"' -C "$other" sync --json
is "$(sql "$other" "SELECT (SELECT count(*) FROM leave_request) + (SELECT count(*) FROM course) AS n" | tr -dc '0-9')" 1 \
	'the other facility has the course alone'
# what staff say at the facility, on its page
serve "$node"
curl -s "http://$address/?lang=en" >"$SCRATCH/page"
is "$(grep -c 'name="request" value="00000000000000000000000000000019"' "$SCRATCH/page")" 1 'the page has the request'
form=$(sed -n 's/.*name="token" value="\([^"]*\)".*/\1/p' "$SCRATCH/page" | head -n 1)
answer() { # FIELD...
	curl -s -o "$SCRATCH/page" -w '%{http_code}' --data-urlencode "token=$form" -d "lang=en&of=booking" \
		-d request=00000000000000000000000000000019 "$@" "http://$address/tap"
}
is "$(answer -d do=decline)" 400 'no refusal without a reason'
is "$(grep -c 'Not saved: say why you decline' "$SCRATCH/page")" 1 'which the page says'
is "$(answer -d do=decline --data-urlencode 'note=客满')" 303 'a refusal with one'
is "$(answer -d do=accept)" 400 'and nothing else after it'
# and through its own door
{
	at='"at":"2026-12-01T09:00:00+08:00"'
	echo "{\"do\":\"leave_review\",\"key\":\"1\",$at,\"leave\":\"00000000000000000000000000000011\",\"review\":1,\"note\":\"好好休息\"}"
	echo "{\"do\":\"medication_review\",\"key\":\"2\",$at,\"request\":\"00000000000000000000000000000012\",\"review\":1}"
	echo "{\"do\":\"medication_review\",\"key\":\"3\",$at,\"request\":\"00000000000000000000000000000017\",\"review\":2,\"note\":\"没有处方\"}"
	echo "{\"do\":\"medication_given\",\"key\":\"4\",$at,\"request\":\"00000000000000000000000000000012\",\"slot\":1,\"dose\":\"5 ml\"}"
	echo "{\"do\":\"medication_given\",\"key\":\"5\",$at,\"request\":\"00000000000000000000000000000017\",\"slot\":1,\"dose\":\"2 ml\"}"
	echo "{\"do\":\"book_review\",\"key\":\"6\",$at,\"booking\":\"00000000000000000000000000000014\",\"state\":3}"
	echo "{\"do\":\"book_cancel\",\"key\":\"7\",$at,\"booking\":\"00000000000000000000000000000018\"}"
} | curl -s -o "$SCRATCH/answer" --data-binary @- "http://$address/api/v1/batch"
stop "$last"
address=${base#http://}
count stored 6
is "$(grep -c '"key":"5","state":"refused".*was declined' "$SCRATCH/answer")" 1 "what was declined isn't given: $(cat "$SCRATCH/answer")"
check 0 '"state":"in_sync"' -C "$node" sync --json
curl -s -H "Authorization: Bearer $token" "$base/v1/changes?limit=10000" >"$SCRATCH/feed"
is "$(grep -c '"table":"leave_request".*"review":1,"review_note":"好好休息"' "$SCRATCH/feed")" 1 'the review comes back'
is "$(grep -c '"table":"medication_request".*"drug":"布洛芬".*"accepted_at":[0-9].*"review":1' "$SCRATCH/feed")" 1 'the acceptance'
is "$(grep -c '"table":"medication_request".*"drug":"阿莫西林".*"accepted_at":null.*"review":2,"review_note":"没有处方"' "$SCRATCH/feed")" 1 'the refusal'
is "$(grep -c '"table":"booking".*"guardian_name":"李四".*"state":4' "$SCRATCH/feed")" 1 'the tour that was declined'
is "$(grep -c '"table":"booking".*"guardian_name":"王五".*"state":4.*"review_note":"客满"' "$SCRATCH/feed")" 1 'the one that the page declined'
is "$(grep -c '"table":"booking".*"state":3' "$SCRATCH/feed")" 1 'the confirmed tour'
is "$(grep -c '"table":"medication_given"' "$SCRATCH/feed")" 1 'that it was done'
# the platform changes its request after the review: cells merge, the review stays
record leave/2 leave_request '"id":"00000000000000000000000000000011","facility_id":"F1","date_to":20261203,"date_from":20261201,"type":1,"reason":"发热"' >"$SCRATCH/later"
posted 200 "$token" "$SCRATCH/later"
count stored 1
record pickup/2 pickup_auth '"id":"00000000000000000000000000000013","facility_id":"F1","revoked":1' >"$SCRATCH/revoke"
posted 200 "$token" "$SCRATCH/revoke"
record pickup/3 pickup_auth '"id":"00000000000000000000000000000013","facility_id":"F1","revoked":0' >"$SCRATCH/unrevoke"
posted 200 "$token" "$SCRATCH/unrevoke"
count refused 1
record news/2 announcement '"id":"00000000000000000000000000000016","facility_id":"F1"' delete >"$SCRATCH/delete"
posted 200 "$token" "$SCRATCH/delete"
check 0 '"state":"in_sync"' -C "$node" sync --json
is "$(sql "$node" 'SELECT l.date_to, l.review, p.revoked, (SELECT count(*) FROM announcement) AS news FROM leave_request l, pickup_auth p')" \
	'[{"date_to":20261203,"review":1,"revoked":1,"news":0}]' 'both sides of the request at the facility'
is "$(digest "$node")" "$(digest "$hub")" 'digests'

# ------------------------------------------------------------------ what may not be written

sql "$other" "INSERT INTO leave_request(id, facility_id, reason) VALUES (x'000000000000000000000000000000f2', 'F2', '$canary')" >/dev/null
check 0 '"state":"in_sync"' -C "$other" sync --json
rows() {
	sql "$hub" 'SELECT (SELECT count(*) FROM leave_request) + (SELECT count(*) FROM child) + (SELECT count(*) FROM booking) +
		(SELECT count(*) FROM hub_record_key) + (SELECT count(*) FROM yz_log) AS n' | tr -dc '0-9'
}
before=$(rows)
{
	record x1 leave_request '"id":"000000000000000000000000000000f2","facility_id":"F1","reason":"mine"'
	record x2 leave_request '"id":"000000000000000000000000000000f2","facility_id":"F2","reason":"mine"'
	record x3 leave_request '"id":"000000000000000000000000000000f2","facility_id":"F1"' delete
	record x4 child '"id":"00000000000000000000000000000001","facility_id":"F1"'
	record x5 hub_token '"id":"a"' delete
	record x6 booking '"id":"00000000000000000000000000000021","facility_id":"F9"'
	record x7 course '"course_code":"C2","version":1'
	record x8 booking "\"id\":\"00000000000000000000000000000022\",\"facility_id\":\"F1\",\"kind\":\"x'); DROP TABLE booking\""
	echo '{"key":"x9","table":"booking","op":"upsert","row":{"facility_id":"F1"},"__proto__":{}}'
	echo 'no json'
} >"$SCRATCH/wrong"
posted 200 "$token" "$SCRATCH/wrong"
count refused 10
is "$(grep -c "$canary" "$SCRATCH/answer")" 0 'a row of F2 in an answer'
# nor a key that F2 has used, when its row is gone: who sees its past would see what comes
sql "$other" "DELETE FROM leave_request" >/dev/null
check 0 '"state":"in_sync"' -C "$other" sync --json
before=$(rows)
record x10 leave_request '"id":"000000000000000000000000000000f2","facility_id":"F1","reason":"mine"' >"$SCRATCH/again"
posted 200 "$token" "$SCRATCH/again"
is "$(grep -c "this key can't be used; take another" "$SCRATCH/answer")" 1 "a key of F2: $(cat "$SCRATCH/answer")"
posted 200 "$wide" "$SCRATCH/again"
count refused 1
# what is told of a name that is cut is still JSON
{
	printf '{"key":"x11","table":"booking","op":"upsert","row":{"facility_id":"F1","a'
	for i in $(seq 30); do printf '名'; done
	echo '":1}}'
} >"$SCRATCH/long"
posted 200 "$token" "$SCRATCH/long"
is "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["state"])' "$SCRATCH/answer")" refused 'an answer'
posted 401 nobody "$SCRATCH/requests"
posted 403 "$("$YIZHAN" -C "$hub" token new --scope all | head -n 1)" "$SCRATCH/requests"
posted 400 "$token" "$SCRATCH/requests" -H 'Authorization: Bearer other'
posted 400 "$token" "$SCRATCH/requests" -H 'Content-Length: 1' -H 'Transfer-Encoding: chunked'
is "$(curl -s -o /dev/null -w '%{http_code}' -H "Authorization: Bearer $token" "$base/v1/records")" 405 'GET'
head -c 1100000 /dev/zero | tr '\0' ' ' >"$SCRATCH/large"
posted 413 "$token" "$SCRATCH/large"
# a body that is cut: half of a good line, and the promise of more
printf 'POST /v1/records HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\nContent-Length: 9999\r\n\r\n%s' \
	"$address" "$token" "$(record cut/1 booking '"id":"00000000000000000000000000000031","facility_id":"F1"')" |
	timeout 1 bash -c "exec 3<>/dev/tcp/${address%:*}/${address##*:}; cat >&3"
is "$(rows)" "$before" 'nothing was written'
is "$(curl -s "$base/metrics" | grep -E '^yizhan_records_total' | tr -d '\n' | sed 's/[0-9]* *$//')" \
	'yizhan_records_total{state="stored"} 3yizhan_records_total{state="refused"} ' 'counted since the start'
# what the hub's own table can't hold is told to the node, and counted at the hub
rejected() {
	curl -s "$base/metrics" | sed -n 's/^yizhan_changes_rejected_total //p'
}
is "$(rejected)" 0 'nothing was rejected so far'
sql "$hub" 'CREATE TABLE loose(id INTEGER NOT NULL PRIMARY KEY, v TEXT NOT NULL)' >/dev/null
sql "$node" 'CREATE TABLE loose(id INTEGER NOT NULL PRIMARY KEY, v TEXT)' >/dev/null
check 0 'is tracked' -C "$hub" track loose --scope f/F1
check 0 'is tracked' -C "$node" track loose
sql "$node" 'INSERT INTO loose VALUES (1, NULL)' >/dev/null
check 5 '"reason":"[^"]*NOT NULL' -C "$node" sync --json
is "$(rejected)" 1 'rejected at the hub'
finish
