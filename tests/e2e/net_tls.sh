#!/bin/sh
# net_tls.sh - F45, A18: the certificate at the hub's address is of a CA of its
# own, expires, changes its key.  Without trust nothing is sent, work goes on, and
# what waits is there when trust is back.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 >/dev/null || exit 1
serve "$hub"
hub_address=$address

# certify NAME DAYS [SUBJECT]: a key and a certificate for 127.0.0.1 by our CA.
certify() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=${3-hub}" \
		-keyout "$SCRATCH/$1.key" -out "$SCRATCH/$1.csr" 2>>"$SCRATCH/openssl.log" &&
		openssl x509 -req -in "$SCRATCH/$1.csr" -CA "$SCRATCH/ca.crt" -CAkey "$SCRATCH/ca.key" \
			-CAcreateserial -days "$2" -extfile "$SCRATCH/names" -out "$SCRATCH/$1.crt" \
			2>>"$SCRATCH/openssl.log" || exit 1
}
echo 'subjectAltName=IP:127.0.0.1' >"$SCRATCH/names"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=ca -days 3650 \
	-keyout "$SCRATCH/ca.key" -out "$SCRATCH/ca.crt" 2>>"$SCRATCH/openssl.log" || exit 1
certify first 2
certify second 2
certify old -1
: >"$SCRATCH/names"
certify painted 2 "$(printf 'a\033[2Jb')"

pin() {
	printf 'sha256//%s' "$(openssl x509 -in "$SCRATCH/$1.crt" -pubkey -noout |
		openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64)"
}

# front NAME: the TLS front with that certificate, always at the same port.
front() {
	[ -z "${front_pid-}" ] || stop "$front_pid"
	: >"$SCRATCH/front"
	tests/tls_front.py "$SCRATCH/$1.crt" "$SCRATCH/$1.key" "$hub_address" ${port:+"$port"} >"$SCRATCH/front" &
	front_pid=$!
	pids="$pids $front_pid"
	soon lines "$SCRATCH/front" 1 || exit 1
	port=$(sed 's/.*://' "$SCRATCH/front")
}

conf() {
	git config -f "$node/node.conf" "$1" "$2"
}

# refused WORDS WHAT: no trust, so nothing moves.
refused() {
	check 3 "$1" -C "$node" sync
	is "$(cursor)" "$proven" "$2: what the hub has proven"
	is "$(digest "$hub")" "$at_hub" "$2: the hub"
	sql "$node" "UPDATE child SET note = note || '.'" >/dev/null
	is "$(state "$node")" waiting "$2: the node's state"
}

front first
url=https://127.0.0.1:$port
code=$("$YIZHAN" -C "$hub" enrol new --facility F1 --auto --json | sed 's/.*"code":"\([^"]*\)".*/\1/')
check 3 'no trusted TLS' -C "$node" enrol "$code" "$url"
conf hub.ca "$SCRATCH/ca.crt"
check 0 'enrolled as a node of F1' -C "$node" enrol "$code" "$url"
check 0 '"state":"in_sync"' -C "$node" sync --json
sql "$node" "INSERT INTO child(id, facility_id, name, note) VALUES (randomblob(16), 'F1', 'a', '')" >/dev/null
proven=$(cursor) at_hub=$(digest "$hub")

front painted # A39: curl's words quote its name
refused 'no trusted TLS' 'a name that paints'
for words in sync status; do
	"$YIZHAN" -C "$node" $words 2>&1
done | grep -ac "$(printf '\033')" >"$SCRATCH/painted"
is "$(cat "$SCRATCH/painted")" 0 'escapes on the terminal'
front old
refused 'expired' 'an expired certificate'
front second
conf hub.pin "$(pin first)"
refused 'not the pinned one' 'another key, though certified'
front first
git config -f "$node/node.conf" --unset hub.ca
refused 'no trusted TLS' 'the pinned key without its CA'
conf hub.ca "$SCRATCH/ca.crt"
check 0 '"state":"in_sync","sent":5' -C "$node" sync --json

# A backup pin, put there before, bridges the change of keys.
conf hub.pin "$(pin first);$(pin second)"
front second
sql "$node" "UPDATE child SET note = 'by the backup pin'" >/dev/null
check 0 '"state":"in_sync"' -C "$node" sync --json
is "$(sql "$hub" 'SELECT note FROM child')" '[{"note":"by the backup pin"}]' 'the hub'
is "$(digest "$node")" "$(digest "$hub")" 'digests'
finish
