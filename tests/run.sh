#!/bin/bash
# run.sh BUILD unit|fuzz|e2e|few|long|browser|SCRIPT ... - run the tests and count them.
#
#   unit    BUILD/check, all suites (CK_RUN_SUITE, CK_RUN_CASE, CK_INCLUDE_TAGS narrow it)
#   fuzz    BUILD/replay/*, each over its tests/fuzz/seeds
#   e2e     tests/e2e/*.sh but those called *_long.sh
#   few     of these the ones that tests/e2e/few names
#   long    tests/e2e/*_long.sh
#   SCRIPT  this one, a path that ends with .sh
#   browser tests/browser/*.mjs but those called _*.mjs, with node; they take
#           playwright-core by createRequire(new URL('../../packaging/npm/x.js',
#           import.meta.url)) and start $CHROMIUM
#
# A script finds the program in $YIZHAN, chaosproxy and oneday (tests/proxy,
# tests/oneday) in the folder $TOOLS, an empty directory to work in in $SCRATCH,
# and the source tree as its working directory.  It counts as one test, or as
# many as its last line 'N passed, N failed' says; exit 77 skips it.  It is ended
# after E2E_LIMIT seconds (240, a long one 600).  They wait most of the time, so
# E2E_JOBS of them run side by side (one more than there are processors), of the
# long ones two.  The closing line is the sum.
set -u
cd "$(dirname "$0")/.." || exit 2
build=$1
shift
passed=0 failed=0 skipped=0 limit=${E2E_LIMIT:-240} with=

# count OUTPUT STATUS: add what a script's closing line says, or one test.
count() {
	if [ "$2" = 77 ]; then
		skipped=$((skipped + 1))
		return
	fi
	sum=$(tail -n 1 "$1" | sed -nE 's/^([a-z]+: )?([0-9]+) passed, ([0-9]+) failed.*/\2 \3/p')
	if [ -n "$sum" ]; then
		passed=$((passed + ${sum% *}))
		failed=$((failed + ${sum#* }))
		[ "$2" = 0 ] || [ "${sum#* }" != 0 ] || failed=$((failed + 1))
	elif [ "$2" = 0 ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
	fi
}

unit() {
	[ -x "$build/check" ] || return 0
	export CK_TIMEOUT_MULTIPLIER="${CK_TIMEOUT_MULTIPLIER:-4}"
	CHECK_PART=1/2 "$build/check" >"$logs/unit2.log" 2>&1 &
	CHECK_PART=0/2 "$build/check" >"$logs/unit.log" 2>&1
	status=$?
	wait $! || status=1
	cat "$logs/unit2.log" >>"$logs/unit.log"
	cat "$logs/unit.log"
	sum=$(sed -nE 's/^[0-9]+%: Checks: ([0-9]+), Failures: ([0-9]+), Errors: ([0-9]+).*/\1 \2 \3/p' \
		"$logs/unit.log" | awk '{ n += $1; bad += $2 + $3 } END { if (NR) print n - bad, bad }')
	if [ -n "$sum" ] && [ "$sum" != '0 0' ]; then
		passed=$((passed + ${sum% *}))
		failed=$((failed + ${sum#* }))
		[ "$status" = 0 ] || [ "${sum#* }" != 0 ] || failed=$((failed + 1))
	else
		echo "the unit tests ended with status $status and no count"
		failed=$((failed + 1))
	fi
}

# Each target over its seeds and over what the fuzzers once found: one test.
fuzz() {
	for source in tests/fuzz/*.c; do
		name=$(basename "$source" .c)
		"$build/replay/$name" "tests/fuzz/seeds/$name"/* >"$logs/fuzz-$name.log" 2>&1 </dev/null
		status=$?
		count "$logs/fuzz-$name.log" "$status"
		[ "$status" = 0 ] || {
			echo "fuzz $name: FAILED, status $status"
			tail -n 40 "$logs/fuzz-$name.log" | sed 's/^/    /'
		}
	done
	echo "fuzz: the seeds of $(find tests/fuzz/*.c | wc -l) targets"
}

# e2e JOBS SCRIPT...: run them, so many at once, with the program $with if that is set.
e2e() {
	jobs=$1
	shift
	for script in "$@"; do
		while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
		one "$script" &
	done
	wait
	for script in "$@"; do
		name=$(basename "$script")
		name=${name%.*}
		count "$logs/$name.log" "$(cat "$logs/$name.status")"
	done
}

# one SCRIPT: its output and its status go to files of their own; what is to be said, in one piece.
one() {
	name=$(basename "$1")
	name=${name%.*}
	SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/yizhan-$name.XXXXXX") || exit 2
	export SCRATCH
	start=$SECONDS
	# shellcheck disable=SC2086 # $with may be nothing
	YIZHAN="$PWD/$build/yizhan" TOOLS="$PWD/$build" CHROMIUM="${CHROMIUM:-$(command -v chromium)}" \
		timeout -k 5 "$limit" $with "$1" >"$logs/$name.log" 2>&1 </dev/null
	status=$?
	echo $status >"$logs/$name.status"
	more=
	case $status in
	0) word=ok ;;
	77) word=skipped more=$(tail -n 1 "$logs/$name.log") ;;
	124 | 137) word="FAILED, ended after $limit s" ;;
	*) word="FAILED, status $status" ;;
	esac
	case $word in
	FAILED*) more=$(tail -n "${TAIL:-40}" "$logs/$name.log" | sed 's/^/    /') ;;
	esac
	printf '%s\n' "$part $name: $word ($((SECONDS - start)) s)${more:+
$more}"
	rm -rf "$SCRATCH"
}

side_by_side=${E2E_JOBS:-$(($(nproc) + 1))}
logs=$build/logs
mkdir -p "$logs"
for part in "$@"; do
	case $part in
	unit) unit ;;
	fuzz) fuzz ;;
	e2e)
		short=()
		for script in tests/e2e/*.sh; do
			[[ $script == *_long.sh ]] || short+=("$script")
		done
		e2e "$side_by_side" "${short[@]}"
		;;
	few)
		part=e2e
		# shellcheck disable=SC2046 # names without blanks
		e2e "$side_by_side" $(sed -n 's|^[a-z].*|tests/e2e/&.sh|p' tests/e2e/few)
		;;
	long)
		limit=${E2E_LIMIT:-600}
		e2e 2 tests/e2e/*_long.sh
		;;
	*.sh) script=$part part=e2e && e2e 1 "$script" ;;
	browser) with=node e2e 1 tests/browser/[!_]*.mjs ;;
	*) echo "run.sh: no such part: $part" >&2; exit 2 ;;
	esac
done
[ "$skipped" = 0 ] && more= || more=", $skipped skipped"
echo "$passed passed, $failed failed$more"
[ "$failed" = 0 ]
