#!/bin/sh
# tls_nginx_long.sh - Debian's nginx with the site file that we ship and a self-made
# certificate before a hub: a node enrols and syncs through it, trusting the key that
# came with its code and no other.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
PATH=$PATH:/usr/sbin
command -v nginx >/dev/null || { echo 'no nginx here (packaging/install-deps --ci)'; exit 77; }
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 --name F1 >/dev/null &&
	"$YIZHAN" -C "$SCRATCH/two" init --facility F2 >/dev/null || exit 1
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
git config -f "$hub/node.conf" http.hosts hub.test
serve "$hub"
hub_address=$address

certify() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=hub.test -days 2 \
		-keyout "$SCRATCH/$1.key" -out "$SCRATCH/$1.crt" 2>>"$SCRATCH/openssl.log" || exit 1
}
pin() {
	printf 'sha256//%s' "$(openssl x509 -in "$SCRATCH/$1.crt" -pubkey -noout |
		openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64)"
}
certify first
certify second

# front NAME: the site file with that certificate; our own port, hub and folders
front() {
	[ -z "${front_pid-}" ] || stop "$front_pid"
	mkdir -p "$SCRATCH/nginx"
	chmod 755 "$SCRATCH" "$SCRATCH/nginx"
	sed -e "s#/etc/ssl/yizhan/hub\.\(crt\|key\)#$SCRATCH/$1.\1#" -e "s#listen 443#listen 127.0.0.1:$port#" \
		-e '/listen \[::\]/d' -e "s#server 127\.0\.0\.1:8700#server $hub_address#" -e 's#hub\.example\.org#hub.test#' \
		packaging/nginx/yizhan.conf >"$SCRATCH/nginx/site"
	{
		[ "$(id -u)" != 0 ] || echo 'user root;'
		echo "daemon off; worker_processes 1; pid $SCRATCH/nginx/pid; error_log $SCRATCH/nginx/error;"
		echo 'events { worker_connections 64; }'
		echo "http { access_log off; include $SCRATCH/nginx/site;"
		for kind in client_body proxy fastcgi uwsgi scgi; do
			echo "${kind}_temp_path $SCRATCH/nginx/$kind;"
		done
		echo '}'
	} >"$SCRATCH/nginx/conf"
	nginx -p "$SCRATCH/nginx" -c "$SCRATCH/nginx/conf" -e "$SCRATCH/nginx/error" 2>>"$SCRATCH/nginx/said" &
	front_pid=$!
	pids="$pids $front_pid"
	soon answers || { cat "$SCRATCH/nginx/said" "$SCRATCH/nginx/error"; exit 1; }
}
# through ARG... PATH: ask through the front
through() {
	curl -sk --resolve "hub.test:$port:127.0.0.1" "$@"
}
answers() {
	[ "$(through -o /dev/null -w '%{http_code}' "https://hub.test:$port/healthz")" = 200 ]
}
new() {
	"$YIZHAN" -C "$hub" enrol new --facility "$1" --auto | head -n 1
}

front first
url=https://127.0.0.1:$port
bare=$(new F1)
is "$bare" "${bare%%.*}" 'a code without a pin'
check 3 'no trusted TLS' -C "$node" enrol "$bare" "$url"
git config -f "$hub/node.conf" http.pin nonsense
check 1 'http.pin: "nonsense" is no pin; ' -C "$hub" enrol new --facility F1
git config -f "$hub/node.conf" http.pin "$(pin first)"
code=$(new F1)
is "$(printf %s "$code" | grep -cE '^([0-9A-Z]{4}-){6}[0-9A-Z]{4}\.[A-Za-z0-9_-]{43}$')" 1 "a code with the front's key"
check 0 '"code":"[0-9A-Z-]{34}\.[A-Za-z0-9_-]{43}","facility":"F1"' -C "$hub" enrol new --facility F1 --json
check 0 "█▀|▀█|▄█" -C "$hub" enrol new --facility F1 --qr

# another key than the code names: nothing is sent, the code is still good
other=${code%.*}.$(pin second | sed 's#sha256//##; s#=##' | tr '+/' '-_')
check 3 'not the pinned one' -C "$node" enrol "$other" "$url"
check 1 'not a whole TLS key; ' -C "$node" enrol "${code%?}" "$url"
is "$("$YIZHAN" -C "$hub" enrol list --json | grep -o "{\"code\":\"${code%%-*}\"[^}]*" | grep -c '"state":"open"')" 1 'the code is open'
check 0 'enrolled as a node of F1' -C "$node" enrol "$code" "$url"
is "$(git config -f "$node/node.conf" hub.pin)" "$(pin first)" 'the key that the node keeps'
sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', '小明')" >/dev/null
check 0 '"state":"in_sync"' -C "$node" sync --json
is "$(sql "$hub" 'SELECT name FROM child')" '[{"name":"小明"}]' 'the hub'
is "$(digest "$node")" "$(digest "$hub")" 'digests'
check 1 'http goes to this machine only' -C "$SCRATCH/two" enrol "$(new F2)" http://192.0.2.1:8700

# news of the hub reaches a running node through the front, and large bodies pass
serve "$node"
sql "$hub" "UPDATE child SET note = 'from the hub'" >/dev/null
told_node() {
	sql "$node" 'SELECT note FROM child' | grep -q 'from the hub'
}
soon told_node
is $? 0 'news of the hub'
stop "$last"
"$YIZHAN" -C "$node" sql "WITH n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000)
	INSERT INTO child(id, facility_id, name, note) SELECT randomblob(16), 'F1', 'c' || i, hex(randomblob(400)) FROM n" >/dev/null
check 0 '"state":"in_sync","sent":3000' -C "$node" sync --json

# the page behind it
through -D "$SCRATCH/head" -o "$SCRATCH/form" "https://hub.test:$port/fleet/signin"
token=$(sed -n 's/.*name="token" value="\([0-9a-f]*\)".*/\1/p' "$SCRATCH/form" | head -n 1)
is "$(grep -ci '^strict-transport-security' "$SCRATCH/head")" 1 'HSTS'
password=$("$YIZHAN" -C "$hub" admin new wang | head -n 1)
through -D "$SCRATCH/head" -o /dev/null -H "Origin: https://hub.test:$port" \
	-d "name=wang&password=$password&token=$token" "https://hub.test:$port/fleet/enter"
is "$(grep -ci '^set-cookie: __Host-yz_fleet=[0-9a-f]*; Path=/; Max-Age=28800; HttpOnly; SameSite=Strict; Secure' "$SCRATCH/head")" 1 'the cookie'
is "$(through -o /dev/null -w '%{http_code}' -H 'Host: evil.example' "https://hub.test:$port/fleet/signin")" 421 'another name'

# who tries too often is refused by the front, as the hub would say it
for _ in $(seq 1 30); do
	through -D "$SCRATCH/head" -o "$SCRATCH/said" --data-binary x "https://hub.test:$port/v1/enrol"
done
is "$(tr -d '\r' <"$SCRATCH/head" | grep -iE '^(HTTP|retry-after|ratelimit)' | sed 's/ $//' | tr '\n' ' ')" \
	'HTTP/1.1 429 Too Many Requests Retry-After: 6 RateLimit-Policy: "enter";q=21;w=126 RateLimit: "enter";r=0;t=6 ' 'too many tries'
is "$(python3 -c 'import json, sys; p = json.load(open(sys.argv[1])); print(sorted(p), p["status"])' "$SCRATCH/said")" \
	"['detail', 'status', 'title', 'type'] 429" 'a problem document'
check 1 'the hub says: too many of these came from this address; come again in 6 seconds' -C "$SCRATCH/two" enrol "$(new F2)" "$url"

# the front changes its key: no trust, nothing moves, work goes on; both pins bridge it
front second
sql "$node" "UPDATE child SET note = 'later' WHERE name = '小明'" >/dev/null
check 3 'not the pinned one' -C "$node" sync
is "$(state "$node")" waiting "the node's state"
git config -f "$node/node.conf" hub.pin "$(pin first);$(pin second)"
check 0 '"state":"in_sync"' -C "$node" sync --json
# without a pin the word that only the pin counts trusts nobody
git config -f "$node/node.conf" --unset hub.pin
check 3 'no trusted TLS' -C "$node" sync
finish
