# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of holdfast(1) for bash. What there is to offer, the program itself says.
_holdfast() {
	local -a words=()
	local candidate current
	# The line as people see it: COMP_WORDS breaks words at ':' and '=', too.
	read -r -a words <<<"${COMP_LINE:0:COMP_POINT}"
	[[ ${COMP_LINE:0:COMP_POINT} == *[[:space:]] ]] && words+=("")
	current=${words[-1]}
	COMPREPLY=()
	while IFS= read -r candidate; do
		if [[ $candidate == @file ]]; then
			compopt -o filenames 2>/dev/null
			while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -f -- "$current")
		else
			COMPREPLY+=("$candidate")
		fi
	done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
}
complete -F _holdfast holdfast
