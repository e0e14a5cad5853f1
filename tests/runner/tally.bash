# SPDX-License-Identifier: GPL-2.0-or-later
# What the test runner counts and prints. Sourced by tests/run; $scratch is a directory of the run's own.

passed=0 failed=0 skipped=0
failures=() skips=()

# tally_suite SUITE SECONDS RESULTS [NOTE]: one line for a suite.
# RESULTS is a file of lines `passed|failed|skipped <tab> NAME <tab> SECONDS <tab> OUTPUT_FILE_OR_REASON`.
tally_suite() {
	local suite=$1 seconds=$2 results=$3 note=${4:-} p=0 f=0 s=0 status name took detail
	while IFS=$'\t' read -r status name took detail; do
		case $status in
		passed) p=$((p + 1)) ;;
		failed)
			f=$((f + 1))
			failures+=("$suite"$'\t'"$name"$'\t'"$detail")
			;;
		skipped)
			s=$((s + 1))
			skips+=("$name: ${detail:-no reason given}")
			;;
		esac
	done <"$results"
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	printf '%-12s %5d passed %5d failed %5d skipped %6d s%s\n' "$suite" "$p" "$f" "$s" "$seconds" "${note:+   $note}"
}

# tally_rerun SUITE NAME: the command that runs one test again.
tally_rerun() {
	case $1/$2 in
	*/machine | */ctest) printf '%s %s' "$self" "$1" ;; # nothing ran at all
	build/*) printf 'cmake --preset %s && cmake --build --preset %s' "$2" "$2" ;;
	*) printf "%s %s -R '^%s\$'" "$self" "$1" "$2" ;;
	esac
}

# tally_close: the skipped ones with their reasons, the failures again, the last line; exits.
tally_close() {
	local entry suite name output
	for entry in "${skips[@]}"; do
		printf 'skipped: %s\n' "$entry"
	done
	for entry in "${failures[@]}"; do
		IFS=$'\t' read -r suite name output <<<"$entry"
		printf '\nFAILED %s %s, run it again with: %s\n' "$suite" "$name" "$(tally_rerun "$suite" "$name")"
		[ ! -s "$output" ] || tail -n 40 "$output" | sed 's/^/    /'
	done
	printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
	[ "$failed" = 0 ]
	exit
}
