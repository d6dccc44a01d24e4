#!/bin/sh
# valgrind.sh BUILD SUITE... - run suites of BUILD/check under memcheck, without
# Check's forks, and all of BUILD/replay over its seeds; two at a time.
#
# Any error or definite leak fails.  The suites are those of codec, merge and
# store that take seconds, not minutes, under memcheck, without those parts that
# wait for PostgreSQL; what they leave out, the replays reach.
set -u
cd "$(dirname "$0")/.." || exit 2
build=$1
shift

# One line: a suite's name or the path of a replay program.
export build
export CK_FORK=no CK_EXCLUDE_TAGS=postgres
# shellcheck disable=SC2016 # the inner shell's variables
one='
	memcheck="valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite
		--show-leak-kinds=definite"
	log=$build/logs/valgrind-$(echo "$1" | tr -c "a-z0-9_\n" -).log
	case $1 in
	*/replay/*) $memcheck "$1" tests/fuzz/seeds/"$(basename "$1")"/* ;;
	*) CK_RUN_SUITE=$1 $memcheck "$build/check" ;;
	esac >"$log" 2>&1 && ! grep -q "Checks: 0," "$log" && exit 0
	echo "valgrind $1: FAILED"
	tail -n 40 "$log"
	exit 1
'
mkdir -p "$build/logs"
{
	printf '%s\n' "$@"
	printf '%s\n' "$build"/replay/*
} | xargs -d '\n' -n 1 -P 2 sh -c "$one" sh || exit 1
echo "valgrind: nothing in $# suites and $(find "$build/replay" -type f | wc -l) replays"
