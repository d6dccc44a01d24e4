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
tables=leave_request,medication_request,pickup_auth,booking,growth_comment,announcement,course_order
token=$("$YIZHAN" -C "$hub" token new --scope f/F1 --write $tables --personal | head -n 1)
wide=$("$YIZHAN" -C "$hub" token new --scope all --write "$tables,course,code_set,district_announcement" --personal | head -n 1)
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
	record drug/3 medication_request "\"id\":\"0000000000000000000000000000001a\",\"facility_id\":\"F1\",\"child_id\":\"$child\",\"drug\":\"退热贴\",\"dose_text\":\"1 片\",\"date_from\":20261201,\"date_to\":20261203"
	record drug/2 medication_request "\"id\":\"00000000000000000000000000000017\",\"facility_id\":\"F1\",\"child_id\":\"$child\",\"drug\":\"阿莫西林\",\"dose_text\":\"2 ml\",\"date_from\":20261201,\"date_to\":20261201"
	record tour/2 booking '"id":"00000000000000000000000000000018","facility_id":"F1","kind":1,"guardian_name":"李四"'
	record tour/3 booking '"id":"00000000000000000000000000000019","facility_id":"F1","kind":1,"guardian_name":"王五"'
	record tour/1 booking '"id":"00000000000000000000000000000014","facility_id":"F1","kind":1,"guardian_name":"张三","phone":"130"'
	record comment/1 growth_comment "\"id\":\"00000000000000000000000000000015\",\"facility_id\":\"F1\",\"child_id\":\"$child\",\"month_age\":18,\"text\":\"多户外\""
	record pickup/9 pickup_auth "\"id\":\"0000000000000000000000000000002a\",\"facility_id\":\"F1\",\"child_id\":\"$child\",\"name\":\"陌生人\""
	record order/1 course_order "\"id\":\"0000000000000000000000000000001b\",\"facility_id\":\"F1\",\"course_code\":\"C1\",\"child_id\":\"$child\",\"buyer_name\":\"赵六\",\"places\":2,\"from_date\":20261101,\"to_date\":20991231"
	record order/2 course_order '"id":"0000000000000000000000000000001c","facility_id":"F1","course_code":"C1","buyer_name":"钱七","places":1,"from_date":20261101,"to_date":20991231'
	record news/1 announcement '"id":"00000000000000000000000000000016","facility_id":"F1","title":"停课"'
} >"$SCRATCH/requests"
posted 200 "$token" "$SCRATCH/requests"
count stored 13
# the answer was lost: all of it again
posted 200 "$token" "$SCRATCH/requests"
count duplicate 13
# a course, a code and what the district announces go to everybody
{
	record course/1 course '"course_code":"C1","version":1,"title":"亲子阅读"'
	record code/1 code_set '"set_code":"leave_type","code":"9","version":99,"name_zh":"其他"'
	record district/1 district_announcement '"id":"0000000000000000000000000000001d","title":"台风停课","content":"明日全区停课","valid_to":20991231'
} >"$SCRATCH/catalogue"
posted 200 "$wide" "$SCRATCH/catalogue"
count stored 3
# before the facility has answered the platform may change its mind; what only the facility says it may not write
{
	record pickup/9b pickup_auth '"id":"0000000000000000000000000000002a","facility_id":"F1","name":"陌生人二"'
	record pickup/9c pickup_auth '"id":"0000000000000000000000000000002a","facility_id":"F1","review":1'
	record pickup/9d pickup_auth '"id":"0000000000000000000000000000002a","facility_id":"F1","asked":null'
	record order/1b course_order '"id":"0000000000000000000000000000001b","facility_id":"F1","done_at":1796000000000'
} >"$SCRATCH/changed"
posted 200 "$token" "$SCRATCH/changed"
count stored 1
is "$(grep -c "is the facility's answer" "$SCRATCH/answer")" 3 "the facility's own columns: $(cat "$SCRATCH/answer")"
is "$(sql "$hub" "SELECT asked, wording IS NULL AS first, review FROM pickup_auth ORDER BY id")" \
	'[{"asked":1,"first":1,"review":null},{"asked":1,"first":0,"review":null}]' 'asked, and the second in another wording'
stop "$hub_pid"
serve "$hub" "$address" # where its nodes know it
hub_pid=$last
posted 200 "$token" "$SCRATCH/requests"
count duplicate 13

