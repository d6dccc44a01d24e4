#!/bin/sh
# cli_doctor.sh - what yizhan doctor finds, and what it puts right.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc

# stranger SQL: as another program writes, through the system's SQLite.
stranger() {
	python3 -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("PRAGMA wal_autocheckpoint = 0")
db.executescript(sys.argv[2])' "$node/yizhan.db" "$1"
}

# finding CHECK: its states, on one line.
finding() {
	"$YIZHAN" -C "$node" doctor --json | tr '{' '\n' | sed -n "s/^\"check\":\"$1\",\"state\":\"\([a-z]*\)\".*/\1/p" | tr '\n' ' '
}

"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 --name F1 >/dev/null || exit 1
"$YIZHAN" -C "$node" sql "INSERT INTO child(id, facility_id, name) VALUES
	(x'0101010101010101010101010101aaaa', 'F1', '安一'), (x'0202020202020202020202020202bbbb', 'F1', '白二')"

# one that is well, but for what the machine it runs on has
check 0 'well +files .*well +disk .*well +database .*well +capture .*well +rows .*well +clock .*hint +hub +this node is enrolled at none' \
	-C "$node" doctor
check 0 '^\[\{"check":"files","state":"well","what":"[^"]*","do":""\},' -C "$node" doctor --json
check 0 'well +files .*well +database .*well +capture ' -C "$hub" doctor
check 1 'is no yizhan directory; give the right one with -C' -C "$SCRATCH/nowhere" doctor
check 2 'there is no option --mend; usage: ' -C "$node" doctor --mend

# open to others: told, left alone, mended
chmod 3755 "$node" # as for a group of writers, but for the last digit
chmod 644 "$node/key"
check 4 'ill +files +[^;]*node is open to others: mode 755; chmod o-rwx .*ill +files +[^;]*key is open to others: mode 644; chmod 600 ' \
	-C "$node" doctor
is "$(stat -c %a "$node/key")" 644 'doctor without --fix changes nothing'
check 0 'mended +files .*mended +files .*well +files ' -C "$node" doctor --fix
is "$(stat -c %a "$node/key") $(stat -c %a "$node")" '600 3750' 'the modes after --fix: the bits for a group stay'

# a time zone that is none: told, and nothing stops for it
"$YIZHAN" -C "$node" sql "UPDATE facility SET timezone = 'Nowhere/Bad'" >/dev/null
check 4 'ill +time zone +"Nowhere/Bad" is none that is known here: .*; write it as Asia/Shanghai or \+08:00' -C "$node" doctor
serve "$node"
curl -s -H 'Accept-Language: en' "http://$address/" >"$SCRATCH/page"
is "$(grep -c 'Nowhere/Bad.* is no known time zone' "$SCRATCH/page")" 1 'the page is there and says so'
stop "$last"
"$YIZHAN" -C "$node" sql "UPDATE facility SET timezone = '+08:00'" >/dev/null
is "$(finding 'time zone')" '' 'one that is known'

# so is what else holds records or settings
"$YIZHAN" -C "$node" archive now >/dev/null
chmod 664 "$node/yizhan.db" "$node/node.conf" "$node/anchor"
chmod 755 "$node/archive.git"
check 4 'node/yizhan.db is open to others: mode 664; chmod 660 .*node.conf is open to others: mode 664; chmod 644 .*anchor is .*664; chmod 644 .*archive.git is .*755; chmod o-rwx ' \
	-C "$node" doctor
check 0 '(mended +files .*){4}well +files ' -C "$node" doctor --fix
is "$(cd "$node" && stat -c %a yizhan.db node.conf anchor archive.git | tr '\n' ' ')" '660 644 644 750 ' 'the modes after --fix'

# a key that can't be one
cp "$node/key" "$SCRATCH/key" && echo spoiled >"$node/key"
check 4 'ill +files +.*; put it back from a copy of the directory; ' -C "$node" doctor
cat "$SCRATCH/key" >"$node/key"

# triggers that somebody has dropped, and a write that they missed
stranger "DROP TRIGGER yz_child_au; UPDATE child SET name = '别人' WHERE id = x'0101010101010101010101010101aaaa'"
check 4 'ill +capture +table child: its triggers are missing, or somebody made them anew; ' -C "$node" doctor
check 0 'mended +capture +child: triggers made anew' -C "$node" doctor --fix
is "$(finding capture)$(finding rows)" 'well well ' 'after --fix'

# what they missed goes up; a write that went past them for good is told
serve "$hub"
code=$("$YIZHAN" -C "$hub" enrol new --facility F1 --auto --json | sed 's/.*"code":"\([^"]*\)".*/\1/')
"$YIZHAN" -C "$node" enrol "$code" "http://$address" >/dev/null 2>&1 && "$YIZHAN" -C "$node" sync >/dev/null ||
	exit 1
