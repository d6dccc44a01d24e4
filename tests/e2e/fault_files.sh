#!/bin/sh
# fault_files.sh - F20: a hub that may open 64 files, and strangers who hold all sixteen
# connections that it gives out then.  It keeps files for itself: its database, its archive
# and a line that stands go on.  Who comes waits, and is served once they have gone.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
command -v prlimit >/dev/null || { echo 'there is no prlimit here'; exit 77; }
within='prlimit --nofile=64:64'
district

fds() {
	find "/proc/$hub_pid/fd" -mindepth 1 | wc -l
}
before=$(fds)

cat >"$SCRATCH/crowd.py" <<'PY'
"""Ask once, hold fifteen connections more, which are all that the hub gives that have said half a request, ask again on the first."""
import http.client, socket, sys

host, port = sys.argv[1].split(':')
first = http.client.HTTPConnection(host, int(port), timeout=20)


def ask():
    first.request('GET', '/healthz')
    answer = first.getresponse()
    answer.read()
    return answer.status


print('before', ask(), flush=True)
lines = [socket.create_connection((host, int(port)), 20) for _ in range(15)]
for line in lines:
    line.sendall(b'GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n')
print('meanwhile', ask(), flush=True)
sys.stdin.readline()
PY
mkfifo "$SCRATCH/go"
: >"$SCRATCH/crowd"
python3 "$SCRATCH/crowd.py" "$hub_address" <"$SCRATCH/go" >"$SCRATCH/crowd" 2>&1 &
pids="$pids $!"
exec 4>"$SCRATCH/go"
soon lines "$SCRATCH/crowd" 2
is "$(tr '\n' ' ' <"$SCRATCH/crowd")" 'before 200 meanwhile 200 ' 'a line that stood is answered among the crowd'
is "$([ "$(fds)" -gt "$before" ] && [ "$(fds)" -le 48 ] && echo some)" some "files left: $(fds) of 64 are open"
check 0 'archive' -C "$hub" archive now

sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', 'one')" >/dev/null
"$YIZHAN" -C "$node" sync --json >"$SCRATCH/met" 2>&1 &
meeting=$!
soon lines "$SCRATCH/crowd" 2
echo go >&4
wait $meeting
is $? 0 'who had to wait is served when the strangers have gone'
is "$(grep -o '"state":"in_sync","sent":1' "$SCRATCH/met")" '"state":"in_sync","sent":1' "$(cat "$SCRATCH/met")"
few() {
	[ "$(fds)" -le $((before + 1)) ]
}
soon few
is "$(few && echo few)" few "files that stay open: $before before, $(fds) now"
kill -0 "$hub_pid"
is $? 0 'the hub is the one that was started'
settled 'when they have gone'
finish
