#!/bin/sh
# attack_web.sh - what a browser, a script or a stranger can send to a running
# node and hub: A15, A20 to A24, A30, A49 of the list of attacks, against the real
# program.  Each is refused with its status, and the rows are as they were.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 >/dev/null || exit 1
printf 'name,birth_date,class\n安一,2024-03-01,小一班\n<script>alert(1)</script>,2024-03-02,"<b>小</b>"\n' >"$SCRATCH/roster.csv"
"$YIZHAN" -C "$node" import roster "$SCRATCH/roster.csv" >/dev/null || exit 1
serve "$hub"
hub_address=$address
serve "$node"
page=$address node_pid=$last
child=$(sql "$node" "SELECT id FROM child WHERE name = '安一'" | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/')

# asked WANT CURL-ARGUMENT...: the status of the answer; the answer is in $SCRATCH/answer.
asked() {
	want=$1
	shift
	is "$(curl -s -o "$SCRATCH/answer" -w '%{http_code}' --max-time 20 "$@")" "$want" "curl $*"
}

events() {
	sql "$node" 'SELECT (SELECT count(*) FROM care_event) + (SELECT count(*) FROM attendance_event) +
		(SELECT count(*) FROM health_check) AS n' | tr -dc '0-9'
}
before=$(events)

# A line that would be stored, if it came from here.
record="{\"do\":\"care\",\"key\":\"k1\",\"child\":\"$child\",\"at\":$(date +%s)000,\"kind\":1}"
batch=http://$page/api/v1/batch

# A21: a page whose name was bound to our address anew
for host in evil.example "evil.example:${page##*:}" localhost.evil.example '10.0.0.1' 'localhost@evil.example' ''; do
	asked 421 -H "Host: $host" "http://$page/"
done
asked 421 -H 'Host: evil.example' -d "$record" "$batch"
asked 421 -H 'Host: evil.example' "http://$hub_address/v1/changes"

# A22: a form on another site, which a browser would send without asking
token=$(curl -s "http://$page/" | sed -n 's/.*name="token" value="\([^"]*\)".*/\1/p' | head -n 1)
is "$(printf %s "$token" | wc -c)" 32 'the page has a token'
for site in cross-site same-site; do
	asked 403 -H "Sec-Fetch-Site: $site" -d "$record" "$batch"
	asked 403 -H "Sec-Fetch-Site: $site" -d "token=$token" "http://$page/tap"
done
for origin in https://evil.example "http://evil.example:${page##*:}" null 'http://127.0.0.1:1' "ftp://$page" "$page"; do
	asked 403 -H "Origin: $origin" -H 'Content-Type: text/plain' -d "$record" "$batch"
	asked 403 -H "Origin: $origin" -d "token=$token" "http://$page/tap"
done
asked 403 -H 'Origin;' -d "$record" "$batch"
asked 403 -d "child=$child&do=arrive" "http://$page/tap"
asked 403 -d "token=00000000000000000000000000000000&child=$child&do=arrive" "http://$page/tap"
is "$(events)" "$before" 'nothing was written by another site'

# A30: members that nobody asked for
for more in '"facility_id":"F2"' '"role":"hub"' '"id":"00"' '"recorded_by":"00"' '"__proto__":{}'; do
	curl -s -d "$(echo "$record" | sed "s/^{/{$more,/")" "$batch" >"$SCRATCH/answer"
	is "$(grep -c '"state":"refused"' "$SCRATCH/answer")" 1 "refused with $more: $(cat "$SCRATCH/answer")"
done
is "$(events)" "$before" 'nothing was written with members of another record'

# A15, A20: paths and heads that mean two things
for path in /../node.conf /%2e%2e/node.conf /a%2f..%2fkey /%00 /key /yizhan.db /node.conf /..%5ckey; do
	case $path in
	/key | /yizhan.db | /node.conf) asked 404 --path-as-is "http://$page$path" ;;
	*) asked 400 --path-as-is "http://$page$path" ;;
	esac
	is "$(grep -c 'public key' "$SCRATCH/answer")" 0 "the key at $path"
done
asked 400 -H 'Content-Length: 3' -H 'Transfer-Encoding: chunked' -d abc "http://$hub_address/v1/sync"
asked 400 -H 'Transfer-Encoding: gzip, chunked' -d abc "http://$hub_address/v1/sync"
asked 413 -H 'Content-Length: 99999999' -d abc "http://$hub_address/v1/enrol"
asked 405 -X DELETE "http://$hub_address/v1/changes"
asked 405 "http://$hub_address/v1/sync"
is "$(curl -s -o /dev/null -D - "http://$hub_address/v1/sync" | tr -d '\r' | grep -i '^Allow')" 'Allow: POST' 'methods of /v1/sync'
is "$(curl -s -o /dev/null -D - -X PUT "http://$page/" | tr -d '\r' | grep -i '^Allow')" 'Allow: GET, HEAD' 'methods of /'
asked 404 "http://$page/v1/sync"
asked 200 -I "http://$page/"
asked 200 -I "http://$hub_address/healthz"
asked 401 -I "http://$hub_address/v1/changes"
asked 405 -I "http://$page/tap"
asked 400 "http://$hub_address/v1/changes?limit=1&limit=2"
asked 400 "http://$page/?lang=zh&lang=en"
asked 401 "http://$hub_address/v1/changes"
asked 401 -d abc "http://$hub_address/v1/sync"
asked 401 "http://$hub_address/v1/watch?since=0"

# A23, A24: the page shows a name as text, and no page may hold ours
curl -s -D "$SCRATCH/head" "http://$page/" >"$SCRATCH/answer"
is "$(grep -c '<script' "$SCRATCH/answer")" 0 'a script in a name'
is "$(grep -c '&lt;script&gt;alert(1)' "$SCRATCH/answer" | sed 's/^[1-9].*/some/')" some 'the name is shown'
is "$(grep -c '<b>小' "$SCRATCH/answer")" 0 'a tag in a class'
is "$(grep -ciE "^Content-Security-Policy: default-src 'none';.*frame-ancestors 'none'" "$SCRATCH/head")" 1 'the policy'
is "$(grep -ci '^X-Content-Type-Options: nosniff' "$SCRATCH/head")" 1 'no sniffing'

# A49: what everybody may read says nothing of anybody
for at in "$page" "$hub_address"; do
	curl -s "http://$at/metrics" "http://$at/healthz" >"$SCRATCH/answer"
	is "$(grep -cE '安一|F1|script|小一班' "$SCRATCH/answer")" 0 "names in the metrics of $at"
	is "$(grep -c '^yizhan_http_responses_total' "$SCRATCH/answer" | sed 's/^[1-9].*/some/')" some "metrics of $at"
done

# And what comes from here is still taken.
curl -s -H "Origin: http://$page" -H 'Sec-Fetch-Site: same-origin' -d "$record" "$batch" >"$SCRATCH/answer"
is "$(grep -c '"state":"stored"' "$SCRATCH/answer")" 1 "a record from here: $(cat "$SCRATCH/answer")"
is "$(events)" $((before + 1)) 'and it is there'

# The network may not see the page, nor write: our own address there is not the loopback.
token=$(curl -s "http://$page/" | sed -n 's/.*name="token" value="\([^"]*\)".*/\1/p' | head -n 1)
stop "$node_pid"
lan=$(hostname -I | tr ' ' '\n' | grep -m 1 -E '^[0-9]+(\.[0-9]+){3}$')
if [ -n "$lan" ]; then
	serve "$node" "$lan:0"
	asked 403 -H 'Accept-Language: zh' "http://$address/"
	is "$(grep -c '此页面只在运行驿站的这台机器上打开' "$SCRATCH/answer")" 1 'the sentence'
	asked 403 "http://$address/?lang=en"
	is "$(grep -c 'Until staff can sign in' "$SCRATCH/answer")" 1 'the sentence in English'
	is "$(grep -cE '安一|F1|token' "$SCRATCH/answer")" 0 'nothing of the facility in it'
	asked 403 -d "token=$token&child=$child&do=arrival&lang=en" "http://$address/tap"
	is "$(grep -c 'Until staff can sign in' "$SCRATCH/answer")" 1 'a tap is refused before it is looked at'
	asked 403 -d "$record" "http://$address/api/v1/batch"
	is "$(events)" $((before + 1)) 'nothing was written from the network'
	stop "$last"
else
	echo 'this machine has no address but the loopback: the network was not tried'
fi
serve "$node"
asked 303 -d "token=$(curl -s "http://$address/" | sed -n 's/.*name="token" value="\([^"]*\)".*/\1/p' |
	head -n 1)&child=$child&do=arrival" "http://$address/tap"
