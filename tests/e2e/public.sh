#!/bin/sh
# public.sh - what everybody may know of a facility: the hub keeps it, whoever has
# written what it says, and each node has it of all; nothing is written while
# nothing changes; a hub that was put back goes on with it.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
one=$SCRATCH/one two=$SCRATCH/two

# public DIR: what it knows of F1.
public() {
	sql "$1" "SELECT name || '/' || coalesce(intro, '') || '/' || coalesce(is_inclusive, 0) AS p
		FROM facility_public WHERE facility_id = 'F1'" | sed -n 's/.*"p":"\([^"]*\)".*/\1/p'
}

# knows DIR WANT: it syncs, and then knows that of F1.
knows() {
	"$YIZHAN" -C "$1" sync >/dev/null && [ "$(public "$1")" = "$2" ]
}

# follow WHAT WANT DIR...: each of them knows it soon.
follow() {
	what=$1 want=$2
	shift 2
	for dir in "$@"; do
		soon knows "$dir" "$want"
		is "$(public "$dir")" "$want" "$what, at ${dir##*/}"
	done
}

right() {
	[ "$(public "$hub")" = One/garden/1 ]
}

writes() {
	"$YIZHAN" -C "$hub" log --limit 10000 --json | grep -o '"table":"facility_public"' | wc -l
}

agree() {
	"$YIZHAN" -C "$1" sync >/dev/null && "$YIZHAN" -C "$1" status >/dev/null
}

"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$one" init --facility F1 --name One >/dev/null &&
	"$YIZHAN" -C "$two" init --facility F2 >/dev/null || exit 1
serve "$hub"
hub_pid=$last hub_address=$address
enrol "$one" F1 "http://$hub_address"
enrol "$two" F2 "http://$hub_address"

# ------------------------------------------------------------------ it comes, it follows

agree "$one"
follow "F1 has told its name" One//0 "$two" "$one"
is "$(sql "$two" 'SELECT count(*) AS n FROM facility_public' | tr -dc 0-9)" 1 'F2 has told nothing of itself'
sql "$one" "UPDATE facility SET intro = 'garden' WHERE facility_id = 'F1'" >/dev/null
follow 'a word of its own' One/garden/0 "$one" "$two"
sql "$hub" "UPDATE facility SET is_inclusive = 1 WHERE facility_id = 'F1'" >/dev/null
follow 'a word of the district' One/garden/1 "$two"
sql "$hub" "UPDATE facility_public SET name = 'by hand' WHERE facility_id = 'F1'" >/dev/null
soon right
is "$(public "$hub")" One/garden/1 'a word by hand is put right'
follow 'and so it is everywhere' One/garden/1 "$two"
check 1 'written by the hub only' -C "$two" sql "UPDATE facility_public SET name = 'mine'"

# ------------------------------------------------------------------ it rests

before=$(writes)
sql "$one" "UPDATE facility SET timezone = 'Asia/Urumqi' WHERE facility_id = 'F1'" >/dev/null
agree "$one"
sleep 2.5 # it looks each second
is "$(writes)" "$before" 'nothing is written while nothing public changes'
is "$([ "$before" -ge 2 ] && [ "$before" -le 8 ] && echo few)" few "writes of the hub: $before"

# ------------------------------------------------------------------ the hub is put back

stop "$hub_pid"
cp -R "$hub" "$SCRATCH/kept"
serve "$hub" "$hub_address"
hub_pid=$last
sql "$one" "UPDATE facility SET name = 'Uno' WHERE facility_id = 'F1'" >/dev/null
follow 'a new name' Uno/garden/1 "$one" "$two"
stop "$hub_pid"
rm -rf "$hub"
mv "$SCRATCH/kept" "$hub"
serve "$hub" "$hub_address"
hub_pid=$last
soon agree "$two"
soon agree "$one"
follow 'after the hub was put back' Uno/garden/1 "$two" "$one"
sql "$one" "UPDATE facility SET name = 'Eins' WHERE facility_id = 'F1'" >/dev/null
follow 'and it goes on' Eins/garden/1 "$one" "$two"
for dir in "$hub" "$one" "$two"; do
	check 0 '^\[\]$' -C "$dir" conflicts list --json
	check 0 '"ok":true' -C "$dir" verify --json
done
soon agree "$one" && soon agree "$two"
check 0 '"state":"in_sync"' -C "$one" status --json
check 0 '"state":"in_sync"' -C "$two" status --json
finish
