#!/bin/sh
# attack_neighbours.sh - a node that was revoked, a neighbour that is curious, and
# text that would paint a terminal: A04, A28, A35, A39 against real processes.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
district
other=$SCRATCH/other
"$YIZHAN" -C "$other" init --facility F2 >/dev/null || exit 1
enrol "$other" F2 "http://$hub_address"

add() { # DIR FACILITY NAME
	sql "$1" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), '$2', '$3')" >/dev/null
}

# ------------------------------------------------------------------ A28: nothing of F2 comes to F1

canary=canary_5b1d0c
add "$other" F2 "$canary"
"$YIZHAN" -C "$other" sync >/dev/null
is "$(sql "$hub" "SELECT count(*) AS n FROM child WHERE name = '$canary'")" '[{"n":1}]' 'the canary is at the hub'
add "$node" F1 mine
rule reset "save=$SCRATCH/line-of-f1"
check 0 '"state":"in_sync"' -C "$node" sync --json
rule reset
is "$(sql "$node" 'SELECT name FROM child')" '[{"name":"mine"}]' 'F1 has its own'
is "$(sql "$node" "SELECT count(*) AS n FROM yz_scope WHERE name LIKE '%F2%'" | tr -dc '0-9')" 0 "F2's scope at F1"
is "$(cat "$node"/* "$SCRATCH"/line-of-f1.* 2>/dev/null | grep -ac "$canary\|f/F2")" 0 'no byte of F2 in F1, or on its line'
token=$("$YIZHAN" -C "$hub" token new --scope f/F1 --personal | head -n 1)
curl -s -H "Authorization: Bearer $token" "http://$hub_address/v1/changes" >"$SCRATCH/feed"
is "$(grep -c '"name":"mine"' "$SCRATCH/feed")" 1 "the feed of F1's token has its rows"
is "$(grep -c "$canary\|F2" "$SCRATCH/feed")" 0 'and none of F2'
is "$(curl -s -o "$SCRATCH/feed" -w '%{http_code}' -H "Authorization: Bearer $token" \
	"http://$hub_address/v1/changes?scope=f/F2")" 403 "F2 by F1's token"
is "$(grep -c "$canary" "$SCRATCH/feed")" 0 'and not a byte'

# ------------------------------------------------------------------ A39: no secrets, no paint

esc=$(printf '\033')
sql "$node" "UPDATE child SET name = 'x' || char(27) || '[2J' || char(10) || 'root: all is well' || char(8238)" >/dev/null
sql "$node" "CREATE TABLE \"t${esc}[31m\"(id BLOB NOT NULL PRIMARY KEY, facility_id TEXT, a TEXT)" >/dev/null
check 0 'is tracked' -C "$node" track "t${esc}[31m"
sql "$node" "INSERT INTO \"t${esc}[31m\" VALUES (x'01', 'F1', char(27) || ']0;title' || char(7))" >/dev/null 2>&1
"$YIZHAN" -C "$node" sync >/dev/null 2>&1
id=$(sql "$node" 'SELECT id FROM child LIMIT 1' | sed 's/.*"id":"\([0-9a-f]*\)".*/\1/')
# everything DIR [--json]
everything() {
	for words in log "history child $id" conflicts quarantine status verify schema nodes 'enrol list' 'archive log' \
		'history child nothing'; do
		# shellcheck disable=SC2086 # words
		"$YIZHAN" -C "$1" $words ${2-} 2>&1
	done
}
for dir in "$node" "$hub"; do
	everything "$dir"
	"$YIZHAN" -C "$dir" sql 'SELECT name, note FROM child'
done >"$SCRATCH/shown"
for dir in "$node" "$hub"; do
	everything "$dir" --json
done >"$SCRATCH/shown.json"
is "$(cat "$SCRATCH/shown" "$SCRATCH/shown.json" | grep -ac "$esc")" 0 'a control character on a terminal'
is "$(grep -ac '^root: all is well' "$SCRATCH/shown")" 0 'a line of its own'
is "$(grep -ac "$(printf '\342\200\256')" "$SCRATCH/shown")" 0 'text that turns round'
tr '\0' '\n' <"/proc/$hub_pid/cmdline" >"$SCRATCH/seen"
tr '\0' '\n' <"/proc/$hub_pid/environ" >>"$SCRATCH/seen"
cat "$hub.log" "$hub.out" "$SCRATCH/shown" "$SCRATCH/shown.json" >>"$SCRATCH/seen"
seed=$(grep -oE '^[0-9a-f]{64}' "$hub/key")
is "$(printf %s "$seed" | wc -c)" 64 'the hub has a key'
is "$(grep -ac "$seed\|$token\|$code" "$SCRATCH/seen")" 0 'key, token or code in log, arguments or environment'
is "$(cat "$hub"/yizhan.db* | grep -ac "$seed\|$token\|$code")" 0 'or in the database (A35)'
is "$(find "$hub" "$node" -perm /077 -type f ! -path '*/archive.git/*' | wc -l)" 0 'files that others may read'

