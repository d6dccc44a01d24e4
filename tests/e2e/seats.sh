#!/bin/sh
# seats.sh - a hub, an office and a station that share the places of one day: each
# gives away its own while the line is down, nobody gives away another's; a folder
# that is put back holds none; what an administrator takes without asking is logged,
# and if it is used twice by that, everybody sees it.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
office=$SCRATCH/office station=$SCRATCH/station

"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$office" init --facility F1 --name F1 >/dev/null &&
	"$YIZHAN" -C "$station" init --facility F1 >/dev/null || exit 1
check 1 'F1 has no such node' -C "$hub" seats grant F1 drop-in --cap 5
serve "$hub"
hub_pid=$last hub_address=$address
proxy "$hub_address"
enrol "$office" F1 "http://$hub_address"
enrol "$station" F1 "$via"
check 1 'how many seats of drop-in facility F1 has is.*--cap N' -C "$hub" seats grant F1 drop-in
check 1 'never come yet' -C "$hub" seats grant F1 drop-in 1 --cap 10 --to "$("$YIZHAN" -C "$hub" nodes --json | grep -oE '"node":"[0-9a-f]{32}"' | head -n 1 | grep -oE '[0-9a-f]{32}')"
"$YIZHAN" -C "$office" sync >/dev/null && "$YIZHAN" -C "$station" sync >/dev/null || exit 1
office_id=$("$YIZHAN" -C "$office" status --json | sed 's/.*"node":"\([0-9a-f]*\)".*/\1/')
station_id=$("$YIZHAN" -C "$station" status --json | sed 's/.*"node":"\([0-9a-f]*\)".*/\1/')

# meet DIR...: whatever was written there and at the hub is known there and at the hub.
meet() {
	for dir in "$@"; do
		check 0 '"rejected":\[\]' -C "$dir" sync --json
		check 0 '"rejected":\[\]' -C "$dir" sync --json
	done
}

# book ADDRESS KEY STATE: what becomes of a booking of that day.
book() {
	said=$(curl -s --max-time 20 --data-binary "{\"do\":\"book\",\"key\":\"$2\",\"at\":\"2026-12-01T09:00:00+08:00\",\"resource\":\"drop-in\",\"period\":\"2026-12-01\",\"guardian_name\":\"张三\"}" "http://$1/api/v1/batch")
	is "$(echo "$said" | sed 's/.*"state":"\([a-z]*\)".*/\1/')" "$3" "booking $2: $said"
}

# seats DIR NODE WHAT: the number of that kind that the node holds, in whatever life.
seats() {
	"$YIZHAN" -C "$1" seats list --json | tr '{' '\n' | grep "\"node\":\"$2\"" |
		sed "s/.*\"$3\":\([0-9]*\).*/\1/" | awk '{ n += $1 } END { print n + 0 }'
}

number() {
	sql "$1" "SELECT ($2) AS n" | tr -dc '0-9'
}

day="--period 2026-12-01"

# ------------------------------------------------------------------ granted, and asked for

# shellcheck disable=SC2086 # an option and its value
{
	check 2 'grant needs FACILITY RESOURCE' -C "$hub" seats grant F1
	check 2 'usage: .* \| give-back RESOURCE \[N\]$' -C "$hub" seats grant F1
	check 2 '"code":"usage",.* \| give-back RESOURCE \[N\]"\}\}$' -C "$hub" seats grant F1 --json
	check 0 'no seats are given out' -C "$hub" seats list
	check 0 'nothing waited' -C "$hub" seats resume --override 'who knows'
	for wrong in 'list --cap' 'list --override' 'grant F1 drop-in 1 --from' 'grant F1 drop-in 1 --leave' \
		'grant F1 drop-in 1 --override' 'take-back F1 drop-in --cap' 'take-back F1 drop-in --to' \
		'resume --override x --period' 'resume --override x --leave' 'resume --override x --from' \
		'ask drop-in 1 --cap' 'ask drop-in 1 --to' 'give-back drop-in --leave' 'give-back drop-in --override'; do
		check 2 "takes no --$(echo "$wrong" | sed 's/.*--\([a-z]*\).*/\1/'); usage" -C "$hub" seats $wrong 1
	done
	check 2 'reason behind --override is empty' -C "$hub" seats take-back F1 drop-in --override ''
	check 2 'reason behind --override is empty' -C "$hub" seats resume --override ' '
	check 2 'it can.t --leave any' -C "$hub" seats take-back F1 drop-in --leave 1 --override why
	check 1 'has 2 such nodes' -C "$hub" seats grant F1 drop-in 3 --cap 10 $day
	check 0 '"granted":3' -C "$hub" seats grant F1 drop-in 3 --cap 10 $day --to "$office_id" --json
	check 1 'only 7 free' -C "$hub" seats grant F1 drop-in 8 $day --to "$station_id"
	check 1 'only grows' -C "$hub" seats grant F1 drop-in --cap 9 $day
	check 1 'no such node' -C "$hub" seats grant F9 drop-in 1 --cap 9
	check 1 'is for the hub' -C "$office" seats grant F1 drop-in 1
	check 1 'facility node' -C "$hub" seats ask drop-in 1
	check 1 'gives out no seats of nothing' -C "$station" seats ask nothing 1
	meet "$station" "$office"
	check 0 '2 seats of drop-in, 2026-12-01 are to be free' -C "$station" seats ask drop-in 2 $day
}
meet "$station"
is "$(seats "$station" "$station_id" free)" 2 'the station has got what it asked for'
is "$(seats "$office" "$office_id" free)" 3 'the office what it was granted'
check 0 'FREE.*this one' -C "$office" seats list F1
check 0 'FREE.*this one' -C "$office" seats list --period 2026-12-01
check 0 'no seats are given out' -C "$office" seats list F1 --period 2026-12-02
check 0 '^\[\]$' -C "$office" seats list --period 2026-12-02 --json

