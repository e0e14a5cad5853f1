# SPDX-License-Identifier: GPL-2.0-or-later
# Installing and building, for the demo and the test runner. Sourced by them.
# $root is the repository, $self the name that messages begin with.

die() {
	printf '%s: %s\n' "$self" "$1" >&2
	exit 1
}

# packages_for PURPOSE...: the packages listed for these purposes.
packages_for() {
	local purpose
	for purpose; do
		sed -n "s/^$purpose  *//p" "$root/deploy/lab/packages"
	done | tr -s ' ' '\n'
}

# missing_packages PURPOSE...: those of them that are not installed.
missing_packages() {
	local package
	for package in $(packages_for "$@"); do
		dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q ' installed$' || echo "$package"
	done
}

# install_packages yes|no PURPOSE...: says what is missing and installs it, or stops if it may not.
install_packages() {
	local may=$1 missing
	shift
	command -v dpkg-query >/dev/null || die "this is for Debian: there is no dpkg-query here"
	mapfile -t missing < <(missing_packages "$@")
	[ "${#missing[@]}" -gt 0 ] || return 0
	[ "$may" = yes ] || die "packages are missing (--no-install was given): ${missing[*]}"
	echo "Installing ${missing[*]}"
	local apt=(apt-get -qq -o DPkg::Lock::Timeout=300) said
	said=$({
		"${apt[@]}" update && DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "${missing[@]}"
	} </dev/null 2>&1) || die "apt-get could not install ${missing[*]}:
$(tail -n 10 <<<"$said")"
}

# build_preset PRESET [TARGET...]: configures and builds in build/PRESET, one at a time; shows what went wrong if that fails.
build_preset() {
	local preset=$1 log=$root/build/$1.log
	shift
	mkdir -p "$root/build"
	if ! (
		flock 9
		cd "$root" && cmake --preset "$preset" && cmake --build --preset "$preset" ${1:+--target "$@"}
	) 9>"$root/build/$preset.lock" >"$log" 2>&1 </dev/null; then
		grep -E -A5 'error|FAILED|CMake Error' "$log" | tail -n 40 >&2
		return 1
	fi
}
