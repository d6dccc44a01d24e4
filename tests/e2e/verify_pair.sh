#!/bin/sh
# verify_pair.sh - two nodes of a facility write what is right for each alone and
# breaks a rule for both together: verify names the rows and the pair of changes.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
other=$SCRATCH/other
"$YIZHAN" -C "$hub" init --hub >/dev/null && "$YIZHAN" -C "$node" init --facility F1 --name F1 >/dev/null &&
	"$YIZHAN" -C "$other" init --facility F1 >/dev/null || exit 1
serve "$hub"
enrol "$node" F1 "http://$address"
enrol "$other" F1 "http://$address"
for dir in "$hub" "$node" "$other"; do
	sql "$dir" "CREATE TABLE room(no INTEGER NOT NULL PRIMARY KEY, floor INTEGER);
		CREATE TABLE bed(id BLOB NOT NULL PRIMARY KEY, room INTEGER REFERENCES room(no), low INTEGER, high INTEGER,
			CHECK(low <= high)) WITHOUT ROWID" >/dev/null
done
for table in room bed; do
	for dir in "$hub" "$node" "$other"; do
		"$YIZHAN" -C "$dir" track $table --scope f/F1 >/dev/null || exit 1
	done
done
sql "$node" "INSERT INTO room VALUES (7, 1), (8, 1);
	INSERT INTO bed VALUES (x'01', 8, 1, 9), (x'02', 8, 1, 9), (x'03', NULL, 1, 9)" >/dev/null
meet() {
	for dir in "$node" "$other" "$node"; do
		check 0 '"state":"in_sync"' -C "$dir" sync --json
	done
}
meet
check 0 '^in order: ' -C "$node" verify
site() {
	sql "$1" "SELECT hex(value) AS h FROM yz_meta WHERE name = 'node'" | sed 's/.*"h":"\([0-9A-F]*\)".*/\1/' | tr 'A-F' 'a-f'
}
a=$(site "$node") b=$(site "$other")
# a bed comes into the room that the other gives up; each raises or lowers one bound
sql "$node" "INSERT INTO bed VALUES (x'0a', 7, 1, 2); UPDATE bed SET low = 6 WHERE id = x'02'" >/dev/null
sleep 0.01
sql "$other" "DELETE FROM room WHERE no = 7; UPDATE bed SET high = 3 WHERE id = x'02'" >/dev/null
meet
at='20[-0-9T:.]*Z'
for dir in "$node" "$other" "$hub"; do
	check 0 "bed: 1 row names a row of room that isn't there; look at the rows[^;]*  bed 0a written $at by $(printf %.8s "$a"); room 7 deleted $at by $(printf %.8s "$b") " \
		-C "$dir" verify
	check 0 "bed: CHECK constraint failed in bed; look at [^;]*  bed 02 written $at by $(printf %.8s "$a"); bed 02 written $at by $(printf %.8s "$b") .*, 2 rows that break a rule" \
		-C "$dir" verify
	check 0 "\"where\":\"bed\",\"do\":\"[^\"]*\",\"rows\":\[\{\"key\":\"0a\",\"changes\":\[\{\"table\":\"bed\",\"key\":\"0a\",\"did\":\"written\",\"at\":\"$at\",\"site\":\"$a-[0-9a-f]{16}\"\},\{\"table\":\"room\",\"key\":7,\"did\":\"deleted\",\"at\":\"$at\",\"site\":\"$b-" \
		-C "$dir" verify --json
done
# more than are shown
i=0
while [ $i -lt 25 ]; do
	i=$((i + 1))
	echo "INSERT INTO bed(id, room, low, high) VALUES (randomblob(16), 8, 1, 2);"
done >"$SCRATCH/many"
sql "$node" "$(cat "$SCRATCH/many")" >/dev/null
sql "$other" "UPDATE bed SET room = NULL; DELETE FROM room" >/dev/null
meet
check 0 'bed: 25 rows name a row of room .*  and 5 more ' -C "$hub" verify
is "$("$YIZHAN" -C "$hub" verify | grep -c '^  bed [0-9a-f]* written .*; room 8 deleted')" 20 'rows that are told'
finish