is "$(events)" $((before + 3)) 'a tap here is an arrival and its check'

# Somebody at the desk tries the six digits of a code one after another.
line() { # MEMBERS: a record about her, answered
	key=$((${key-0} + 1))
	curl -s -d "{\"key\":\"c$key\",\"child\":\"$child\",\"at\":$(date +%s)000,$1}" "http://$address/api/v1/batch"
}
line '"do":"pickup_code","name":"林阿姨","code":"004711"' >"$SCRATCH/answer"
is "$(grep -c '"state":"stored"' "$SCRATCH/answer")" 1 'a code was made'
for code in 000000 000001 000002 000003 000004; do
	line '"do":"pickup","code":"'$code'"'
done >"$SCRATCH/answer"
is "$(grep -o '"code: is wrong' "$SCRATCH/answer" | wc -l)" 5 'five are looked at'
line '"do":"pickup","code":"004711"' >"$SCRATCH/answer"
is "$(grep -c 'too many wrong ones for 安一; no code opens for 1[01]* minutes' "$SCRATCH/answer")" 1 'then none, not even the right one'
is "$(grep -c "a wrong pick-up code for child $child; [0-4] more are looked at now" "$node.log")" 5 'and the log tells of it'
is "$(events)" $((before + 3)) 'nobody took her home'
check 0 '^in order' -C "$node" verify --deep
finish
