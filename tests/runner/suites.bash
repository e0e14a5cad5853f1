# SPDX-License-Identifier: GPL-2.0-or-later
# The suites of the test runner. Each runs its tests and hands the results to tally_suite.

# suite_build SUITE...: the builds that these suites run in, and clang's opinion. Nothing can run if one of the others fails.
suite_build() {
	local preset results=$scratch/build begin=$SECONDS took
	local presets=(release)
	[[ " $* " != *" unit "* && " $* " != *" sim "* && " $* " != *" integration "* && ${CI:-} != true ]] || presets+=(asan-ubsan)
	[[ " $* " != *" fuzz "* && " $* " != *" soak "* ]] || presets+=(fuzz)
	[[ " $* " != *" unit "* ]] || presets+=(clang)
	: >"$results"
	for preset in "${presets[@]}"; do
		took=$SECONDS
		if build_preset "$preset" 2>"$scratch/build-$preset"; then
			printf 'passed\t%s\t%d\t\n' "$preset" $((SECONDS - took)) >>"$results"
		else
			printf 'failed\t%s\t%d\t%s\n' "$preset" $((SECONDS - took)) "$scratch/build-$preset" >>"$results"
		fi
	done
	tally_suite build $((SECONDS - begin)) "$results"
	! grep -qE $'^failed\t(release|asan-ubsan|fuzz)\t' "$results" || tally_close
}

suite_unit() {
	run_ctest unit asan-ubsan
}

suite_sim() {
	run_ctest sim asan-ubsan
}

suite_fuzz() {
	run_ctest fuzz fuzz
}

# What users get; and the two daemons by themselves under sanitizers, too.
suite_integration() {
	local begin=$SECONDS
	if [ "${CI:-}" = true ]; then
		run_ctest integration asan-ubsan 4
		return
	fi
	ctest_results integration release integration 4
	ctest_results daemons asan-ubsan integration-sanitized 4
	cat "$scratch/integration-sanitized.results" >>"$scratch/integration.results"
	tally_results integration "$begin"
}

suite_vm() {
	local begin=$SECONDS
	"$root/tests/vm/run" --build "$root/build/release" --output "$scratch/vm" ${filter:+-R "$filter"} \
		>"$scratch/vm.results" 2>"$scratch/vm.log" </dev/null || printf 'failed\tmachine\t0\t%s\n' "$scratch/vm.log" >>"$scratch/vm.results"
	suite_is_not_empty vm machine
	tally_suite vm $((SECONDS - begin)) "$scratch/vm.results" "$(grep '^the machine hung' "$scratch/vm.log")"
}

