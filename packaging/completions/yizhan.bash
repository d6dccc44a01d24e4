# shellcheck shell=bash
# yizhan.bash - completion for bash.  Commands and options are asked of the
# program itself, so that they are those of the version that is installed.

_yizhan() {
	local current=${COMP_WORDS[COMP_CWORD]} program=${COMP_WORDS[0]} command='' i
	for ((i = 1; i < COMP_CWORD; i++)); do
		case ${COMP_WORDS[i]} in
		-C) i=$((i + 1)) ;;
		-*) ;;
		*)
			command=${COMP_WORDS[i]}
			break
			;;
		esac
	done
	if [ "${COMP_WORDS[COMP_CWORD - 1]}" = -C ]; then
		mapfile -t COMPREPLY < <(compgen -d -- "$current")
	elif [ -z "$command" ]; then
		mapfile -t COMPREPLY < <(compgen -W "-C --help $("$program" help 2>/dev/null |
			sed -nE 's/^  ([a-z]+) .*/\1/p')" -- "$current")
	elif [ "${current#-}" != "$current" ]; then
		mapfile -t COMPREPLY < <(compgen -W "$("$program" help "$command" 2>/dev/null |
			grep -oE -e '--[a-z-]+' | sort -u)" -- "$current")
	else
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
	fi
}

complete -o filenames -F _yizhan yizhan
