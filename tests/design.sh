#!/bin/sh
# design.sh [PAGE] - what tests/DESIGN.md names as the test of a promise, an attack or
# a fault is there: each `name` in its tables of these and of the holes, and in the first
# column of those about crash loops, is a test, a suite, a scenario, a kind of the simulator, a file or a make target.
# A star or an ellipsis stands for anything.
set -u
cd "$(dirname "$0")/.." || exit 2
page=${1:-tests/DESIGN.md}

{
	sed -nE 's/^START_TEST\(([a-z0-9_]+)\).*/\1/p; s/.*suite_create\("([^"]+)"\).*/\1/p' tests/*.c
	grep -hoE '(\{|\.name =|\] =) "[a-z0-9-]+"' tests/crash/*.c | cut -d'"' -f2
	sed -nE 's/^\t\[SIM_[A-Z_0-9]+\] = \{ "([a-z0-9-]+)".*/\1/p' tests/sim/kind.c
	find tests -type d -printf '%P/\n' -o -type f -printf '%P\n%f\n'
	sed -nE 's/^([a-z][a-z0-9 -]*):.*/\1/p; s/^\$\(BUILD\)(\/[a-z]+):.*/build\1/p' Makefile | tr ' ' '\n'
} | awk -v page="$page" '
	{ known[$0] }
	function is_there(name, word) {
		if (name in known)
			return 1
		if (name !~ /\*|…/)
			return 0
		gsub(/\./, "[.]", name)
		gsub(/\*|…/, ".*", name)
		for (word in known)
			if (word ~ "^" name "$")
				return 1
		return 0
	}
	# A command line is held by its target, or by nothing.
	function look(name) {
		sub(/^make /, "", name)
		sub(/ .*=.*/, "", name)
		if (name ~ /=/ || name in seen)
			return
		seen[name]
		if (is_there(name))
			return
		print page " names " name ": no test, suite, scenario, file in tests/ or target is called that"
		bad++
	}
	END {
		while ((getline line <page) > 0) {
			if (line ~ /^## /)
				part = line
			if (line !~ /^\|/)
				continue
			if (part ~ /^## Holes/)
				line = substr(line, 1 + index(substr(line, 2), "|"))
			if (part ~ /^## Crash/)
				line = substr(line, 1, 1 + index(substr(line, 2), "|"))
			else if (part !~ /^(|## What is promised.*|## Holes.*|## Attacks|## Faults)$/)
				continue
			n = split(line, piece, "`")
			for (i = 2; i < n; i += 2)
				look(piece[i])
		}
		for (name in seen)
			count++
		if (count < 100) {
			print page ": where are its tables?  They name " count + 0 " things"
			bad++
		}
		exit bad > 0
	}'
