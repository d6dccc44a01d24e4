#!/bin/sh
# street.sh - what the facilities of a street are told of each other's cases: the
# neighbour hears, after an outage too, the next street doesn't; nobody is in it, by no
# byte; nobody but the hub writes it; a facility that moves hears of its new street.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
one=$SCRATCH/one two=$node three=$SCRATCH/three

# told DIR: the open notices that it has, "street/facility/disease cases confirmed".
told() {
	sql "$1" "SELECT coalesce(group_concat(n, ', '), '') AS n FROM (SELECT subdistrict_code || '/' || facility_id || '/' ||
		disease_code || ' ' || cases || ' ' || confirmed AS n FROM symptom_notice WHERE closed = 0 ORDER BY 1)" |
		sed 's/.*"n":"\([^"]*\)".*/\1/'
}

hears() {
	[ "$1" = "$hub" ] || "$YIZHAN" -C "$1" sync >/dev/null
	[ "$(told "$1")" = "$2" ]
}

# follow WHAT WANT DIR...: each has it soon.
follow() {
	what=$1 want=$2
	shift 2
	for dir in "$@"; do
		soon hears "$dir" "$want"
		is "$(told "$dir")" "$want" "$what, at ${dir##*/}"
	done
}

case_of() { # DIR FACILITY ID DISEASE [HOSPITAL]
	sql "$1" "INSERT INTO symptom_case(id, facility_id, child_id, disease_code, onset_date, hospital, note) VALUES
		(x'$3', '$2', x'c0ffee5eed$3', '$4', $today, '${5-}', '${5:+canary_note}')" >/dev/null
}

agree() {
	"$YIZHAN" -C "$1" sync >/dev/null && "$YIZHAN" -C "$1" status >/dev/null
}

# scope DIR NAME: it knows that scope by a row.
rows_of() {
	"$YIZHAN" -C "$1" status --json | grep -o "{\"scope\":\"$2\",[^}]*\"rows\":[0-9]*" | sed 's/.*"rows"://'
}

street() { # FACILITY CODE
	sql "$hub" "UPDATE facility SET subdistrict_code = '$2' WHERE facility_id = '$1'" >/dev/null
}

today=$(TZ=Asia/Shanghai date +%Y%m%d)
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$one" init --facility F1 --name One >/dev/null &&
	"$YIZHAN" -C "$two" init --facility F2 --name Two >/dev/null &&
	"$YIZHAN" -C "$three" init --facility F3 --name Three >/dev/null || exit 1
serve "$hub"
hub_address=$address
proxy "$hub_address"
# the first says its street at its enrolment; the district writes the others'
code=$("$YIZHAN" -C "$hub" enrol new --facility F1 --street 330105 --auto --json | sed 's/.*"code":"\([^"]*\)".*/\1/')
"$YIZHAN" -C "$one" enrol "$code" "http://$hub_address" >/dev/null || exit 1
enrol "$two" F2 "$via"
enrol "$three" F3 "http://$hub_address"
for dir in "$one" "$two" "$three"; do
	agree "$dir"
done
street F2 330105
street F3 330106
named() { sql "$hub" "SELECT subdistrict_code FROM facility WHERE facility_id = 'F1'" | grep -q 330105; }
soon named
is $? 0 "the street of the enrolment is in the facility's row"

# ------------------------------------------------------------------ the neighbour hears

sql "$one" "INSERT INTO child(id, facility_id, name, birth_date) VALUES (x'c0ffee5eed01', 'F1', 'canary_name', 20240704)" >/dev/null
case_of "$one" F1 01 HFMD canary_hospital
"$YIZHAN" -C "$one" sync >/dev/null
follow 'a case at F1' '330105/F1/HFMD 1 1' "$hub" "$two" "$one"
case_of "$one" F1 02 HFMD canary_hospital
case_of "$one" F1 03 HFMD
case_of "$three" F3 04 FLU
"$YIZHAN" -C "$one" sync >/dev/null && "$YIZHAN" -C "$three" sync >/dev/null
follow 'three cases, and one in another street' '330105/F1/HFMD 3 1, 330106/F3/FLU 1 1' "$hub"
follow 'their own street' '330105/F1/HFMD 3 1' "$two" "$one"
follow 'their own street' '330106/F3/FLU 1 1' "$three"
is "$(rows_of "$three" s/330105)$(rows_of "$two" s/330106)$(rows_of "$one" s/330106)" '' 'no scope of the other street'
is "$(cat "$three"/* 2>/dev/null | grep -ac "330105.*HFMD")" 0 'no byte of it either'

# ------------------------------------------------------------------ nobody is in it

for word in canary_name canary_hospital canary_note; do
	is "$(cat "$one"/yizhan.db* | grep -ac $word | grep -vc '^0$')" 1 "$word is at F1"
	is "$(cat "$two"/* "$three"/* 2>/dev/null | grep -ac $word)" 0 "$word at the neighbours"
done
is "$(sql "$hub" "SELECT count(*) AS n FROM child WHERE name = 'canary_name'")" '[{"n":1}]' 'the hub knows her name'
is "$(od -An -v -tx1 "$two/yizhan.db" "$two/yizhan.db-wal" 2>/dev/null | tr -d ' \n' | grep -c c0ffee5eed)" 0 'nor her id'

# ------------------------------------------------------------------ the page says it, to that street