is "$("$YIZHAN" -C "$hub" sql "SELECT name FROM child WHERE id = x'0101010101010101010101010101aaaa'" | tail -n 1)" 别人 \
	'what was missed has come to the hub'
check 0 "well +clock +within a minute of the hub's .*well +hub +http://$address answers in [0-9]+ ms" -C "$node" doctor
# a daemon has the database: --fix says so
daemon_of_hub=$last hub_address=$address
serve "$node"
check 0 'hint +database +a daemon runs here: [^;]*; .*stop yizhan run' -C "$node" doctor --fix
stop "$last"
last=$daemon_of_hub address=$hub_address
trigger=$("$YIZHAN" -C "$node" sql --json "SELECT sql FROM sqlite_master WHERE name = 'yz_child_au'" |
	python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["sql"])')
# who makes the triggers again, word for word, is noticed: what was written in between goes up as well
stranger "DROP TRIGGER yz_child_au; UPDATE child SET name = '灰三' WHERE id = x'0202020202020202020202020202bbbb'; $trigger"
check 4 'ill +capture +table child: its triggers are missing, or somebody made them anew; ' -C "$node" doctor
"$YIZHAN" -C "$node" sync >/dev/null
is "$("$YIZHAN" -C "$hub" sql "SELECT name FROM child WHERE id = x'0202020202020202020202020202bbbb'" | tail -n 1)" 灰三 \
	'what was written between two triggers has come to the hub'
is "$(finding capture)$(finding rows)" 'well well ' 'and all is captured again'
# a row changed as a disk might, with nothing that tells of it
hidden='; DROP VIEW yz_mark; CREATE VIEW yz_mark AS SELECT 1'
stranger "DROP TRIGGER yz_child_au; UPDATE child SET name = '黑三' WHERE id = x'0202020202020202020202020202bbbb'; $trigger $hidden"
check 4 'well +capture .*ill +rows +child 0202020202020202020202020202bbbb: [^;]*; yizhan verify --deep' -C "$node" doctor
"$YIZHAN" -C "$node" sql "UPDATE child SET name = '白三' WHERE id = x'0202020202020202020202020202bbbb'"
"$YIZHAN" -C "$node" sync >/dev/null
is "$(finding rows)" 'well ' 'written anew and captured'

# --fix sees to such rows, and to one that is gone without having been deleted
stranger "DROP TRIGGER yz_child_au; UPDATE child SET name = '红三' WHERE id = x'0202020202020202020202020202bbbb'; $trigger $hidden"
check 0 'mended +rows +1 that were changed past capture are logged as changes, 0 are ' -C "$node" doctor --fix
"$YIZHAN" -C "$node" sync >/dev/null
is "$("$YIZHAN" -C "$hub" sql "SELECT name FROM child WHERE id = x'0202020202020202020202020202bbbb'" | tail -n 1)" 红三 \
	'what was changed past capture has come to the hub'
trigger=$("$YIZHAN" -C "$node" sql --json "SELECT sql FROM sqlite_master WHERE name = 'yz_child_ad'" |
	python3 -c 'import json, sys; print(json.load(sys.stdin)[0]["sql"])')
stranger "DROP TRIGGER yz_child_ad; DELETE FROM child WHERE id = x'0202020202020202020202020202bbbb'; $trigger $hidden"
check 4 'ill +rows +child 0202020202020202020202020202bbbb: the row is gone without having been deleted' -C "$node" doctor
check 0 'mended +rows +0 that were .*, 1 are again what their records say' -C "$node" doctor --fix
is "$(finding rows)" 'well ' 'the row is back'
is "$("$YIZHAN" -C "$node" sql "SELECT name FROM child WHERE id = x'0202020202020202020202020202bbbb'" | tail -n 1)" 红三 \
	'with what its records say'

# the reserve was used; the settings have a slip of the pen; the hub is away
rm "$node/reserve"
check 0 'hint +disk +the reserve for a full disk has been used; ' -C "$node" doctor
check 0 'mended +disk ' -C "$node" doctor --fix
is "$(stat -c %s "$node/reserve")" 67108864 'the reserve is back'
stop "$last"
check 4 "ill +hub +http://$address: .*; look at the line and at the hub" -C "$node" doctor
printf '[sync]\n\tintervall = 3\n' >>"$node/node.conf"
check 4 'ill +files +.*node.conf.*intervall' -C "$node" doctor

# a page that is not what it was
root=$("$YIZHAN" -C "$node" sql --json "SELECT rootpage FROM sqlite_master WHERE name = 'child'" | tr -dc 0-9)
head -c 64 /dev/zero | dd of="$node/yizhan.db" bs=4096 seek=$((root - 1)) conv=notrunc 2>/dev/null
said=$("$YIZHAN" -C "$node" doctor 2>&1)
is "$? $(printf '%s\n' "$said" | grep -cE '^ill +database .*; restore a backup')" '4 2' "damage is told: $said"
finish