# what is the hub's to say can't be said at a facility
for said in "UPDATE seat_unit SET holder = (SELECT holder FROM seat_ask)" 'UPDATE seat_unit SET recall = NULL, resource = 1' \
	"INSERT INTO seat_override(facility_id) VALUES ('F1')" 'UPDATE seat_quota SET cap = 99' 'UPDATE seat_ask SET most = 9'; do
	check 1 'written by the hub only|only the hub writes' -C "$station" sql "$said"
done

# ------------------------------------------------------------------ the line is down

serve "$office"
office_pid=$last office_address=$address
serve "$station"
station_pid=$last station_address=$address
stop "$hub_pid"
for i in 1 2 3; do book "$office_address" "office/$i" stored; done
book "$office_address" office/4 refused
is "$(echo "$said" | grep -c 'no seats left here; ask the hub for more')" 1 'with the reason'
for i in 1 2; do book "$station_address" "station/$i" stored; done
book "$station_address" station/3 refused
serve "$hub" "$hub_address"
hub_pid=$last
meet "$office" "$station"
is "$(number "$hub" 'SELECT count(DISTINCT used_by) FROM seat_unit')" 5 'all of them are known'
is "$(number "$hub" 'SELECT count(*) FROM yz_conflict')" 0 'and none is in question'
is "$(seats "$hub" "$station_id" free)" 2 'the station has two at hand again'

# ------------------------------------------------------------------ the platform books what the hub holds

token=$("$YIZHAN" -C "$hub" token new --scope f/F1 --write booking --personal | head -n 1)
grant=$(sql "$hub" 'SELECT DISTINCT grant_id FROM seat_unit' | grep -oE '[0-9a-f]{32}')
# record KEY ID OP MEMBERS: a booking of the platform
record() {
	echo "{\"key\":\"app/$1\",\"table\":\"booking\",\"op\":\"$3\",\"row\":{\"id\":\"0000000000000000000000000000000$2\",\"facility_id\":\"F1\"$4}}"
}
platform() {
	curl -s --max-time 20 -H "Authorization: Bearer $token" --data-binary @- "http://$hub_address/v1/records" |
		grep -o '"state":"[a-z]*"' | tr -d '\n'
}
wish=",\"seat_grant_id\":\"$grant\",\"state\":2"
is "$(for i in 1 2 3 4; do record $i $i upsert "$wish"; done | platform)" \
	'"state":"stored""state":"stored""state":"stored""state":"refused"' 'the hub has three'
is "$(record 1/not 1 upsert ',"state":4' | platform)" '"state":"stored"' 'one is cancelled'
is "$(record 5 5 upsert "$wish" | platform)" '"state":"stored"' 'so another can be made'
is "$(record 5/not 5 delete '' | platform)" '"state":"stored"' 'and taken away'
is "$(seats "$hub" "$("$YIZHAN" -C "$hub" status --json | sed 's/.*"node":"\([0-9a-f]*\)".*/\1/')" free)" 1 'then it is free'

# ------------------------------------------------------------------ asked back, and given back

check 0 '"asked":1' -C "$hub" seats take-back F1 drop-in --period 2026-12-01 --from "$station_id" --leave 1 --json
meet "$station"
is "$(seats "$hub" "$station_id" free)" 1 'the station keeps what it was left'
check 0 '"returned":1' -C "$station" seats give-back drop-in --period 2026-12-01 --json
meet "$station"
is "$(seats "$hub" "$station_id" free)" 0 'it needs none'
check 0 '"granted":1' -C "$hub" seats grant F1 drop-in 1 --period 2026-12-01 --to "$station_id" --json
check 0 '"granted":1' -C "$hub" seats grant F1 drop-in 1 --period 2026-12-01 --to "$office_id" --json
meet "$station" "$office"

