#!/bin/sh
# share_three.sh - a child of one facility is enrolled at a second and then goes
# there for good: both write while the hub is away, what the first wrote before it
# heard of the transfer arrives, and afterwards it only reads.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
first=$SCRATCH/first second=$SCRATCH/second
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$first" init --facility A --name A >/dev/null &&
	"$YIZHAN" -C "$second" init --facility B --name B >/dev/null || exit 1
serve "$hub"
at=$address hub_pid=$last
enrol "$first" A "http://$at"
enrol "$second" B "http://$at"
serve "$first"
serve "$second"
second_at=$address
child=00000000000000000000000000000c01

# meet DIR...: each syncs, in this order
meet() {
	for dir in "$@"; do
		"$YIZHAN" -C "$dir" sync >/dev/null || echo "$dir could not sync"
	done
}

# rows DIR: all there is of the child
rows() {
	sql "$1" "SELECT hex(id), facility_id, name, note FROM child WHERE id = x'$child'"
	sql "$1" "SELECT facility_id, weight_g FROM growth_measurement WHERE child_id = x'$child' ORDER BY weight_g"
	sql "$1" "SELECT allergen_code, reaction FROM allergy WHERE child_id = x'$child'"
}

# level: the hub and both nodes count the same in each scope
level() {
	for dir in "$first" "$second"; do
		is "$(state "$dir")" in_sync "$dir: $("$YIZHAN" -C "$dir" status --json)"
	done
	check 0 '"ok":true' -C "$hub" verify --deep --json
}

# ------------------------------------------------------------------ enrolled twice

check 1 'the hub knows no child ' -C "$hub" share add $child B
sql "$first" "INSERT INTO child(id, facility_id, name) VALUES (x'$child', 'A', '小吴');
	INSERT INTO growth_measurement(facility_id, child_id, weight_g) VALUES ('A', x'$child', 9000);
	INSERT INTO allergy(child_id, allergen_code, facility_id, reaction) VALUES (x'$child', 7, 'A', 'rash')" >/dev/null
meet "$first"
check 1 'A is a facility|for the hub.s directory' -C "$first" share add $child B
check 2 'is no facility' -C "$hub" share add $child 'a b'
check 2 'share can.t "give"' -C "$hub" share give $child B
check 1 'f/B doesn.t see that child; ' -C "$hub" share end $child B
check 1 'nobody else sees that child; ' -C "$hub" share end $child A
check 0 'no child is shared' -C "$hub" share
check 0 '^\[\]$' -C "$hub" share list --json
for word in add move; do
	check 1 'no node of facility B2 is enrolled here; yizhan nodes lists them' -C "$hub" share $word $child B2
done
check 0 '^f/A is the only one that sees that child already$' -C "$hub" share move $child A
check 0 '^\[\]$' -C "$hub" share list --json
check 0 'f/B sees it from its next sync on' -C "$hub" share add $child B
shared=$("$YIZHAN" -C "$hub" share list --json)
check 0 '^f/B sees that child already$' -C "$hub" share add $child B
is "$("$YIZHAN" -C "$hub" share list --json)" "$shared" 'and nothing is said anew'
check 0 '"scope":"f/A","own":true,"at":null,"ended":null,"by":null.*"scope":"f/B","own":false,"at":".*"ended":null' \
	-C "$hub" share list --json
check 0 'f/A +its own.*f/B +sees it' -C "$hub" share
meet "$second"
is "$(rows "$second")" "$(rows "$first")" "the second facility has what there was"
level

# ------------------------------------------------------------------ both write, the hub is away

stop "$hub_pid"
sql "$first" "UPDATE child SET note = 'sleeps well' WHERE id = x'$child'" >/dev/null
sql "$second" "INSERT INTO growth_measurement(facility_id, child_id, weight_g) VALUES ('B', x'$child', 9300);
	UPDATE allergy SET reaction = 'rash, cough' WHERE child_id = x'$child'" >/dev/null
"$YIZHAN" -C "$first" sync >/dev/null 2>&1
is $? 3 "no hub, no sync"
serve "$hub" "$at"
hub_pid=$last
meet "$first" "$second" "$first"
is "$(rows "$second")" "$(rows "$first")" "each has what the other wrote"
is "$(rows "$first" | grep -c 'sleeps well\|9300\|cough')" 3 "and that is all of it"
is "$("$YIZHAN" -C "$first" conflicts --json)" '[]' "nobody was in another's way"
level

# ------------------------------------------------------------------ a transfer

old=$("$YIZHAN" -C "$hub" token new --scope f/A --write child --personal | head -n 1)
new=$("$YIZHAN" -C "$hub" token new --scope f/B --write child --personal | head -n 1)

# get TOKEN ADDRESS [CURL...]: what a program reads with it
get() {
	bearer=$1 path=$2
	shift 2
	curl -s --max-time 20 -H "Authorization: Bearer $bearer" "$@" "http://$at$path"
}

# post TOKEN KEY NOTE: what becomes of a line about the child
post() {
	printf '{"key":"%s","table":"child","op":"upsert","row":{"id":"%s","facility_id":"A","note":"%s"}}\n' \
		"$2" $child "$3" >"$SCRATCH/line"
	get "$1" /v1/records --data-binary "@$SCRATCH/line" | grep -o '"state":"[a-z]*"'
}

