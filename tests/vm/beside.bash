# SPDX-License-Identifier: GPL-2.0-or-later
# Tests that run here, with a virtual machine as one of the lab's gateways. Sourced by run.

# make_gateway_image FILE: the root file system of such a machine, small, for it is booted once a test.
make_gateway_image() {
	local image=$work/gateway command
	mkdir -p "$image"/{usr/bin,usr/sbin,usr/lib,usr/lib64,proc,sys,dev,tmp,run,etc,var}
	ln -s usr/bin "$image/bin"
	ln -s usr/sbin "$image/sbin"
	ln -s usr/lib "$image/lib"
	ln -s usr/lib64 "$image/lib64"
	for command in ip chrt; do
		add_program "$image" "$(PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin command -v "$command")" "usr/bin/$command"
	done
	cp "$(command -v busybox)" "$image/usr/bin/busybox"
	add_program "$image" "$build/bin/holdfast-agent" usr/bin/holdfast-agent
	add_modules "$image"
	cp "$here/gateway_init" "$image/init"
	pack_image "$image" "$1"
}

# beside_programs: NAME <tab> FILE of those that are wanted.
beside_programs() {
	local file name
	for file in "$here"/beside_*.py; do
		name=${file##*/beside_} name=vm-${name%.py}
		if [[ -z $filter || $name =~ $filter ]]; then
			printf '%s\t%s\n' "$name" "$file"
		fi
	done
}

# run_beside NAME FILE: runs it; prints its result line.
run_beside() {
	local name=$1 status=passed took=$SECONDS
	HOLDFAST_BIN=$build/bin timeout -k 10 300 python3 -B "$2" "$kernel" "$work/gateway.initrd" >"$output/$name" 2>&1 </dev/null || status=failed
	printf '%s\t%s\t%d\t%s\n' "$status" "$name" $((SECONDS - took)) "$output/$name"
}

# run_all_beside: one after the other, for they measure time.
run_all_beside() {
	local name file
	make_gateway_image "$work/gateway.initrd"
	while IFS=$'\t' read -r name file; do
		run_beside "$name" "$file"
	done <<<"$beside"
}
