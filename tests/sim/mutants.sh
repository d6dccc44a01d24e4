#!/bin/bash
# mutants.sh [NUMBER...] - does anything notice when the product is wrong?
#
# tests/sim/mutants.txt lists mistakes that a build with -DYIZHAN_MUTANT can make
# (store/base/mutant.h).  Each is killed by some seed of the simulator, or by a
# suite of build/check; which, and at which seed, is printed.  One that lives is a
# hole in the tests.  The last in the list is a canary: if even that one lives,
# this script is what is broken.
#
# SEEDS=200 is how many seeds the simulator tries.
set -u
cd "$(dirname "$0")/../.." || exit 2
seeds=${SEEDS:-200}
first=6
build=build/mut
log=$build/mutants.log
killed=0 lived=0

make BUILD=$build CPPFLAGS=-DYIZHAN_MUTANT $build/sim $build/check >/dev/null || exit 2

# hunt NUMBER FROM COUNT: the sentence of the seed that fails, if one does.
hunt() {
	YIZHAN_MUTANT=$1 $build/sim --from "$2" --hunt "$3" 2>/dev/null
}

# suites NUMBER: the first check that fails.
suites() {
	YIZHAN_MUTANT=$1 CK_VERBOSITY=normal $build/check >$log 2>&1 && return
	echo "check: $(grep -E ':[FE]:' $log | head -n 1 | cut -c 1-100)"
}

if [ -n "$(hunt 0 1 3)" ]; then
	echo "without a mutant a seed fails already"
	exit 1
fi
while IFS=$'\t' read -r number file what; do
	[ $# = 0 ] || [[ " $* " == *" $number "* ]] || continue
	by=$(hunt "$number" 1 $first)
	[ -n "$by" ] || by=$(suites "$number")
	[ -n "$by" ] || by=$(hunt "$number" $((first + 1)) $((seeds - first)))
	if [ -n "$by" ]; then
		killed=$((killed + 1))
	else
		lived=$((lived + 1)) by='LIVES'
	fi
	printf '%3d %s: %s\n      %s\n' "$number" "$file" "$what" "$by"
done <tests/sim/mutants.txt
echo "$killed passed, $lived failed"
[ $lived = 0 ]
