#!/bin/sh
# attack_clock.sh - A44, F24: a node whose clock has stood 20 years ahead.  What it
# stamped then would win against everybody for as long.  The machine's clock can't
# be set here; that what the node seals next comes after what it has stamped so far
# does the same.  Nobody has to do anything, and nobody else's time moves.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
district

station=$SCRATCH/station
years=$((20 * 365 * 24 * 3600 * 1000))

check 0 . -C "$station" init --facility F1
code=$("$YIZHAN" -C "$hub" enrol new --facility F1 --auto --json | sed 's/.*"code":"\([^"]*\)".*/\1/')
"$YIZHAN" -C "$station" enrol "$code" "http://$hub_address" >/dev/null 2>&1

number() { # DIR SQL
	sql "$1" "$2" | tr -dc '0-9'
}

# Hours that the latest stamp in DIR is ahead.
ahead() {
	echo $((($(number "$1" "SELECT value / 65536 AS ms FROM yz_meta WHERE name = 'last_stamp'") / 1000 -
		$(date +%s)) / 3600))
}

jump() {
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE yz_meta SET value = value + ? * 65536 WHERE name = ?", (int(sys.argv[2]), "last_stamp"))
db.commit()' "$node/yizhan.db" $years
}

child() { # DIR NAME
	sql "$1" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', '$2')" >/dev/null
}

child "$node" before
check 0 '"state":"in_sync"' -C "$node" sync --json
check 0 '"state":"in_sync"' -C "$station" sync --json

# ------------------------------------------------------------------ the hub's answer is lost

jump
child "$node" first
sql "$node" "UPDATE child SET name = name || ' and after' WHERE name = 'before'" >/dev/null
rule reset cut.down=0
check 3 . -C "$node" sync
child "$node" second
is "$([ "$(ahead "$node")" -gt 100000 ] && echo far)" far 'the node stamps years ahead'
check 4 '"quarantined":1' -C "$hub" status --json
check 0 'clock: its stamps are more than a day ahead' -C "$hub" quarantine
check 0 '"state":"in_sync"' -C "$station" sync --json
is "$(number "$station" "SELECT count(*) AS n FROM child WHERE name = 'before'")" 1 'nobody hears of what is held'
is "$(number "$station" 'SELECT count(*) AS n FROM child')" 1 'nor of another child'
is "$(ahead "$hub")" 0 "the hub's time has not moved"

# ------------------------------------------------------------------ and the next one arrives

rule reset
check 0 '"state":"in_sync".*"rejected":\[\]' -C "$node" sync --json
check 0 '"state":"in_sync"' -C "$station" sync --json
for dir in "$hub" "$node" "$station"; do
	is "$(number "$dir" 'SELECT count(*) AS n FROM child')" 3 "the rows at $(basename "$dir")"
	is "$(number "$dir" "SELECT count(*) AS n FROM child WHERE name = 'before and after'")" 1 'the edit, too'
	is "$(digest "$dir")" "$(digest "$hub")" "the digest at $(basename "$dir")"
	is "$(ahead "$dir")" 0 "the time of $(basename "$dir")"
	is "$(state "$dir")" in_sync "the state of $(basename "$dir")"
done
check 0 '"life":null' -C "$node" status --json
check 0 '"ok":true' -C "$hub" verify --json
check 0 '"ok":true' -C "$node" verify --json

# Whoever corrects it afterwards stands.
sql "$station" "UPDATE child SET name = 'corrected' WHERE name = 'before and after'" >/dev/null
check 0 '"state":"in_sync"' -C "$station" sync --json
check 0 '"state":"in_sync"' -C "$node" sync --json
is "$(number "$node" "SELECT count(*) AS n FROM child WHERE name = 'corrected'")" 1 'a later correction stands'

# ------------------------------------------------------------------ the node never comes again

jump
child "$node" alone
rule reset cut.down=0
check 3 . -C "$node" sync
id=$(number "$hub" 'SELECT id FROM yz_quarantine')
check 0 . -C "$hub" quarantine retry "$id"
check 0 . -C "$station" sync # the running hub tries again before its next exchange
is "$(number "$hub" "SELECT count(*) AS n FROM child WHERE name = 'alone'")" 1 'a person has let it in'
check 0 '"quarantined":0' -C "$hub" status --json
finish
