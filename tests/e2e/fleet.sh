#!/bin/sh
# fleet.sh - what a hub says of its nodes: what it saw itself, what they told, and
# "unknown" where neither.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 --name 小星星 >/dev/null || exit 1
"$YIZHAN" -C "$SCRATCH/two" init --facility F2 >/dev/null || exit 1
check 0 '^\[\]$' -C "$hub" nodes --json
serve "$hub"
hub_address=$address
enrol "$node" F1 "http://$hub_address"
enrol "$SCRATCH/two" F2 "http://$hub_address"
id=$("$YIZHAN" -C "$node" status --json | sed 's/.*"node":"\([0-9a-f]*\)".*/\1/')

# behind DIR SQL: as no command of ours lets anybody
behind() {
	python3 - "$1/yizhan.db" "$2" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=20)
db.execute(sys.argv[2])
db.commit()
PY
}

# nothing is known of who never came
check 0 '"state":"never","causes":\[\].*"last_exchange":null,"backlog":null,"digest":"unknown".*"version":null' \
	-C "$hub" nodes show "$id" --json
check 0 'last exchange +never .*backlog, records +unknown .*digests +unknown .*room on its disk +unknown' \
	-C "$hub" nodes show "$(printf %.6s "$id")"

# what it says of itself arrives with the first exchange; the digests are proven by the next
sql "$node" "UPDATE facility SET lat_e6 = 30319000, lon_e6 = 120142000" >/dev/null
check 0 '' -C "$node" sync
sql "$hub" "UPDATE facility SET subdistrict_code = '330105001' WHERE facility_id = 'F1'" >/dev/null
check 0 '' -C "$node" sync
check 0 '"state":"in_sync"' -C "$node" sync --json
check 0 '"facility_name":"小星星","street":"330105001","lat_e6":30319000,"lon_e6":120142000,"state":"in_order"' \
	-C "$hub" nodes show "$id" --json
check 0 '"backlog":0,"digest":"equal","digest_at":"20.*"version":"[0-9.]+","format":[0-9]+,"waiting":0,"oldest_waiting":null,"conflicts":0,"quarantined":0,"clock_offset_ms":-?[0-9]+,"clock_unsure":false,"db_bytes":[0-9]+,"disk_free":[0-9]+,"disk_full":false,"differing_scopes":0,"hub_life":null\}$' \
	-C "$hub" nodes show "$id" --json

# filters
count() {
	"$YIZHAN" -C "$hub" nodes --json "$@" | grep -o '"node":"' | wc -l
}
is "$(count)" 2 'all'
is "$(count --state never)" 1 '--state never'
is "$(count --street 330105001)" 1 '--street'
is "$(count --version unknown)" 1 '--version unknown'
is "$(count --backlog 0)" 1 '--backlog 0'
is "$(count --backlog 1)" 0 '--backlog 1'
check 2 '--state is alarm, warning, never, in_order or revoked, not bad; usage: ' -C "$hub" nodes --state bad
check 2 'show takes no --state; usage: ' -C "$hub" nodes show "$id" --state alarm
check 2 'show needs one NODE; usage: ' -C "$hub" nodes show
check 1 'there is no node zz here; ' -C "$hub" nodes show zz
check 1 'there is no node  here; ' -C "$hub" nodes show ''

# silence: as if the last exchange had been then
silent() {
	behind "$hub" "UPDATE hub_seen SET met_ms = (strftime('%s') - $1 * 3600 - 60) * 1000"
}
silent 25
check 0 'F1 .* in_order +1d 1h' -C "$hub" nodes
silent 26
check 4 'F1 .* warning +1d 2h .* silent_26h$' -C "$hub" nodes --street 330105001
silent 72
check 4 'F1 .* alarm .* silent_72h$' -C "$hub" nodes --street 330105001
check 4 '"state":"alarm","causes":\["silent_72h"\]' -C "$hub" nodes show "$id" --json
check 0 'F2' -C "$hub" nodes --state never