# ------------------------------------------------------------------ the office's folder is put back

stop "$office_pid"
cp -a "$office" "$SCRATCH/backup"
serve "$office" "$office_address"
office_pid=$last
book "$office_address" lost/1 stored # somebody was promised that place, and only this folder knows
stop "$office_pid"
rm -r "$office"
cp -a "$SCRATCH/backup" "$office"
serve "$office" "$office_address"
office_pid=$last
book "$office_address" after/1 refused
meet "$office"
book "$office_address" after/2 refused
check 0 'an earlier life of this one' -C "$office" seats list
check 0 '"granted":1' -C "$hub" seats grant F1 drop-in 1 --period 2026-12-01 --to "$office_id" --json
meet "$office"
book "$office_address" after/3 stored
meet "$office"

# ------------------------------------------------------------------ without asking

stop "$station_pid"
rule drop=1
serve "$station" "$station_address"
station_pid=$last
check 1 'is no holder' -C "$hub" seats take-back F1 drop-in --period 2026-12-01 --from 'x' --override why
check 0 '"taken":3' -C "$hub" seats take-back F1 drop-in --period 2026-12-01 --from "$station_id" --override 'the line is down' --json
check 0 '"granted":1' -C "$hub" seats grant F1 drop-in 1 --period 2026-12-01 --to "$office_id" --json
meet "$office"
book "$office_address" twice/1 stored
book "$station_address" twice/2 stored # it hasn't heard
meet "$office"
rule reset
meet "$station" "$office"
for dir in "$hub" "$office" "$station"; do
	name=$(basename "$dir")
	check 0 '"table":"seat_unit".*"column":"used_by"' -C "$dir" conflicts list --json
	is "$(state "$dir")" attention "$name: somebody has to look"
	is "$("$YIZHAN" -C "$dir" seats list --json | grep -o '"twice":1' | wc -l | tr -dc '0-9')" 1 "$name: which seat"
	is "$(number "$dir" "SELECT count(*) FROM seat_override WHERE reason = 'the line is down' AND by_name <> ''")" 3 \
		"$name: who took them, and why"
	is "$(digest "$dir")" "$(digest "$hub")" "$name: the digest"
done
book "$station_address" twice/3 refused
check 4 'ill +seats +1 seats have more than one booking; .*cancel all' -C "$station" doctor
lost=$(sql "$station" "SELECT b.id FROM booking b JOIN seat_unit u ON u.grant_id = b.seat_grant_id AND u.no = b.seat_no
	WHERE b.state = 2 AND u.used_by <> b.id AND u.no IN (SELECT seat_no FROM booking WHERE state = 2 GROUP BY seat_no
	HAVING count(*) > 1)" | grep -oE '[0-9a-f]{32}')
curl -s --data-binary "{\"do\":\"book_cancel\",\"key\":\"sorry\",\"at\":\"2026-12-01T10:00:00+08:00\",\"booking\":\"$lost\"}" \
	"http://$station_address/api/v1/batch" >/dev/null
meet "$station" "$office"
for dir in "$hub" "$office" "$station"; do
	check 0 'well +seats +none has two' -C "$dir" doctor
done

# ------------------------------------------------------------------ the hub's folder is put back

stop "$hub_pid"
cp -a "$hub" "$SCRATCH/hub.backup"
rm -r "$hub"
cp -a "$SCRATCH/hub.backup" "$hub"
serve "$hub" "$hub_address"
check 1 'was put back or copied.*resume' -C "$hub" seats grant F1 drop-in --cap 11 --period 2026-12-01
check 4 'ill +seats +this hub was put back .*seats resume' -C "$hub" doctor
check 2 'needs --override' -C "$hub" seats resume
meet "$office" "$station"
check 0 'gives out seats again' -C "$hub" seats resume --override 'everybody has come'
check 0 '"granted":1' -C "$hub" seats grant F1 drop-in 1 --cap 11 --period 2026-12-01 --to "$station_id" --json
meet "$station"
book "$station_address" last/1 stored
# somebody deletes a booking past the buttons: its seat is lost to everybody until doctor is heard
sql "$station" 'DELETE FROM booking WHERE id = (SELECT max(used_by) FROM seat_unit)' >/dev/null
check 4 'ill +seats +1 seats are marked as booked, by bookings that aren.t there: F1 drop-in 2026-12-01 no [0-9]+; ' \
	-C "$station" doctor
sql "$station" 'UPDATE seat_unit SET used_by = NULL WHERE used_by NOT IN (SELECT id FROM booking)' >/dev/null
check 0 'well +seats +none has two' -C "$station" doctor
kill "$station_pid"
finish
