#!/bin/sh
# attack_flood_long.sh - A32, F38: six hundred connections that say a byte now and
# then, bodies that drip, twenty thousand requests that mean nothing.  The hub
# goes on serving its nodes meanwhile, ends the slow ones by itself, and holds
# nothing of them afterwards.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
district

fds() {
	find "/proc/$hub_pid/fd" -mindepth 1 | wc -l
}
before=$(fds)

# The node's own last connection may still stand.
few_fds() {
	[ "$(fds)" -le $((before + 1)) ]
}

at_hub=$(digest "$hub")

cat >"$SCRATCH/flood.py" <<'PY'
import socket, sys, time

host, port = sys.argv[1].split(':')
kind = sys.argv[2]
HEAD = b'POST /v1/enrol HTTP/1.1\r\nHost: 127.0.0.1\r\n'


def dial():
    return socket.create_connection((host, int(port)), 20)


def slow(count, first):
    """Connections that say `first`, then a byte each, again and again, until the hub ends all."""
    lines = [dial() for _ in range(count)]
    for line in lines:
        line.sendall(first)
        line.settimeout(0.001)
    print('standing', flush=True)
    ended = 0
    while lines:
        left = []
        for line in lines:
            try:
                line.sendall(b'x')
                if line.recv(4096) == b'':
                    raise ConnectionError
                left.append(line)
            except TimeoutError:
                left.append(line)
            except OSError:
                ended += 1
                line.close()
        lines = left
        time.sleep(1)
    print('ended', ended, flush=True)


def many(count):
    """Requests that are answered at once, fifty connections in turns."""
    lines = [dial() for _ in range(50)]
    print('standing', flush=True)
    statuses = set()
    for i in range(count // len(lines)):
        for line in lines:
            line.sendall(b'GET /v1/watch?since=%d HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n' % i)
        for line in lines:
            statuses.add(line.recv(65536).split(b' ')[1].decode())
    print('ended', ','.join(sorted(statuses)), flush=True)


if kind == 'head':
    slow(600, HEAD)
elif kind == 'body':
    slow(100, HEAD + b'Content-Length: 10000\r\n\r\n')
else:
    many(20000)
PY

# flood KIND WANTED: meanwhile a node writes and meets the hub, again and again.
flood() {
	: >"$SCRATCH/$1"
	python3 "$SCRATCH/flood.py" "$hub_address" "$1" >"$SCRATCH/$1" 2>&1 &
	flooder=$!
	soon lines "$SCRATCH/$1" 1
	for i in 1 2 3; do
		sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', '$1$i')" >/dev/null
		check 0 '"state":"in_sync","sent":1' -C "$node" sync --json
	done
	wait $flooder
	is "$(tail -n 1 "$SCRATCH/$1")" "ended $2" "$1"
	soon few_fds
	is "$(few_fds && echo none)" none "$1: file descriptors left over: $before before, $(fds) now"
}
flood head 600
flood body 100
flood many 401
is "$([ "$(grep -c 'refused /v1/watch to 127.0.0.1: not signed' "$hub.log")" -le 100 ] && echo few)" few \
	"lines in the hub's log about twenty thousand requests"
settled 'after all of it'
is "$(sql "$hub" 'SELECT count(*) AS n FROM child' | tr -dc '0-9')" 9 'every row is at the hub'
is "$([ "$(digest "$hub")" != "$at_hub" ] && echo moved)" moved 'and its digest moved with them'
is "$(sql "$hub" 'SELECT count(*) AS n FROM hub_enrolment WHERE state <> 2' | tr -dc '0-9')" 0 'no enrolment by drips'
finish