# ------------------------------------------------------------------ it comes back, and answers

check 0 '"state":"in_sync"' -C "$node" sync --json
is "$(sql "$node" "SELECT reason, date_from FROM leave_request")" '[{"reason":"发热","date_from":20261201}]' 'the leave at the facility'
is "$(sql "$node" "SELECT (SELECT count(*) FROM medication_request) + (SELECT count(*) FROM pickup_auth WHERE name = '外婆') +
	(SELECT count(*) FROM booking) + (SELECT count(*) FROM growth_comment) + (SELECT count(*) FROM announcement) +
	(SELECT count(*) FROM course) + (SELECT count(*) FROM code_set WHERE version = 99) + (SELECT count(*) FROM course_order) +
	(SELECT count(*) FROM district_announcement) AS n" | tr -dc '0-9')" 14 'all others too'
check 0 '"state":"in_sync"' -C "$other" sync --json
is "$(sql "$other" "SELECT (SELECT count(*) FROM leave_request) + (SELECT count(*) FROM course) +
	(SELECT count(*) FROM course_order) + (SELECT count(*) FROM district_announcement) AS n" | tr -dc '0-9')" 2 \
	'the other facility has the course and the district announcement alone'
# what staff say at the facility, on its page; it syncs when it starts, and then not by itself
git config -f "$node/node.conf" sync.interval 3600
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
# who is asked for is listed, and not among those who may fetch the child until somebody accepts
curl -s "http://$address/?lang=en" >"$SCRATCH/page"
is "$(grep -c '外婆 · \|外婆</p>' "$SCRATCH/page")" 1 'the right that is asked for is listed'
is "$(grep -c '亲子阅读 × 2' "$SCRATCH/page")" 1 'and the course that was bought'
is "$(grep -c '<strong>台风停课</strong> · district' "$SCRATCH/page")" 1 'what the district announces'
is "$(grep -c '<strong>停课</strong>' "$SCRATCH/page")" 1 'and what the platform tells this facility'
at='"at":"2026-12-01T08:00:00+08:00"'
{
	echo "{\"do\":\"arrival\",\"key\":\"p1\",$at,\"child\":\"$child\"}"
	echo "{\"do\":\"pickup\",\"key\":\"p2\",$at,\"child\":\"$child\",\"adult\":\"00000000000000000000000000000013\"}"
	echo "{\"do\":\"pickup_review\",\"key\":\"p3\",$at,\"adult\":\"00000000000000000000000000000013\",\"review\":1,\"wording\":\"\"}"
	echo "{\"do\":\"pickup_review\",\"key\":\"p4\",$at,\"adult\":\"0000000000000000000000000000002a\",\"review\":1,\"wording\":\"\"}"
	echo "{\"do\":\"pickup_review\",\"key\":\"p5\",$at,\"adult\":\"0000000000000000000000000000002a\",\"review\":2,\"note\":\"不认识\"}"
	echo "{\"do\":\"pickup\",\"key\":\"p6\",$at,\"child\":\"$child\",\"adult\":\"0000000000000000000000000000002a\"}"
	echo "{\"do\":\"pickup\",\"key\":\"p7\",$at,\"child\":\"$child\",\"adult\":\"00000000000000000000000000000013\"}"
	echo "{\"do\":\"order_done\",\"key\":\"o1\",$at,\"order\":\"0000000000000000000000000000001b\"}"
	echo "{\"do\":\"order_review\",\"key\":\"o2\",$at,\"order\":\"0000000000000000000000000000001b\",\"review\":1}"
	echo "{\"do\":\"order_done\",\"key\":\"o3\",$at,\"order\":\"0000000000000000000000000000001b\"}"
	echo "{\"do\":\"order_review\",\"key\":\"o4\",$at,\"order\":\"0000000000000000000000000000001c\",\"review\":2,\"note\":\"已满\"}"
} | curl -s -o "$SCRATCH/answer" --data-binary @- "http://$address/api/v1/batch"
count stored 7
is "$(grep -c '"key":"p2","state":"refused".*nobody here has accepted' "$SCRATCH/answer")" 1 "nobody fetches whom nobody accepted: $(cat "$SCRATCH/answer")"
is "$(grep -c '"key":"p4","state":"refused".*the platform has changed it since' "$SCRATCH/answer")" 1 'an answer to what was said before'
is "$(grep -c '"key":"p6","state":"refused".*nobody here has accepted' "$SCRATCH/answer")" 1 'who was declined'
is "$(grep -c '"key":"o1","state":"refused".*accept it first' "$SCRATCH/answer")" 1 'nothing is held that was not accepted'
# and through its own door
{
	nine='"at":"2026-12-01T09:00:00+08:00"'
	echo "{\"do\":\"leave_review\",\"key\":\"1\",$nine,\"leave\":\"00000000000000000000000000000011\",\"review\":1,\"note\":\"好好休息\"}"
	echo "{\"do\":\"medication_review\",\"key\":\"2\",$nine,\"request\":\"00000000000000000000000000000012\",\"review\":1}"
	echo "{\"do\":\"medication_review\",\"key\":\"3\",$nine,\"request\":\"00000000000000000000000000000017\",\"review\":2,\"note\":\"没有处方\"}"
	echo "{\"do\":\"medication_given\",\"key\":\"4\",$nine,\"request\":\"00000000000000000000000000000012\",\"slot\":1,\"dose\":\"5 ml\"}"
	echo "{\"do\":\"medication_given\",\"key\":\"5\",$nine,\"request\":\"00000000000000000000000000000017\",\"slot\":1,\"dose\":\"2 ml\"}"
	echo "{\"do\":\"book_review\",\"key\":\"6\",$nine,\"booking\":\"00000000000000000000000000000014\",\"state\":3}"
	echo "{\"do\":\"book_review\",\"key\":\"7\",$nine,\"booking\":\"00000000000000000000000000000018\",\"state\":6}"
	echo "{\"do\":\"medication_review\",\"key\":\"8\",$nine,\"request\":\"0000000000000000000000000000001a\",\"review\":1}"
} | curl -s -o "$SCRATCH/answer" --data-binary @- "http://$address/api/v1/batch"
stop "$last"
address=${base#http://}
count stored 7
# while its answers are on their way up, the platform changes one of the requests: it knows of no answer yet
record drug/4 medication_request '"id":"0000000000000000000000000000001a","facility_id":"F1","dose_text":"10 片","date_to":20261231' >"$SCRATCH/meanwhile"
was_answers=$(cat "$SCRATCH/answer")
posted 200 "$token" "$SCRATCH/meanwhile"
count stored 1
echo "$was_answers" >"$SCRATCH/answer"
is "$(grep -c '"key":"5","state":"refused".*was declined' "$SCRATCH/answer")" 1 "what was declined isn't given: $(cat "$SCRATCH/answer")"
check 0 '"state":"in_sync"' -C "$node" sync --json
curl -s -H "Authorization: Bearer $token" "$base/v1/changes?limit=10000" >"$SCRATCH/feed"
is "$(grep -c '"table":"leave_request".*"review":1,"review_note":"好好休息"' "$SCRATCH/feed")" 1 'the review comes back'
is "$(grep -c '"table":"medication_request".*"drug":"布洛芬".*"accepted_at":[0-9].*"review":1' "$SCRATCH/feed")" 1 'the acceptance'
is "$(grep -c '"table":"medication_request".*"drug":"阿莫西林".*"accepted_at":null.*"review":2,"review_note":"没有处方"' "$SCRATCH/feed")" 1 'the refusal'
is "$(grep -c '"table":"booking".*"guardian_name":"李四".*"state":6' "$SCRATCH/feed")" 1 'the tour that was declined'
is "$(grep -c '"table":"booking".*"guardian_name":"王五".*"state":6.*"review_note":"客满"' "$SCRATCH/feed")" 1 'the one that the page declined'
is "$(grep -c '"table":"booking".*"state":3' "$SCRATCH/feed")" 1 'the confirmed tour'
is "$(grep -c '"table":"medication_given"' "$SCRATCH/feed")" 1 'that it was done'
is "$(grep -c '"table":"pickup_auth".*"name":"外婆".*"asked":1,"review":1,.*"wording":null,"review_of":"@[0-9]*"' "$SCRATCH/feed")" 1 'who may fetch the child'
is "$(grep -c '"table":"pickup_auth".*"name":"陌生人二".*"asked":1,"review":2,"review_note":"不认识".*"wording":"[0-9a-f]*","review_of":"[0-9a-f]*@[0-9]*"' "$SCRATCH/feed")" 1 'who may not'
is "$(grep -c '"table":"course_order".*"buyer_name":"赵六".*"review":1,.*"done_at":[0-9]' "$SCRATCH/feed")" 1 'the course that was held'
is "$(grep -c '"table":"course_order".*"buyer_name":"钱七".*"review":2,"review_note":"已满".*"done_at":null' "$SCRATCH/feed")" 1 'the one that was declined'
is "$(curl -s -H "Authorization: Bearer $token" "$base/v1/export?table=course_order&format=csv" | grep -c '赵六\|钱七')" 2 'and in an export'
# what was answered stays as it was said; who else may fetch the child is another right
{
	record pickup/4 pickup_auth '"id":"00000000000000000000000000000013","facility_id":"F1","name":"陌生人"'
	record order/3 course_order '"id":"0000000000000000000000000000001b","facility_id":"F1","places":20'
	record order/4 course_order '"id":"0000000000000000000000000000001b","facility_id":"F1","state":2'
} >"$SCRATCH/answered"
posted 200 "$token" "$SCRATCH/answered"
count stored 1
is "$(grep -c 'this request is answered' "$SCRATCH/answer")" 2 "what was answered: $(cat "$SCRATCH/answer")"
# an answer and a change that know nothing of each other: what was accepted is not what is there now
record pickup/5 pickup_auth "\"id\":\"0000000000000000000000000000001e\",\"facility_id\":\"F1\",\"child_id\":\"$child\",\"name\":\"姑姑\"" >"$SCRATCH/aunt"
posted 200 "$token" "$SCRATCH/aunt"
check 0 '"state":"in_sync"' -C "$node" sync --json
record pickup/6 pickup_auth '"id":"0000000000000000000000000000001e","facility_id":"F1","name":"陌生人三"' >"$SCRATCH/aunt"
posted 200 "$token" "$SCRATCH/aunt"
hub_address=$address
stop "$hub_pid"
serve "$node"
{
	echo "{\"do\":\"pickup_review\",\"key\":\"q1\",$at,\"adult\":\"0000000000000000000000000000001e\",\"review\":1}"
} | curl -s -o "$SCRATCH/answer" --data-binary @- "http://$address/api/v1/batch"
stop "$last"
count stored 1
serve "$hub" "$hub_address"
hub_pid=$last
check 0 '"state":"in_sync"' -C "$node" sync --json
serve "$node"
at='"at":"2026-12-01T09:30:00+08:00"'
echo "{\"do\":\"arrival\",\"key\":\"q0\",$at,\"child\":\"$child\"}" | curl -s -o /dev/null --data-binary @- "http://$address/api/v1/batch"
echo "{\"do\":\"pickup\",\"key\":\"q2\",$at,\"child\":\"$child\",\"adult\":\"0000000000000000000000000000001e\"}" |
	curl -s -o "$SCRATCH/answer" --data-binary @- "http://$address/api/v1/batch"
is "$(curl -s "http://$address/?lang=en" | grep -c 'name="request" value="0000000000000000000000000000001e"')" 1 'it waits again'
stop "$last"
address=${base#http://}
count refused 1
is "$(grep -c 'nobody here has accepted' "$SCRATCH/answer")" 1 "the aunt was accepted, not the stranger: $(cat "$SCRATCH/answer")"
is "$(sql "$hub" "SELECT name, review FROM v1_pickup_auth WHERE id = x'0000000000000000000000000000001e'")" '[{"name":"陌生人三","review":null}]' 'nor does the platform read so'
record pickup/7 pickup_auth '"id":"0000000000000000000000000000001e","facility_id":"F1"' delete >"$SCRATCH/aunt"
posted 200 "$token" "$SCRATCH/aunt"
is "$(grep -c '"table":"code_set".*"set_code":"booking.state".*"code":"6".*"已拒绝"' "$SCRATCH/feed")" 0 'a catalogue in a feed of one facility'
is "$(sql "$node" "SELECT name_en FROM code_set WHERE set_code = 'booking.state' AND code = '6'")" '[{"name_en":"declined"}]' 'what 6 is called'
# the answer that crossed the change is to another wording: everybody is told that it waits
is "$(sql "$hub" "SELECT dose_text, review FROM v1_medication_request WHERE drug = '退热贴'")" '[{"dose_text":"10 片","review":null}]' 'what the hub says'
is "$(sql "$node" "SELECT dose_text, review, accepted_at FROM v1_medication_request WHERE drug = '退热贴'")" \
	'[{"dose_text":"10 片","review":null,"accepted_at":null}]' 'what the facility says'
serve "$node"
curl -s "http://$address/?lang=en" >"$SCRATCH/page"
is "$(grep -c 'name="request" value="0000000000000000000000000000001a"' "$SCRATCH/page")" 1 'the page asks again'
is "$(grep -c '退热贴 10 片' "$SCRATCH/page")" 1 'and says what'
echo '{"do":"medication_given","key":"9","at":"2026-12-01T09:10:00+08:00","request":"0000000000000000000000000000001a","slot":1,"dose":"1 片"}' |
	curl -s -o "$SCRATCH/answer" --data-binary @- "http://$address/api/v1/batch"
is "$(grep -c 'was changed since it was answered' "$SCRATCH/answer")" 1 "it isn't given: $(cat "$SCRATCH/answer")"
stop "$last"
address=${base#http://}
# what is answered isn't changed, and no answer is the platform's to give or to take back
{
	record a1 medication_request '"id":"00000000000000000000000000000012","facility_id":"F1","dose_text":"20 ml","date_to":20261231'
	record a2 leave_request '"id":"00000000000000000000000000000011","facility_id":"F1","date_to":20261203'
	record a3 leave_request "\"id\":\"00000000000000000000000000000041\",\"facility_id\":\"F1\",\"enrollment_id\":\"$enrollment\",\"review\":1"
	record a4 booking '"id":"00000000000000000000000000000019","facility_id":"F1","state":1'
	record a5 booking '"id":"00000000000000000000000000000042","facility_id":"F1","state":3'
	record a6 leave_request '"id":"0009","facility_id":"F1"'
	record a7 leave_request '"id":"00000000000000000000000000000043","facility_id":"F1","enrollment_id":"00000000000000000000000000000044"'
	record a8 leave_request '"id":"00000000000000000000000000000045","facility_id":"F1","date_from":-5,"date_to":99,"type":777'
} >"$SCRATCH/answers"
posted 200 "$token" "$SCRATCH/answers"
count refused 8
is "$(grep -c '"key":"a1".*dose_text: this request is answered' "$SCRATCH/answer")" 1 "why: $(cat "$SCRATCH/answer")"
is "$(sql "$hub" "SELECT dose_text, date_to, review FROM medication_request WHERE drug = '布洛芬'")" \
	'[{"dose_text":"5 ml","date_to":20261203,"review":1}]' 'what was accepted'
# who wants it otherwise takes it back and asks anew, under another id
record gone/1 medication_request '"id":"00000000000000000000000000000012","facility_id":"F1"' delete >"$SCRATCH/gone"
record gone/2 medication_request "\"id\":\"00000000000000000000000000000012\",\"facility_id\":\"F1\",\"child_id\":\"$child\",\"drug\":\"布洛芬\",\"dose_text\":\"20 ml\"" >>"$SCRATCH/gone"
posted 200 "$token" "$SCRATCH/gone"
count stored 1
is "$(grep -c '"key":"gone/2".*the one of this key was deleted; make a new one' "$SCRATCH/answer")" 1 "not under its id: $(cat "$SCRATCH/answer")"
record pickup/2 pickup_auth '"id":"00000000000000000000000000000013","facility_id":"F1","revoked":1' >"$SCRATCH/revoke"
posted 200 "$token" "$SCRATCH/revoke"
record pickup/3 pickup_auth '"id":"00000000000000000000000000000013","facility_id":"F1","revoked":0' >"$SCRATCH/unrevoke"
posted 200 "$token" "$SCRATCH/unrevoke"
count refused 1
record news/2 announcement '"id":"00000000000000000000000000000016","facility_id":"F1"' delete >"$SCRATCH/delete"
posted 200 "$token" "$SCRATCH/delete"
check 0 '"state":"in_sync"' -C "$node" sync --json
is "$(sql "$node" "SELECT l.date_to, l.review, p.revoked, (SELECT count(*) FROM announcement) AS news FROM leave_request l, pickup_auth p WHERE p.name = '外婆'")" \
	'[{"date_to":20261202,"review":1,"revoked":1,"news":0}]' 'both sides of the request at the facility'
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
	'yizhan_records_total{state="stored"} 4yizhan_records_total{state="refused"} ' 'counted since the start'
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
