#!/bin/sh
# archive_git.sh - stock git and ssh-keygen accept what `archive now` writes, a
# repository deleted and rebuilt stands on the same commit, and the hourly round
# comes in a node that never runs for an hour.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
# shellcheck source=tests/e2e/net.inc
. tests/e2e/net.inc
"$YIZHAN" help archive >/dev/null 2>&1 || {
	echo 'this yizhan has no command archive yet'
	exit 77
}

# Nobody's configuration but the one given here.
export HOME="$SCRATCH" GIT_CONFIG_NOSYSTEM=1
repo() {
	git -C "$node/archive.git" -c gpg.ssh.allowedSignersFile="$node/allowed_signers" "$@"
}

# accepted COUNT: that many proof commits, each verified, in a repository without a fault.
accepted() {
	repo fsck --strict --no-dangling >"$SCRATCH/fsck" 2>&1
	is "$?" 0 "fsck --strict: $(cat "$SCRATCH/fsck")"
	good=0
	for commit in $(repo rev-list --glob='refs/heads/proof'); do
		repo verify-commit "$commit" 2>"$SCRATCH/said" && good=$((good + 1))
	done
	is "$good" "$1" "proof commits that git verifies; the last said: $(cat "$SCRATCH/said")"
	is "$(repo rev-list --count --glob='refs/heads/proof')" "$1" 'proof commits'
}

"$YIZHAN" -C "$node" init --facility F1 --name '向日葵 House <1>' >/dev/null || exit 1
"$YIZHAN" -C "$node" sql "CREATE TABLE t(a INTEGER NOT NULL PRIMARY KEY, b TEXT)" &&
	"$YIZHAN" -C "$node" track t >/dev/null || exit 1
for round in 1 2 3; do
	"$YIZHAN" -C "$node" sql "INSERT INTO t VALUES ($round, 'x'), (1$round, 'y')" || exit 1
	check 0 '' -C "$node" archive now
done
accepted 3
head=$(repo rev-parse HEAD)

# nothing new, no commit
check 0 '' -C "$node" archive now
is "$(repo rev-parse HEAD)" "$head" 'HEAD after a round without news'
check 0 "$(printf '%.8s' "$head")" -C "$node" archive log

# deleted and rebuilt, by command and by the next round
rm -rf "$node/archive.git" "$node/allowed_signers"
check 0 '' -C "$node" archive rebuild
is "$(repo rev-parse HEAD)" "$head" 'HEAD after a rebuild'
accepted 3
rm -rf "$node/archive.git"
check 0 '' -C "$node" archive now
is "$(repo rev-parse HEAD)" "$head" 'HEAD after a round without a repository'
accepted 3

# the proof is a proof: another key's owner is not accepted
sed 's/AAAAC3NzaC1lZDI1NTE5AAAAI./AAAAC3NzaC1lZDI1NTE5AAAAIz/' "$node/allowed_signers" >"$SCRATCH/others"
git -C "$node/archive.git" -c gpg.ssh.allowedSignersFile="$SCRATCH/others" verify-commit HEAD 2>/dev/null
is "$((! $?))" 0 'a commit verified with somebody else allowed'

# The hour counts from the last round that the file knows of, not from the daemon's start.
rounds() {
	[ "$(repo rev-list --count --glob='refs/heads/proof')" = "$1" ]
}
aged() {
	python3 - "$node/yizhan.db" <<'PY'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("UPDATE yz_meta SET value = CAST(CAST(value AS INTEGER) - 3600000 AS TEXT) WHERE name = 'archived_ms'")
db.commit()
PY
}
sql "$node" "INSERT INTO t VALUES (4, 'after the last round')" >/dev/null
serve "$node"
check 0 '' -C "$node" status
rounds 3
is "$?" 0 'no round within the hour'
stop "$last"
aged
serve "$node"
soon rounds 4
is "$?" 0 'a round at once when the hour was over before the start'
stop "$last"
accepted 4
finish
