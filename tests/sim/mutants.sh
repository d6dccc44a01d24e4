#!/bin/bash
# mutants.sh [NUMBER...] - does anything notice when the product is wrong?
#
# tests/sim/mutants.txt lists mistakes that a build with -DYIZHAN_MUTANT can make
# (store/base/mutant.h).  Each is killed by some seed of the simulator, or by a
# suite of build/check, or by the crash loops; which, and at which seed, is printed.
# One that lives is a hole in the tests.  The last in the list is a canary: if even
# that one lives, this script is what is broken.  In the end the median of the seeds
# that it took is told; a mutant that no seed found counts as more than all.
#
# SEEDS=200 is how many seeds the simulator tries, FIRST=6 of them before the suites.
set -u
cd "$(dirname "$0")/../.." || exit 2
seeds=${SEEDS:-200}
first=${FIRST:-6}
build=build/mut
log=$build/mutants.log
killed=0 lived=0 took=()

make BUILD=$build CPPFLAGS=-DYIZHAN_MUTANT $build/sim $build/check $build/crash >/dev/null || exit 2

# hunt NUMBER FROM COUNT: the sentence of the seed that fails, if one does.
hunt() {
	YIZHAN_MUTANT=$1 $build/sim --from "$2" --hunt "$3" 2>/dev/null
}

# suites NUMBER: the first check that fails.
suites() {
	YIZHAN_MUTANT=$1 CK_VERBOSITY=normal $build/check >$log 2>&1 && return
	echo "check: $(grep -E ':[FE]:' $log | head -n 1 | cut -c 1-100)"
}

# loops NUMBER: the crash scenario that fails, if the simulator and the suites don't.
loops() {
	YIZHAN_MUTANT=$1 $build/crash 2>/dev/null | grep '^FAILED' | head -n 1 | cut -c 1-100
}

if [ -n "$(hunt 0 1 3)" ]; then
	echo "without a mutant a seed fails already"
	exit 1
fi
while IFS=$'\t' read -r number file what; do
	[ $# = 0 ] || [[ " $* " == *" $number "* ]] || continue
	by=$(hunt "$number" 1 "$first")
	[ -n "$by" ] || by=$(suites "$number")
	[ -n "$by" ] || by=$(loops "$number")
	[ -n "$by" ] || by=$(hunt "$number" $((first + 1)) $((seeds - first)))
	seed=$(sed -n 's/^seed \([0-9]*\): .*/\1/p' <<<"$by")
	took+=("${seed:-$((seeds + 1))}")
	if [ -n "$by" ]; then
		killed=$((killed + 1))
	else
		lived=$((lived + 1)) by='LIVES'
	fi
	printf '%3d %s: %s\n      %s\n' "$number" "$file" "$what" "$by"
done <tests/sim/mutants.txt
if [ ${#took[@]} = 0 ]; then
	echo "tests/sim/mutants.txt has no mutant $*: nothing was tried" >&2
	exit 2
fi
mapfile -t took < <(printf '%s\n' "${took[@]}" | sort -n)
median=${took[$((${#took[@]} / 2))]}
[ "$median" -le "$seeds" ] || median="more than $seeds (most were found by a suite first: try FIRST=$seeds)"
echo "median of the seeds: $median"
echo "$killed passed, $lived failed"
[ $lived = 0 ]
