# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of holdfast(1) for bash. What there is to offer, the program itself says.

# The line up to the cursor into the array words, without quotes. COMP_WORDS breaks words at ':' and '=', too.
_holdfast_split() {
	local line=${COMP_LINE:0:COMP_POINT} character quote= word= begun=
	while [[ -n $line ]]; do
		character=${line:0:1} line=${line:1}
		case $quote$character in
		"'" | '"') quote=$character begun=yes ;;
		"''" | '""') quote= ;;
		"\\" | '"\') word+=${line:0:1} line=${line:1} begun=yes ;;
		[[:space:]])
			[[ -z $begun ]] || words+=("$word")
			word= begun=
			;;
		*) word+=$character begun=yes ;;
		esac
	done
	words+=("$word")
}

# One of the words before the last, by itself or as GATEWAY=FILE?
_holdfast_has() {
	local word
	for word in "${words[@]:1:${#words[@]}-2}"; do
		[[ $word != "$1" && ${word#*=} != "$1" ]] || return 0
	done
	return 1
}

# What is in front of a value stays; readline does not count it to the word, unless '=' was taken from COMP_WORDBREAKS.
_holdfast_cut() {
	[[ $COMP_WORDBREAKS == *=* ]] || prefix=${current%%=*}=
	current=${current#*=}
}

_holdfast() {
	local -a words=()
	local candidate file current prefix=
	_holdfast_split
	current=${words[-1]}
	[[ $current != --*=* ]] || _holdfast_cut
	COMPREPLY=()
	while IFS= read -r candidate; do
		[[ $candidate != @another-file || $current != *=* ]] || _holdfast_cut
		case $candidate in
		@file | @another-file)
			compopt -o filenames 2>/dev/null
			while IFS= read -r file; do
				[[ $candidate == @file ]] || ! _holdfast_has "$file" || continue
				COMPREPLY+=("$prefix$file")
			done < <(compgen -f -- "$current")
			;;
		*) COMPREPLY+=("$prefix$candidate") ;;
		esac
	done < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
}
complete -F _holdfast holdfast