serve "$two" 127.0.0.1:0
page_pid=$last page=$address
curl -s "http://$page/?lang=en" >"$SCRATCH/page"
is "$(grep -c '<li>One: <strong>hand, foot and mouth disease</strong> since [0-9-]*, three or four children (suspected)</li>' \
	"$SCRATCH/page")" 1 'the page says it'
curl -s "http://$page/?lang=zh" >"$SCRATCH/page"
is "$(grep -c '<li>One：<strong>手足口病</strong> .*3 至 4 例（疑似）</li>' "$SCRATCH/page")" 1 'in Chinese, too'

# ------------------------------------------------------------------ after an outage

rule drop=1
case_of "$one" F1 05 NORO
"$YIZHAN" -C "$one" sync >/dev/null
follow 'at the hub' '330105/F1/HFMD 3 1, 330105/F1/NORO 1 1, 330106/F3/FLU 1 1' "$hub"
is "$(told "$two")" '330105/F1/HFMD 3 1' 'the line is cut'
rule reset
follow 'the line is back' '330105/F1/HFMD 3 1, 330105/F1/NORO 1 1' "$two"
stop "$page_pid"

# ------------------------------------------------------------------ closed, deleted, open again

sql "$one" "UPDATE symptom_case SET closed = 1 WHERE id = x'05'; DELETE FROM symptom_case WHERE id = x'03'" >/dev/null
follow 'one is over, one was struck out' '330105/F1/HFMD 1 1' "$one" "$two"

# ------------------------------------------------------------------ tokens

token=$("$YIZHAN" -C "$hub" token new --scope f/F2 --personal | head -n 1)
feed() { curl -s -H "Authorization: Bearer $token" "http://$hub_address/v1/changes$1"; }
is "$(feed '' | grep -c '"table":"facility"' | grep -vc '^0$')" 1 'F2 has a feed'
is "$(feed '' | grep -c symptom_notice)" 0 'a token of a facility is not told'
is "$(feed '?scope=s/330105' | grep -c HFMD)" 0 'nor if it asks'
token=$("$YIZHAN" -C "$hub" token new --scope all | head -n 1)
is "$(feed '?scope=s/330105' | grep -c '"table":"symptom_notice".*"facility_id":"F1"' | grep -vc '^0$')" 1 'one of all is'
is "$(feed '' | grep symptom_notice | grep -c 'canary\|c0ffee')" 0 'and nobody is in it'

# ------------------------------------------------------------------ nobody but the hub writes it

check 1 'written by the hub only' -C "$two" sql "UPDATE symptom_notice SET cases = 5"
check 1 'rows that only the hub writes' -C "$two" sql \
	"INSERT INTO symptom_notice(subdistrict_code, facility_id, disease_code, onset_date, cases) VALUES ('330105', 'F1', 'MEA', $today, 5)"
python3 - "$two/yizhan.db" "$today" <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("DROP TRIGGER yz_symptom_notice_bi")
db.execute("INSERT INTO symptom_notice(subdistrict_code, facility_id, disease_code, onset_date, cases, confirmed)"
           " VALUES ('330105', 'F1', 'MEA', ?, 5, 3)", (sys.argv[2],))
END
"$YIZHAN" -C "$two" sync >/dev/null 2>&1
"$YIZHAN" -C "$one" sync >/dev/null
is "$(sql "$hub" "SELECT count(*) AS n FROM symptom_notice WHERE disease_code = 'MEA'")" '[{"n":0}]' 'the hub has none of it'
is "$(told "$one")" '330105/F1/HFMD 1 1' 'and F1 neither'
is "$("$YIZHAN" -C "$two" quarantine --json | grep -c 's/330105')" 1 'the forger is told'

# ------------------------------------------------------------------ a facility moves

case_of "$three" F3 06 VAR
"$YIZHAN" -C "$three" sync >/dev/null
follow 'a second case there' '330106/F3/FLU 1 1, 330106/F3/VAR 1 1' "$three"
street F3 330105
moved='330105/F1/HFMD 1 1, 330105/F3/FLU 1 1, 330105/F3/VAR 1 1'
follow 'what is open goes along' "$moved" "$hub" "$one"
in_new() { "$YIZHAN" -C "$three" sync >/dev/null; [ "$(rows_of "$three" s/330105)" -ge 3 ] 2>/dev/null; }
soon in_new
is $? 0 'who moved hears of the new street'
serve "$three" 127.0.0.1:0
curl -s "http://$address/?lang=en" >"$SCRATCH/page"
is "$(grep -c '<li>One: ' "$SCRATCH/page")" 1 'and its page says so'
stop "$last"

# ------------------------------------------------------------------ all the same

for dir in "$hub" "$one" "$three"; do
	check 0 '^\[\]$' -C "$dir" conflicts list --json
	check 0 '"ok":true' -C "$dir" verify --json
done
for dir in "$one" "$three"; do
	soon agree "$dir"
	check 0 '"state":"in_sync"' -C "$dir" status --json
done
same() { # of the street's digest, two of them
	"$YIZHAN" -C "$1" status --json | grep -o '{"scope":"s/330105","digest":"[0-9a-f]*"'
}
is "$(same "$one")" "$(same "$hub")" 'digests of the street, at F1'
is "$(same "$three")" "$(same "$hub")" 'digests of the street, at F3'
finish
