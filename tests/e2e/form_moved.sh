#!/bin/sh
# form_moved.sh - a form that was opened before a merge and posted after it writes
# only what was changed in it; what somebody else wrote meanwhile is a conflict
# that a person decides, here and then everywhere.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 --name F1 >/dev/null || exit 1
serve "$hub"
enrol "$node" F1 "http://$address"
child=01010101010101010101010101010101
sql "$node" "INSERT INTO class_group(id, facility_id, name, kind) VALUES (x'c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1', 'F1', 'A', 1);
	INSERT INTO child(id, facility_id, name) VALUES (x'$child', 'F1', 'Child');
	INSERT INTO enrollment(id, facility_id, child_id, class_id, start_date, status)
	VALUES (x'11111111111111111111111111111111', 'F1', x'$child', x'c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1c1', 20200101, 3)" >/dev/null
serve "$node"
now=$(date +%s)000

# post KEY MEMBERS: a report of the child, as a tablet sends it; what became of it.
post() {
	curl -s --max-time 20 -d "{\"do\":\"report\",\"key\":\"$1\",\"child\":\"$child\",\"at\":$now,$2}" \
		"http://$address/api/v1/batch" | sed -n 's/.*"state":"\([a-z]*\)".*/\1/p'
}
report() {
	sql "$1" 'SELECT mood, note, activity FROM daily_report'
}

is "$(post first '"mood":2,"note":"was"')" stored 'a report'
check 0 '"state":"in_sync"' -C "$node" sync --json
# The form is open at a tablet here, and the hub writes.
sql "$hub" "UPDATE daily_report SET mood = 3, note = 'from the hub'" >/dev/null
# 1, or 2 when the hub's look at its public table fell in between
check 0 '"received":[12],' -C "$node" sync --json
is "$(post form '"mood":2,"note":"from the tablet","activity":"a walk","was":{"mood":2,"note":"was"}')" stored 'the form'
row='[{"mood":3,"note":"from the hub","activity":"a walk"}]'
is "$(report "$node")" "$row" 'only what was changed, and had not moved, is written'
check 4 '1 conflict needs a look' -C "$node" status
check 0 '"shown":"from the hub","other":"from the tablet"' -C "$node" conflicts --json
# The exchange changes nothing about it.
check 0 '"sent":1,' -C "$node" sync --json
is "$(report "$hub")" "$row" 'at the hub'
check 4 '1 conflict needs a look' -C "$node" status
# Decided, it is written everywhere.
id=$("$YIZHAN" -C "$node" conflicts --json | sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p')
check 0 '' -C "$node" conflicts resolve "$id" --take other
check 0 '"state":"in_sync"' -C "$node" sync --json
row='[{"mood":3,"note":"from the tablet","activity":"a walk"}]'
is "$(report "$node")" "$row" 'decided here'
is "$(report "$hub")" "$row" 'and at the hub'
check 0 'in sync' -C "$node" status
check 0 '^in order' -C "$node" verify --deep
finish
