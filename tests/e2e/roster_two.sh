#!/bin/sh
# roster_two.sh - one roster with the numbers of identity papers, imported at two
# nodes of a facility in turn: they know each other's children, whether the first
# import was before the enrolment or after it, and the key is nowhere but there.
# Whom both import before they have met has two rows, which are linked.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
one=$SCRATCH/one two=$SCRATCH/two other=$SCRATCH/other
roster=$SCRATCH/roster.csv

# exchange DIR...: each meets the hub, in that order.
exchange() {
	for dir in "$@"; do
		check 0 '"state":"in_sync"' -C "$dir" sync --json
	done
}

# meta DIR: the key that the hub has given it.
meta() {
	sql "$1" "SELECT hex(value) AS k FROM yz_meta WHERE name = 'facility.hub_id_key'" | grep -oE '[0-9A-F]{64}'
}

children() {
	for dir in "$hub" "$one" "$two"; do
		is "$(sql "$dir" "SELECT count(*) AS n FROM child WHERE facility_id = 'F1'" | tr -dc '0-9')" "$1" "children at $dir"
	done
}

"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$one" init --facility F1 --name 阳光托育 >/dev/null &&
	"$YIZHAN" -C "$two" init --facility F1 >/dev/null && "$YIZHAN" -C "$other" init --facility F2 >/dev/null || exit 1
{
	echo '姓名,出生日期,班级,证件号,监护人1,电话1'
	for n in 1 2 3 4 5 6; do
		echo "安$n,2024-03-0$n,托小一班,33010520240301000$n,妈妈$n,12000000$n"
	done
} >"$roster"

# before the enrolment, by a key of its own
check 0 '6 children' -C "$one" import roster "$roster"
check 0 '"rows":0' -C "$one" import roster "$roster" --json
is "$(meta "$one")" '' 'no key of the facility before the enrolment'
serve "$hub"
for dir in "$one" "$two"; do
	enrol "$dir" F1 "http://$address"
done
enrol "$other" F2 "http://$address"
exchange "$one" "$two"
children 6

# the first import after it brings the hashes over to the facility's key, at either node, once
check 0 '"added":0,"changed":6,' -C "$two" import roster "$roster" --json
exchange "$two" "$one"
for dir in "$one" "$two" "$one"; do
	check 0 '"added":0,"changed":0,"same":6,.*"rows":0' -C "$dir" import roster "$roster" --json
	exchange "$dir"
done
children 6

# known by the number alone, wherever she was imported
sed 's/安3,/安小三,/' "$roster" >"$SCRATCH/later.csv"
check 0 '"added":0,"changed":1,"same":5,' -C "$one" import roster "$SCRATCH/later.csv" --json
exchange "$one" "$two"
sed 's/安4,2024-03-04/安小四,2024-03-14/' "$SCRATCH/later.csv" >"$SCRATCH/last.csv"
check 0 '"added":0,"changed":1,"same":5,' -C "$two" import roster "$SCRATCH/last.csv" --json
exchange "$two" "$one"
children 6
for dir in "$hub" "$one" "$two"; do
	check 0 '"conflicts":0,' -C "$dir" status --json
done

# registered at both before they have met: she has two rows, and everybody knows that they are one person's
for dir in "$hub" "$one"; do
	check 0 'no child is known to have been registered twice' -C "$dir" aliases
	check 0 '^\[\]$' -C "$dir" aliases --json
done
{
	cat "$SCRATCH/last.csv"
	echo '安7,2024-03-07,托小一班,330105202403010007,妈妈7,120000007'
} >"$SCRATCH/seven.csv"
for dir in "$one" "$two"; do
	check 0 '"added":1,"changed":0,' -C "$dir" import roster "$SCRATCH/seven.csv" --json
done
for dir in "$one" "$two" "$one" "$two"; do # who finds them writes it after the meeting: it goes with the next
	"$YIZHAN" -C "$dir" sync >/dev/null
done
exchange "$one" "$two" "$one"
children 8
for dir in "$hub" "$one" "$two"; do
	is "$("$YIZHAN" -C "$dir" aliases --json | grep -o '"facility":"F1"' | grep -c .)" 1 "$dir: she was registered twice"
	check 0 'F1 .*安7 .*安7' -C "$dir" aliases
	check 0 '"conflicts":0,' -C "$dir" status --json
done

# the key: one for the facility, in its nodes' files and nowhere else
key=$(meta "$one")
is "$(printf %s "$key" | wc -c)" 64 'a key'
is "$(meta "$two")" "$key" 'the same key at both nodes'
is "$([ "$(meta "$other")" = "$key" ] && echo same)" '' 'another facility has another key'
is "$(meta "$hub")" '' 'the hub keeps none'
token=$("$YIZHAN" -C "$hub" token new --scope all --personal --json | sed 's/.*"token":"\([^"]*\)".*/\1/')
curl -s -H "Authorization: Bearer $token" "http://$address/v1/changes?limit=10000" >"$SCRATCH/feed"
is "$(grep -c '"table":"child"' "$SCRATCH/feed" | sed 's/^[1-9].*/some/')" some 'children in the feed'
is "$(grep -ci "$key" "$SCRATCH/feed")" 0 'the key in the feed'
stop "$last"
is "$(python3 - "$key" "$hub/yizhan.db" "$other/yizhan.db" "$one/yizhan.db" <<'PY'
import sys
key = bytes.fromhex(sys.argv[1])
print([key in open(name, 'rb').read() + open(name + '-wal', 'rb').read() if __import__('os').path.exists(name + '-wal')
       else key in open(name, 'rb').read() for name in sys.argv[2:]])
PY
)" '[False, False, True]' 'whose files hold the key'
finish