# The figures are the point: they are printed.
suite_bench() {
	run_ctest bench release
	cat "$scratch"/bench.output/* 2>/dev/null
}

# As long as it is given, and the virtual machine's minutes; what earlier calls did stays in build/.
suite_soak() {
	local begin=$SECONDS
	: >"$scratch/soak"
	soak_simulator $((minutes * 10))
	soak_differential $((minutes * 10))
	soak_fuzz $((minutes * 10))
	soak_mutations
	soak_applied_mutations
	soak_loss $((minutes * 6))
	soak_kills $((minutes * 6))
	soak_lab $((minutes * 20))
	soak_vm
	tally_suite soak $((SECONDS - begin)) "$scratch/soak" "$(tail -n 1 "$scratch/soak-lab")"
	tail -n 1 "$scratch/soak-simulator"
	tail -n 1 "$scratch/soak-differential"
	tail -n 1 "$scratch/soak-kills"
	cat "$scratch/soak-fuzz" "$scratch/soak-lab-figures"
	grep -h ' at 5 % loss\| at 20 % loss' "$scratch/soak-loss" "$scratch/soak-swarm"
}

# soak_simulator SECONDS: a million schedules of the simulator, a sixth of the time at once; the next call goes on where this one
# ended, which is in build/soak-simulator, until all are done.
soak_simulator() {
	local output=$scratch/soak-simulator status=passed took=$SECONDS
	"$root/tests/sim/soak" "$root/build/release/tests/sim/holdfast-sim" "$root/build/soak-simulator" "$1" >"$output" 2>&1 </dev/null ||
		status=failed
	printf '%s\tsoak-simulator\t%d\t%s\n' "$status" $((SECONDS - took)) "$output" >>"$scratch/soak"
}

# soak_differential SECONDS: random configurations under wg-quick and holdfast, a sixth of the time or until 500 are done; what
# earlier calls did stays in build/soak-differential.jsonl.
soak_differential() {
	local output=$scratch/soak-differential status=passed took=$SECONDS
	HOLDFAST_BIN=$root/build/release/bin python3 -B "$root/tests/integration/quick/differential/soak.py" \
		"$root/build/soak-differential.jsonl" --count 500 --seconds "$1" >"$output" 2>&1 </dev/null || status=failed
	printf '%s\tsoak-differential\t%d\t%s\n' "$status" $((SECONDS - took)) "$output" >>"$scratch/soak"
}

# soak_fuzz SECONDS: every fuzz target its share of them, from what earlier calls found in build/fuzz on.
soak_fuzz() {
	local programs=("$root"/build/fuzz/tests/fuzz/fuzz-*) program name output status took runs
	: >"$scratch/soak-fuzz"
	for program in "${programs[@]}"; do
		name=${program##*/fuzz-} status=passed took=$SECONDS
		output=$scratch/soak-fuzz-$name
		"$root/tests/fuzz/search" "$program" "$name" $(($1 / ${#programs[@]} + 1)) >"$output" 2>&1 </dev/null || status=failed
		runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$output")
		printf 'fuzz-%s %s: %s runs in %d s\n' "$name" "$status" "${runs:-no}" $((SECONDS - took)) >>"$scratch/soak-fuzz"
		printf '%s\tsoak-fuzz-%s\t%d\t%s\n' "$status" "$name" $((SECONDS - took)) "$output" >>"$scratch/soak"
	done
}

# soak_mutations: 100,000 fleet files broken at random, others each time.
soak_mutations() {
	local output=$scratch/soak-mutations status=passed took=$SECONDS seed=$RANDOM
	(cd "$root" && FLEET_MUTATIONS=100000 FLEET_SEED=$seed build/release/tests/unit/fleet/unit-fleet-mutations) >"$output" 2>&1 </dev/null || status=failed
	printf 'with FLEET_MUTATIONS=100000 FLEET_SEED=%d\n' "$seed" >>"$output"
	printf '%s\tsoak-mutations\t%d\t%s\n' "$status" $((SECONDS - took)) "$output" >>"$scratch/soak"
}

# soak_applied_mutations: 3,000 of such files applied to a running controller, others each time.
soak_applied_mutations() {
	local output=$scratch/soak-applied-mutations status=passed took=$SECONDS
	HOLDFAST_BIN=$root/build/release/bin APPLY_MUTATIONS=3000 FLEET_SEED=$RANDOM \
		python3 -B "$root/tests/integration/controller/test_mutations.py" >"$output" 2>&1 </dev/null || status=failed
	printf '%s\tsoak-applied-mutations\t%d\t%s\n' "$status" $((SECONDS - took)) "$output" >>"$scratch/soak"
}

# soak_loss SECONDS: a fifth of all packets is lost for so long, from a minute to ten, and nothing moves; twenty power cuts under 200
# sessions at 5 % loss.
soak_loss() {
	local test took status lab=$root/tests/integration/lab
	local seconds=$(($1 < 60 ? 60 : $1 > 600 ? 600 : $1))
	for test in "loss $seconds" "swarm 20"; do
		took=$SECONDS status=passed
		HOLDFAST_BIN=$root/build/release/bin python3 -B "$lab/test_${test% *}.py" "${test#* }" >"$scratch/soak-${test% *}" 2>&1 </dev/null || status=failed
		printf '%s\tsoak-%s\t%d\t%s\n' "$status" "${test% *}" $((SECONDS - took)) "$scratch/soak-${test% *}" >>"$scratch/soak"
	done
}

# soak_kills SECONDS: controller and agents killed in the middle of applies, until that was done 500 times or the time is up; what earlier
# calls did stays in build/soak-kills.jsonl.
soak_kills() {
	local output=$scratch/soak-kills status=passed took=$SECONDS
	HOLDFAST_BIN=$root/build/release/bin python3 -B "$root/tests/integration/kills/kills.py" \
		--results "$root/build/soak-kills.jsonl" --count 500 --seconds "$1" >"$output" 2>&1 </dev/null || status=failed
	printf '%s\tsoak-kills\t%d\t%s\n' "$status" $((SECONDS - took)) "$output" >>"$scratch/soak"
}

# soak_vm: what the suite vm leaves out for time's sake.
soak_vm() {
	local output=$scratch/soak-vm
	"$root/tests/vm/run" --build "$root/build/release" --output "$output" -R '^vm-differential$' --everything \
		2>"$scratch/soak-vm.log" </dev/null >>"$scratch/soak" || printf 'failed\tmachine\t0\t%s\n' "$scratch/soak-vm.log" >>"$scratch/soak"
}

# soak_lab SECONDS: every fault of the lab, keepalived's beside it, until each was there 50 times or the time is up. What is kept in the
# tree, docs/failover-figures.jsonl, is measured on a quiet machine only: docs/failover-figures.md says how.
soak_lab() {
	local output=$scratch/soak-lab figures=$scratch/soak-lab-figures status=passed took=$SECONDS results=$root/build/soak-faults.jsonl
	HOLDFAST_BIN=$root/build/release/bin python3 -B "$root/tests/integration/lab/soak.py" "$results" --seconds "$1" \
		>"$output" 2>&1 </dev/null || status=failed
	printf '%s\tsoak-lab\t%d\t%s\n' "$status" $((SECONDS - took)) "$output" >>"$scratch/soak"
	status=passed
	python3 -B "$root/tests/integration/lab/figures.py" "$results" >"$figures" 2>&1 || status=failed
	printf '%s\tsoak-lab-figures\t0\t%s\n' "$status" "$figures" >>"$scratch/soak"
}

# run_ctest LABEL PRESET [PLACES]: the tests with this label, two at a time where they allow it; PLACES: see ctest_results.
run_ctest() {
	local begin=$SECONDS
	ctest_results "$1" "$2" "$1" "${3:-2}"
	tally_results "$1" "$begin"
}

# ctest_results LABEL PRESET NAME PLACES: the same; the results are in $scratch/NAME.results. A test takes one of the places, or as many as it
# says: those of the integration suite two, or one if they do little but wait.
ctest_results() {
	local label=$1 build=$root/build/$2 name=$3
	local arguments=(--test-dir "$build" -L "^$label\$" -j "$4" --no-tests=ignore --output-junit "$scratch/$name.xml"
		--test-output-size-passed 65536 --test-output-size-failed 65536)
	[ -z "$filter" ] || arguments+=(-R "$filter")
	ctest "${arguments[@]}" >"$scratch/$name.log" 2>&1 </dev/null
	python3 -B "$root/tests/runner/junit.py" "$scratch/$name.xml" "$scratch/$name.output" >"$scratch/$name.results" ||
		printf 'failed\tctest\t0\t%s\n' "$scratch/$name.log" >>"$scratch/$name.results"
	suite_is_not_empty "$name" ctest
}

# tally_results SUITE BEGIN
tally_results() {
	tally_suite "$1" $((SECONDS - $2)) "$scratch/$1.results" "$([ -s "$scratch/$1.results" ] || echo 'no such test')"
}

# suite_is_not_empty SUITE NAME: a suite in which nothing ran, though nobody chose among its tests, has failed, under this name.
suite_is_not_empty() {
	[ -z "$filter" ] && [ ! -s "$scratch/$1.results" ] || return 0
	printf 'failed\t%s\t0\t%s\n' "$2" "$scratch/$1.log" >"$scratch/$1.results"
}