is "$(get "$old" '/v1/export?table=child' | wc -l)" 1 "the first's token reads the child"
is "$(get "$new" '/v1/export?table=child' | wc -l)" 0 "the second's doesn't, while it only sees it"
since=$(get "$old" '/v1/changes?limit=10000' | sed -n 's/.*"next":"\([0-9a-f]*\)".*/\1/p')
stop "$hub_pid"
sql "$first" "UPDATE child SET note = 'the last day' WHERE id = x'$child';
	INSERT INTO growth_measurement(facility_id, child_id, weight_g) VALUES ('A', x'$child', 9400)" >/dev/null
check 0 'from f/A to f/B' -C "$hub" share move $child B
serve "$hub" "$at"
hub_pid=$last
meet "$second" "$first" "$second"
is "$(rows "$second" | grep -c 'the last day\|9400')" 2 "unsynced work went up first"
is "$(rows "$second")" "$(rows "$first")" "the first keeps what there was"
level
is "$(get "$old" '/v1/export?table=child' | wc -l)" 0 "the first's token reads it no more"
is "$(get "$new" '/v1/export?table=child' | grep -c 'the last day')" 1 "the second's does"
get "$old" "/v1/changes?since=$since" >"$SCRATCH/old"
get "$new" "/v1/changes?since=$since" >"$SCRATCH/new"
is "$(grep '"table":"child"' "$SCRATCH/old" | tail -n 1 | grep -c '"op":"delete"')" 1 "the first's feed says that it is gone"
is "$(grep '"table":"child"' "$SCRATCH/new" | tail -n 1 | grep -c 'the last day')" 1 "the second's has it"
is "$(grep '"op":"upsert"' "$SCRATCH/new" | grep -c '"table":"growth_measurement"')" 2 "with what hangs on it"
is "$(post "$old" 1 'by the first')" '"state":"refused"' "the first's token writes it no more"
is "$(post "$new" 2 'by the platform')" '"state":"stored"' "the second's does"
meet "$second" "$first"
is "$(rows "$second" | grep -c 'by the platform')" 1 "and the second hears of it"
check 0 'sleeps well' -C "$first" history child $child
check 0 'sleeps well' -C "$hub" history child $child
level
kept=$(rows "$first")
sql "$second" "UPDATE child SET note = 'new friends' WHERE id = x'$child'" >/dev/null
meet "$second" "$first"
is "$(rows "$first")" "$kept" "and hears no more"
level
check 1 'somebody who has left: it can only be read' -C "$first" sql "UPDATE child SET note = 'too late' WHERE id = x'$child'"
check 1 'somebody who has left' -C "$first" sql "INSERT INTO allergy(child_id, allergen_code, facility_id) VALUES (x'$child', 'egg', 'A')"
meet "$first" "$second"
check 0 '"ok":true' -C "$first" verify --deep --json
is "$(rows "$first")" "$kept" "what it keeps is as it was"
is "$(rows "$second" | grep -c 'new friends')" 1 "nor is it heard"
check 0 'f/A +has left' -C "$hub" share

# ------------------------------------------------------------------ what is open when she goes

other=00000000000000000000000000000c02 sick=00000000000000000000000000000d02

# tap LINE: the second's door, as a tablet uses it
tap() {
	curl -s --max-time 20 -d "$1" "http://$second_at/api/v1/batch" | grep -o '"state":"[a-z]*"'
}

sql "$first" "INSERT INTO child(id, facility_id, name) VALUES (x'$other', 'A', '小安');
	INSERT INTO symptom_case(id, facility_id, child_id, onset_date, disease_code)
	VALUES (x'$sick', 'A', x'$other', 20260302, 'FLU')" >/dev/null
meet "$first"
check 0 'f/B sees it from its next sync on' -C "$hub" share add $other B
close="{\"do\":\"case_close\",\"key\":\"k1\",\"case\":\"$sick\",\"at\":$(date +%s)000}"
is "$(tap "$close")" '"state":"refused"' 'who has not heard of the share closes nothing'
meet "$second" "$first"
sql "$second" "UPDATE child SET note = 'at the second' WHERE id = x'$other'" >/dev/null
sql "$first" "UPDATE child SET note = 'at the first' WHERE id = x'$other'" >/dev/null
meet "$second" "$first" "$second" # the loser comes first, or only its writer would hear of it
for dir in "$first" "$second"; do
	check 4 '1 conflict needs a look' -C "$dir" status
done
id=$("$YIZHAN" -C "$first" conflicts --json | sed -n 's/.*"id":"\([0-9a-f]*\)".*/\1/p')
check 0 'from f/A to f/B' -C "$hub" share move $other B
meet "$second" "$first" "$second"
check 0 '"state":"in_sync".*"conflicts":0,' -C "$first" status --json
check 0 '"state":"left"' -C "$first" conflicts list --all --json
check 1 'about somebody who has left; it is decided where they are now' -C "$first" conflicts resolve "$id" --take shown
for dir in "$second" "$hub"; do
	check 0 "\"id\":\"$id\"" -C "$dir" conflicts --json
done
check 0 '' -C "$second" conflicts resolve "$id" --take other
is "$(tap "$close")" '"state":"stored"' 'her case is closed where she is'
meet "$second"
check 0 '^\[\]' -C "$hub" conflicts --json
is "$(sql "$hub" "SELECT closed FROM symptom_case WHERE id = x'$sick'")" '[{"closed":1}]' 'and at the hub'
level

# ------------------------------------------------------------------ a facility without a node

"$YIZHAN" -C "$hub" nodes revoke "$("$YIZHAN" -C "$first" status --json | sed 's/.*"node":"\([0-9a-f]*\)".*/\1/')" >/dev/null
check 1 'no node of facility A is enrolled' -C "$hub" share add $child A
finish