# ------------------------------------------------------------------ A04: a revoked node

rest=$("$YIZHAN" -C "$hub" nodes --json | tr '{' '\n' | grep '"facility":"F1"' | sed 's/.*"node":"\([0-9a-f]*\)".*/\1/' | head -n 1)
sql "$node" "UPDATE child SET note = 'written before it was revoked'" >/dev/null
check 0 '' -C "$hub" nodes revoke "$rest"
at_hub=$(digest "$hub") proven=$(cursor)
check 1 'the hub refuses this node, which was revoked there; init a new directory and enrol that one with a new code$' -C "$node" sync
check 0 '"last_error":"the hub refuses this node, which was revoked there; init a new directory and enrol that one with a new code"' \
	-C "$node" status --json
check 0 ' F1 +revoked ' -C "$hub" enrol list
is "$(digest "$hub")" "$at_hub" 'the hub takes nothing more'
is "$(grep -c 'refused /v1/sync to 127.0.0.1: this node was revoked; init a new directory and enrol that one$' "$hub.log")" 2 \
	"the hub's log tells who came, and came again with its grant"
is "$(cursor)" "$proven" 'the node has no proof of more'
is "$(state "$node")" waiting 'what it wrote waits'
is "$(sql "$node" 'SELECT DISTINCT note FROM child')" '[{"note":"written before it was revoked"}]' 'and is kept'
check 0 '"state":"in_sync"' -C "$other" sync --json
check 0 '^in order' -C "$hub" verify --deep # its past is still proven

# what it sent all the same is neither merged nor lost: somebody decides
waits() { "$YIZHAN" -C "$hub" quarantine --json | sed -n 's/.*"id":\([0-9]*\),"scope":"f\/F1".*/\1/p'; }
held() { sql "$hub" 'SELECT count(*) AS n FROM yz_held' | tr -dc '0-9'; }
check 0 'revoked: it came after its node.s key was revoked; let it in with retry ID, or give it up' -C "$hub" quarantine
is "$(waits | wc -l)" 1 'what came late is listed once'
is "$(grep -c 'was revoked and still sends records: [0-9]* bytes are kept aside; see yizhan quarantine$' "$hub.log")" 1 \
	'and told of once'
note_at_hub() { sql "$hub" 'SELECT DISTINCT note FROM child WHERE facility_id = '"'F1'"; }
before=$(note_at_hub) first=$(waits)
sql "$node" "UPDATE child SET note = 'and after'" >/dev/null
check 1 'the hub refuses this node' -C "$node" sync
is "$(waits)" "$first" 'what follows is listed with it'
is "$(held)" 1 'and what was there is kept once'
check 0 '"state":"in_sync"' -C "$other" sync --json
is "$(note_at_hub)" "$before" 'and others do not hear of it'
check 0 '' -C "$hub" quarantine retry
check 0 '"state":"in_sync"' -C "$other" sync --json
is "$(note_at_hub)" "$before" 'whatever else is tried again, this is not'
check 0 'tries again before its next exchange' -C "$hub" quarantine retry "$first"
check 0 '"state":"in_sync"' -C "$other" sync --json
is "$(note_at_hub)" '[{"note":"and after"}]' 'what is let in counts'
check 0 'nothing is in quarantine' -C "$hub" quarantine
is "$(held)" 0 'nothing is held any more'

sql "$node" "UPDATE child SET note = 'given up'" >/dev/null
check 1 'the hub refuses this node' -C "$node" sync
is "$(held)" 1 'once more something is kept'
check 0 'dropped: what was kept aside is gone' -C "$hub" quarantine drop "$(waits)"
is "$(held)" 0 'what is given up is gone'
check 1 'the hub refuses this node' -C "$node" sync
is "$(held)" 0 'and does not come again'
check 0 'nothing is in quarantine' -C "$hub" quarantine
is "$(note_at_hub)" '[{"note":"and after"}]' 'it never counted'
is "$("$YIZHAN" -C "$hub" admin log --json | grep -oE '(let in|dropped) what [0-9a-f-]* wrote of f/F1 and sent after' | wc -l)" 2 \
	'who decided, and what, stays'
check 0 "revoked node $rest" -C "$hub" admin log
check 0 '^in order' -C "$hub" verify --deep
finish
