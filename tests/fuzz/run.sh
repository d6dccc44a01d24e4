#!/bin/sh
# run.sh BUILD SECONDS TARGET... - run fuzz programs, two at a time, and tell what
# each did; ends with an error if one of them found something.
#
# A target starts from its committed seeds and what it found before
# (BUILD/corpus).  What breaks it is left as BUILD/<target>-crash-... and belongs
# into tests/fuzz/seeds/<target>/found-... once it is mended.
set -u
cd "$(dirname "$0")/../.." || exit 2
build=$1 seconds=$2
shift 2

one() {
	corpus=$build/corpus/$1
	mkdir -p "$corpus"
	"$build/fuzzers/$1" -max_total_time="$seconds" -print_final_stats=1 -timeout=25 \
		-artifact_prefix="$build/$1-" "$corpus" "tests/fuzz/seeds/$1" \
		>"$build/$1.log" 2>&1 </dev/null
	status=$?
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$1.log")
	covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$build/$1.log" | tail -n 1)
	if [ $status = 0 ]; then
		printf 'fuzz %-8s %11s runs, %5s edges\n' "$1" "$runs" "$covered"
	else
		echo "fuzz $1: FAILED"
		tail -n 40 "$build/$1.log"
	fi
	return $status
}

bad=0
while [ $# -gt 0 ]; do
	one "$1" &
	first=$!
	if [ $# -gt 1 ]; then
		one "$2" || bad=1
		shift
	fi
	wait $first || bad=1
	shift
done
exit $bad
