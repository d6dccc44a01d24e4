#!/bin/sh
# net_portal.sh - somebody else answers in the hub's place: a captive portal, a
# cache that repeats an old answer, a line that turns bits, another hub with
# our rows and its own key.  None of it counts as a meeting: nothing moves at
# the node, the person is told why, and nothing that waits is lost.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
district

# canned HEAD BODY: what the proxy answers to everything.
canned() {
	printf 'HTTP/1.1 %b\r\nContent-Length: %s\r\n\r\n%s' "$1" "${#2}" "$2" >"$SCRATCH/canned"
	rule reset "reply=$SCRATCH/canned"
}

# fails WHAT PATTERN: the meeting fails in these words, and nothing moves.
fails() {
	check 3 "$2" -C "$node" sync
	is "$(cursor)" "$proven" "$1: what the hub has proven"
	is "$(state "$node")" waiting "$1: the node's state"
	is "$(last_error | grep -cE "$2")" 1 "$1: the status says why: $(last_error)"
	is "$(sql "$node" 'SELECT name, note FROM child')" '[{"name":"安一","note":"waits"}]' "$1: the rows"
}

sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (x'00112233445566778899aabbccddeeff', 'F1', '安一')" >/dev/null
rule reset "save=$SCRATCH/old"
check 0 '"sent":1' -C "$node" sync --json
sql "$node" "UPDATE child SET note = 'waits'" >/dev/null
proven=$(cursor)
at_hub=$(digest "$hub")

page='<html><title>Welcome to FreeWifi</title></html>'
html='Content-Type: text/html; charset=utf-8'
canned "200 OK\r\n$html" "$page"
fails 'a page for everything' 'captive portal'
canned '302 Found\r\nLocation: http://127.0.0.1:1/login' ''
fails 'a redirect' 'captive portal'
canned "307 Temporary\r\nLocation: file:///etc/passwd\r\n$html" "$page"
fails 'a redirect to a file' 'captive portal'
canned "511 Network Authentication Required\r\n$html" "$page"
fails 'RFC 6585' 'captive portal'
canned '200 OK' 'success'
fails 'a body of no type' 'captive portal'
canned '204 No Content' ''
fails 'nothing' 'captive portal'
canned '200 OK\r\nContent-Type: application/octet-stream' 'not a message'
fails 'a body of our type' 'captive portal'
canned '200 OK\r\nContent-Encoding: gzip\r\nContent-Type: application/octet-stream' 'not a message'
fails 'a coding nobody asked for' 'captive portal'
canned '200 OK\r\nYz-Nonce: no nonce, but "words"' 'x'
fails 'a nonce that is none' 'not signed by our hub'
fails 'and nothing of it is kept' 'not signed by our hub'
canned "503 Busy\r\nRetry-After: 1\r\n$html" "$page"
fails 'a gateway' 'answered 503'
canned "403 Forbidden\r\n$html" "$page"
fails 'a proxy that forbids' 'answered 403'
canned "403 Forbidden\r\nYz-Nonce: no nonce\r\n$html" "$page"
fails 'and that has a nonce which is none' 'answered 403'
rule reset "reply=$SCRATCH/old.down"
fails 'an old answer of our hub again' 'not signed by our hub'
is "$(digest "$hub")" "$at_hub" 'the hub heard of none of it'

# A bit turned in TURNS places of a reply, from its first byte to its last.  In the length, say, it
# makes the node wait for bytes that never come, until a middlebox loses its patience.
turns=${TURNS:-10} turned=0 len=$(wc -c <"$SCRATCH/old.down")
while [ $turned -lt "$turns" ]; do
	at=$((turned * len / turns))
	turned=$((turned + 1))
	rule reset idle=500 "flip.down=$at"
	"$YIZHAN" -C "$node" sync >"$SCRATCH/said" 2>&1
	case $?/$(cursor) in
	0/*) # nothing that is signed: a letter in a header that nobody reads
		is "$(state "$node")" in_sync "a bit turned in byte $at"
		sql "$node" "UPDATE child SET note = note || '.'" >/dev/null
		proven=$(cursor)
		;;
	3/"$proven") passed=$((passed + 1)) ;;
	*) is "$(cat "$SCRATCH/said")" '' "a bit turned in byte $at" ;;
	esac
done
settled 'after turned bits'

# Another hub at the same address: our rows, even our grant, but another key.
sql "$node" "UPDATE child SET note = 'waits'" >/dev/null
proven=$(cursor)
stop "$hub_pid"
cp -r "$hub" "$SCRATCH/evil"
"$YIZHAN" -C "$SCRATCH/other" init --hub >/dev/null
cp "$SCRATCH/other/key" "$SCRATCH/evil/key"
serve "$SCRATCH/evil" "$hub_address"
fails 'another hub' 'not signed by our hub'
stop "$last"
serve "$hub" "$hub_address"
settled 'with our hub back'
echo "turned_bits=$turned bytes=$len"
finish
