# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's kernel for clouds, as a package that is unpacked, never installed. Sourced by run.

# fetch_kernel: sets $kernel (the file to boot) and $modules (its directory of modules).
fetch_kernel() {
	local cache=$root/build/vm
	mkdir -p "$cache"
	(
		flock 9
		[ -e "$cache/complete" ] || unpack_kernel "$cache"
	) 9>"$cache/lock"
	kernel=$(echo "$cache"/tree/boot/vmlinuz-*)
	modules=$(echo "$cache"/tree/lib/modules/*)
}

unpack_kernel() {
	local cache=$1 package
	rm -rf "$cache/tree" "$cache"/*.deb
	package=$(kernel_package)
	[ -n "$package" ] || {
		apt-get -qq -o DPkg::Lock::Timeout=300 update
		package=$(kernel_package)
	}
	(cd "$cache" && apt-get -qq download "$package" 2>/dev/null) || die "cannot download the package $package"
	dpkg -x "$cache/$package"_*.deb "$cache/tree"
	rm "$cache"/*.deb
	touch "$cache/complete"
}

# The versioned package that linux-image-cloud-amd64 stands for at the moment.
kernel_package() {
	apt-cache depends linux-image-cloud-amd64 2>/dev/null | awk '/Depends/ { print $2; exit }'
}
