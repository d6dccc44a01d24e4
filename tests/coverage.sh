#!/bin/sh
# coverage.sh BUILD - what the tests of a build with --coverage have run: lines and
# branches by file, worst first, and for the files that stand between us and
# bytes from outside, every branch that nothing took: there may be none, or it fails.
#
# Branches of assert() are left out: they are never to be taken.  So is one of each
# switch over an enum, gcc's for a number that the enum doesn't have.
set -u
cd "$(dirname "$0")/.." || exit 2
build=$1

# decoders, merge, signatures, rights
watched='sync/codec/codec_body.c sync/codec/codec_column.c sync/codec/codec_decode.c sync/codec/codec_encode.c
 sync/codec/codec_ids.c sync/codec/codec_ints.c sync/codec/codec_opening.c sync/codec/record.c sync/codec/segment.c
 sync/codec/segment_form.c sync/exchange/message.c sync/codec/pack.c sync/merge/merge.c sync/codec/sign.c sync/codec/chain.c node/http/reqsig.c
 sync/merge/law.c sync/merge/apply_rows.c sync/merge/apply_relay.c sync/merge/share_plan.c sync/merge/share_settle.c
 sync/seal/rotate.c node/rotation.c node/pace.c node/hub/session.c node/hub/street.c node/http/guard.c
 node/grant.c node/rights.c node/hub/token.c node/hub/enrol.c node/hub/enrol_sign.c node/http/nonce.c'

: >"$build/branches.txt"
find "$build/obj" -name '*.gcno' ! -path '*/obj/tests/*' -exec gcov -b -c -t {} + 2>/dev/null |
	awk -v watched="$watched" -v missed="$build/branches.txt" '
	BEGIN { n = split(watched, list, /[ \n]+/); for (i = 1; i <= n; i++) watch[list[i]] = 1 }
	function tell() {
		if (name != "" && name !~ /^\// && lines)
			printf "%6.2f %6.2f %s\n", 100 * run / lines,
				branches ? 100 * taken / branches : 100, name
		name = ""; lines = run = branches = taken = asserts = open = 0
	}
	/^ *-: *0:Source:/ { tell(); sub(/.*Source:(\.\/)?/, ""); name = $0; next }
	/^(function|call|unconditional) / { next }
	/^branch/ {
		if (asserts) next
		if (/taken [1-9]/) taken++
		else if (spare) { spare = 0; next }
		else if (name in watch) print name ":" line ":" text >missed
		branches++
		if (name in watch) all++
		next
	}
	{
		count = $1; sub(/^ *[^:]*: */, ""); line = text = $0
		sub(/:.*/, "", line); sub(/^[0-9]+:/, "", text); gsub(/[ \t]+/, " ", text)
		asserts = open || text ~ /assert\(/
		open = asserts && text !~ /;/
		spare = text ~ /switch \(/
		if (count ~ /^[0-9]/) run++
		if (count ~ /^[0-9#]/) lines++
	}
	END { tell(); print all + 0 >(missed ".all") }' | sort -n >"$build/coverage.txt"
echo ' lines branches'
cat "$build/coverage.txt"
echo "not taken: $(wc -l <"$build/branches.txt") of $(cat "$build/branches.txt.all") branches of the files that read what comes from outside"
cat "$build/branches.txt"
[ ! -s "$build/branches.txt" ]