# spoil: a line that forges what a node says of itself, or loses the reply, as $SCRATCH/mode says
spoil() {
	python3 - "$hub_address" "$SCRATCH/mode" >"$SCRATCH/spoiler" <<'PY' &
import http.client, http.server, sys
def mode():
    return open(sys.argv[2]).read().strip()
class Spoiler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_POST(self):
        body = self.rfile.read(int(self.headers['Content-Length']))
        headers = {k: v for k, v in self.headers.items()}
        headers['Host'] = sys.argv[1]
        if mode() == 'forge':
            headers['Yz-Report'] = headers['Yz-Report'].replace('conflicts=0', 'conflicts=9')
        up = http.client.HTTPConnection(sys.argv[1])
        up.request('POST', self.path, body, headers)
        reply = up.getresponse()
        data = reply.read()
        if reply.status == 200 and mode() == 'lose':
            self.close_connection = True
            return
        self.send_response(reply.status)
        for k, v in reply.getheaders():
            if k.lower() not in ('content-length', 'connection', 'date'):
                self.send_header(k, v)
        self.send_header('Content-Length', str(len(data)))
        self.end_headers()
        self.wfile.write(data)
    def log_message(self, *args): pass
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Spoiler)
print('127.0.0.1:%d' % server.server_port, flush=True)
server.serve_forever()
PY
	pids="$pids $!"
	soon lines "$SCRATCH/spoiler" 1 || exit 1
}
spoil

# a report that its node hasn't signed is as good as none
behind "$hub" "UPDATE hub_seen SET report = NULL, reported_ms = NULL"
echo forge >"$SCRATCH/mode"
behind "$node" "UPDATE yz_remote SET url = 'http://$(cat "$SCRATCH/spoiler")'"
"$YIZHAN" -C "$node" sync >/dev/null
check 0 '"reported":null,"version":null.*"conflicts":null' -C "$hub" nodes show "$id" --json
echo pass >"$SCRATCH/mode"
"$YIZHAN" -C "$node" sync >/dev/null
check 0 '"reported":"20.*"conflicts":0' -C "$hub" nodes show "$id" --json

# both have the same records and other rows: seen at the first request, before it is mended
behind "$node" "UPDATE yz_digest SET sum = randomblob(16) WHERE scope = (SELECT id FROM yz_scope WHERE name = 'f/F1')"
echo lose >"$SCRATCH/mode"
"$YIZHAN" -C "$node" sync >/dev/null
check 4 'F1 .* alarm .* digest_differs' -C "$hub" nodes
check 4 '"digest":"unequal"' -C "$hub" nodes show "$id" --json
check 4 '^1 node differs from this hub although both have the same records, yizhan nodes says which' -C "$hub" status
check 4 '"role":"hub","state":"attention".*"differing_nodes":1\}$' -C "$hub" status --json
check 4 'f/F1 differs from the hub although both have the same records' -C "$node" status
echo pass >"$SCRATCH/mode"
"$YIZHAN" -C "$node" sync >/dev/null
check 0 '"digest":"equal"' -C "$hub" nodes show "$id" --json
check 0 '^in order$' -C "$hub" status
check 0 '"state":"in_sync".*"differing_nodes":0\}$' -C "$hub" status --json
check 0 '"differing_nodes":null\}$' -C "$node" status --json

# one that differs (and is shut out below: then it can't be made equal any more, and isn't what the hub waits for)
behind "$hub" "UPDATE hub_seen SET digest = 2"
check 4 '"differing_nodes":1' -C "$hub" status --json

# a code of 12 digits is of its street
"$YIZHAN" -C "$hub" sql "UPDATE facility SET subdistrict_code = '330105001000' WHERE facility_id = 'F1'" >/dev/null
is "$(count --street 330105001)" 1 '--street of nine digits'
is "$(count --street 330105002)" 0 'of another street'

# whoever is named by the first digits is one node
check 1 'there is no node zz here; ' -C "$hub" nodes rekey zz
check 0 "^node $id opens nothing any more" -C "$hub" nodes revoke "$(printf %.6s "$id")"
check 0 "revoked node $id" -C "$hub" admin log
check 1 'this node was revoked; init a new directory' -C "$hub" nodes rekey "$id"
check 0 "\"node\":\"$id\",\"state\":\"revoked\"" -C "$hub" nodes revoke "$id" --json
check 0 'F1 .* revoked' -C "$hub" nodes --state revoked
check 0 '"state":"in_sync".*"differing_nodes":0' -C "$hub" status --json
finish
