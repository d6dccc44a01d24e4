#!/bin/sh
# help.sh - usage text, each command's help and the manual page say the same,
# because they come out of one table; completion asks the program.
set -u
# shellcheck source=tests/e2e/lib.inc
. tests/e2e/lib.inc
page=packaging/man/yizhan.1.scd

check 0 '^usage: yizhan \[-C DIR\] COMMAND' --help
is "$("$YIZHAN" help)" "$("$YIZHAN" --help)" 'help and --help'
commands=$("$YIZHAN" help | sed -nE 's/^  ([a-z]+) .*/\1/p')
[ -n "$commands" ] || is '' 'a list of commands' 'yizhan help'
for command in $commands; do
	check 0 "^usage: yizhan \[-C DIR\] $command" help "$command"
	is "$("$YIZHAN" "$command" --help)" "$("$YIZHAN" help "$command")" "$command --help"
done
"$YIZHAN" help --manual >"$SCRATCH/list"
is "$(sed -n '/^# COMMANDS/,/^# VALUES/p' $page | sed '1,2d;$d')" "$(cat "$SCRATCH/list")" \
	"$page: paste the output of 'yizhan help --manual' between COMMANDS and VALUES"
if command -v scdoc >/dev/null; then
	scdoc <$page >"$SCRATCH/page" 2>&1 || is "$(cat "$SCRATCH/page")" '' 'scdoc'
fi

# offer WORD...: what bash offers for the last of these words.
offer() {
	bash -c '. packaging/completions/yizhan.bash
		COMP_WORDS=("$0" "$@") COMP_CWORD=$# && _yizhan && echo "${COMPREPLY[@]}"' "$YIZHAN" "$@"
}
is "$(offer -C /tmp st)" status 'completion of a command'
is "$(offer history --)" '--json' 'completion of options'
is "$(offer init --fac)" --facility 'completion of an option'
is "$(offer -C packaging/comp)" packaging/completions 'completion of a directory'
finish
