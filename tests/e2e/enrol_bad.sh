#!/bin/sh
# enrol_bad.sh - a hub's doors for nodes are asked for what is wrong: codes, signatures, nonces,
# grants and rotations, cut bodies, header lines twice.  Each is a problem document, and nothing at
# the hub has changed; what an enrolled node sent, sent again, changes nothing either.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
other=$SCRATCH/otherhub stranger=$SCRATCH/stranger
district
rule reset "save=$SCRATCH/sent"
sql "$node" "INSERT INTO child(id, facility_id, name) VALUES (randomblob(16), 'F1', 'mine')" >/dev/null
check 0 '"state":"in_sync"' -C "$node" sync --json
rule reset
"$YIZHAN" -C "$other" init --hub >/dev/null && "$YIZHAN" -C "$stranger" init --facility F1 >/dev/null || exit 1
"$YIZHAN" -C "$SCRATCH/theirs" init --facility F1 >/dev/null || exit 1
serve "$other"
theirs=$("$YIZHAN" -C "$other" enrol new --facility F1 --auto | head -n 1)
"$YIZHAN" -C "$SCRATCH/theirs" enrol "$theirs" "http://$address" >/dev/null || exit 1

grant() {
	sql "$1" 'SELECT lower(hex(grant_doc)) AS g FROM yz_remote' | sed 's/.*"g":"\([0-9a-f]*\)".*/\1/'
}
new() {
	"$YIZHAN" -C "$hub" enrol new --facility F1 --auto | head -n 1
}
open=$(new) expired=$(new)
"$YIZHAN" -C "$hub" enrol expire "${expired%%-*}" >/dev/null || exit 1
stands() {
	sql "$hub" "SELECT (SELECT json_group_array(name || state || iif(state = 0, tries, '') || ifnull(hex(node_key), '')) FROM hub_enrolment) AS e,
		(SELECT json_group_array(hex(node) || hex(node_key) || version || ifnull(revoked_ms, 0) || rekey) FROM hub_node) AS n,
		(SELECT count(*) FROM hub_grant) AS g, (SELECT count(*) FROM hub_key) AS k, (SELECT count(*) FROM hub_key_stream) AS ks,
		(SELECT json_group_array(m.n || hex(m.head)) FROM yz_stream m JOIN yz_site t ON t.id = m.site
			WHERE t.node IN (SELECT node FROM hub_node)) AS s, (SELECT count(*) FROM yz_held) AS h,
		(SELECT count(*) FROM yz_quarantine) AS q, (SELECT json_group_array(name) FROM child) AS c"
}
before=$(stands)
is "$(printf %s "$before" | grep -c 'mine')" 1 'the hub has something to lose'
tests/e2e/enrol_bad.py "$hub_address" "$(grep -oE '^[0-9a-f]{64}' "$stranger/key")" "$(grant "$node")" \
	"$(grant "$SCRATCH/theirs")" "$open" "$expired" "$code" "$(find "$SCRATCH" -name 'sent*' -exec grep -l 'POST /v1/sync' {} + | head -n 1)" \
	"$SCRATCH" >"$SCRATCH/asked" 2>&1
cat "$SCRATCH/asked"
sum=$(sed -nE 's/^([0-9]+) passed, ([0-9]+) failed$/\1 \2/p' "$SCRATCH/asked")
[ -n "$sum" ] || exit 1
passed=$((passed + ${sum% *})) failed=$((failed + ${sum#* }))
is "$(stands)" "$before" 'nothing at the hub has changed'
check 0 'enrolled as a node of F1' -C "$stranger" enrol "$open" "http://$hub_address"
check 0 '"state":"in_sync"' -C "$stranger" sync --json
check 0 '^in order' -C "$hub" verify --deep
finish
