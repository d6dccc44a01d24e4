#!/bin/sh
# net_lost.sh - the answer never arrives, or the question arrives twice, or again
# later: whatever the hub has taken, it has taken once.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
district

# everything WHERE: rows, the facility's records and remarks there, to be compared before and after.
# What the hub writes for all, facility_public, comes when it comes.
everything() {
	own="FROM yz_stream t JOIN yz_scope c ON c.id = t.scope WHERE c.name = 'f/F1'"
	sql "$1" "SELECT (SELECT count(*) FROM child) AS children, (SELECT sum(t.n) $own) AS records,
		(SELECT count(*) FROM yz_segment WHERE stream IN (SELECT t.id $own)) AS segments, (SELECT count(*) FROM yz_conflict) AS conflicts,
		(SELECT count(*) FROM yz_quarantine) AS quarantined"
	digest "$1"
}

add() {
	sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', '$1')" >/dev/null
}

count() {
	sql "$1" 'SELECT count(*) AS n FROM child' | tr -dc '0-9'
}

# ------------------------------------------------------------------ the reply is lost after the commit

add a
proven=$(cursor)
rule reset cut.down=0
check 3 'hub unreachable' -C "$node" sync
is "$(count "$hub")" 1 'the hub has committed'
is "$(cursor)" "$proven" 'the node has no proof of it'
is "$(state "$node")" waiting 'and says that it waits'
after=$(everything "$hub")
check 3 'hub unreachable' -C "$node" sync
check 3 'hub unreachable' -C "$node" sync
is "$(everything "$hub")" "$after" 'pushed thrice is pushed once'
rule reset
check 0 '"sent":1' -C "$node" sync --json
is "$(everything "$hub")" "$after" 'acknowledged without another effect'
settled 'after lost replies'

# ------------------------------------------------------------------ every connection is reset, then every other one

add b
rule reset drop=1
check 3 'hub unreachable' -C "$node" sync
is "$(count "$hub")" 1 'nothing came through'
rule reset drop=2
met=0
for _ in 1 2 3 4 5 6; do
	! "$YIZHAN" -C "$node" sync >/dev/null 2>&1 || met=$((met + 1))
done
is $met 3 'every other meeting goes well'
is "$(count "$hub")" 2 'and brings the row'
settled 'after resets'

# ------------------------------------------------------------------ everything is asked twice

add c
rule reset twice=1
check 0 '"sent":1' -C "$node" sync --json
settled 'after a request that came twice'
is "$(count "$hub")" 3 'its row is there once'

# ------------------------------------------------------------------ and again: at once, and to another process

# again: say to the hub what was said in $SCRATCH/kept.up; its answer's status.
again() {
	python3 - "$hub_address" "$SCRATCH/kept.up" <<-'PY'
		import socket, sys
		host, port = sys.argv[1].split(':')
		line = socket.create_connection((host, int(port)), 10)
		line.sendall(open(sys.argv[2], 'rb').read())
		line.settimeout(10)
		got = line.recv(65536)
		print(got.split()[1].decode())
	PY
}

add d
rule reset "save=$SCRATCH/kept"
check 0 '"sent":1' -C "$node" sync --json
after=$(everything "$hub") proven=$(cursor)
is "$(again)" 200 'a request that is repeated within its time is answered'
is "$(everything "$hub")" "$after" 'and does nothing'
sql "$node" "UPDATE child SET note = 'newer' WHERE name = 'd'" >/dev/null
settled 'newer'
after=$(everything "$hub")
is "$(again)" 200 'also when there is something newer'
is "$(everything "$hub")" "$after" 'which stays'
stop "$hub_pid"
serve "$hub" "$hub_address"
is "$(again)" 401 'another process knows nothing of its nonce'
is "$(everything "$hub")" "$after" 'and takes nothing'
sed 's/Content-Digest: sha-256=:./&x/' "$SCRATCH/kept.up" >"$SCRATCH/bent" && mv "$SCRATCH/bent" "$SCRATCH/kept.up"
is "$(again)" 401 'nor does a signature survive another digest'
settled 'after repeated requests'
is "$(count "$hub")/$(count "$node")" 4/4 'every row is there once'
finish
