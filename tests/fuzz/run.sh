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
		echo "$1" >>"$build/failed"
	fi
}

# tell TARGET: what broke it, in a few lines, and the input itself if it is a short one.
tell() {
	echo "---- $1: the end of $build/$1.log"
	grep -aE 'ERROR:|SUMMARY:|does not hold|ALARM|^    #[0-9] ' "$build/$1.log" | head -n 24
	tail -n 4 "$build/$1.log"
	for found in "$build/$1"-crash-* "$build/$1"-timeout-* "$build/$1"-leak-* "$build/$1"-oom-*; do
		[ ! -f "$found" ] || head -c 3000 "$found" | base64 | sed "1s|^|$found in base64:\n|"
	done
}

rm -f "$build/failed"
while [ $# -gt 0 ]; do
	one "$1" &
	if [ $# -gt 1 ]; then
		one "$2"
		shift
	fi
	wait
	shift
done
[ -f "$build/failed" ] || exit 0
# last, so that it is what a log that was cut short still has
while read -r target; do
	tell "$target"
done <"$build/failed"
exit 1
