# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Tab completion of scuse(1) for bash, by what scuse itself says: commands, options, LUNs, handlers, parameters.

# The words of _scuse_list that begin with $cur become COMPREPLY; names may hold spaces.
_scuse_offer()
{
	local candidate

	while IFS= read -r candidate; do
		[[ $candidate == "$cur"* ]] && COMPREPLY+=("$(printf '%q' "$candidate")")
	done < <(scuse complete "$@" 2>/dev/null)
	[[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}

# The values of an option or parameter that has a list of them: what `scuse complete options COMMAND` shows as
# --OPTION=VALUE, `scuse complete params HANDLER` as PARAM=VALUE.
_scuse_offer_values()
{
	local candidate kind=$1 whose=$2 option=$3 begun=${cur#=}

	while IFS= read -r candidate; do
		[[ $candidate == "$option=$begun"* && $candidate != "$option=" ]] && COMPREPLY+=("${candidate#"$option="}")
	done < <(scuse complete "$kind" "$whose" 2>/dev/null)
	[[ ${#COMPREPLY[@]} -gt 0 ]]
}

_scuse()
{
	local cur=${COMP_WORDS[COMP_CWORD]} command='' handler='' index positional=0
	COMPREPLY=()

	# What was typed before the cursor: the command, and how many arguments it has.  bash makes a word of each '='.
	for ((index = 1; index < COMP_CWORD; index++)); do
		case ${COMP_WORDS[index]} in
		--) compopt -o default; return ;;
		-* | =) ;;
		*)
			if [[ -z $command ]]; then
				command=${COMP_WORDS[index]}
			elif [[ ${COMP_WORDS[index - 1]} != = && ${COMP_WORDS[index + 1]} != = ]]; then
				((++positional))
				[[ $command == create && $positional -eq 2 ]] && handler=${COMP_WORDS[index]}
				[[ $command == run && $positional -eq 1 ]] && handler=${COMP_WORDS[index]}
			fi
			;;
		esac
	done

	if [[ $cur == = || ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
		index=$((COMP_CWORD - 1))
		[[ ${COMP_WORDS[index]} == = ]] && ((index--))
		_scuse_offer_values options "$command" "${COMP_WORDS[index]}" ||
			{ [[ -n $handler ]] && _scuse_offer_values params "$handler" "${COMP_WORDS[index]}"; } ||
			compopt -o default
	elif [[ ${COMP_WORDS[COMP_CWORD - 1]} == --* ]] &&
		_scuse_offer_values options "$command" "${COMP_WORDS[COMP_CWORD - 1]}"; then
		:
	elif [[ -z $command ]]; then
		_scuse_offer commands
	elif [[ $cur == -* ]]; then
		_scuse_offer options "$command"
	else
		case $command:$positional in
		create:1 | run:0 | handlers:0) _scuse_offer handlers ;;
		create:[2-9] | run:[1-9])
			_scuse_offer params "$handler"
			compopt -o default
			;;
		rm:* | restart:* | set:0 | show:0 | resize:0 | attach:0 | detach:0 | stats:0) _scuse_offer names ;;
		esac
	fi
}

complete -F _scuse scuse
