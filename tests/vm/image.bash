# SPDX-License-Identifier: GPL-2.0-or-later
# The root file system of the virtual machine: this host's own programs with their libraries. Sourced by run.

commands=(bash sh env cat ip nft wg ping arping sysctl hostname unshare nsenter chrt mount pkill pgrep ps readlink tcpdump
	wireguard-go wg-quick stat bird birdc ethtool)

# make_image DIRECTORY PROGRAMS: PROGRAMS are lines of NAME <tab> FILE.
make_image() {
	local image=$1 programs=$2 command name file
	mkdir -p "$image"/{usr/bin,usr/sbin,usr/lib,usr/lib64,proc,sys,dev,tmp,run,etc,var,tests,holdfast/deploy/lab,holdfast/bin}
	ln -s usr/bin "$image/bin"
	ln -s usr/sbin "$image/sbin"
	ln -s usr/lib "$image/lib"
	ln -s usr/lib64 "$image/lib64"
	ln -s ../run "$image/var/run"
	printf 'root:x:0:0::/root:/bin/sh\ntcpdump:x:104:104::/:/bin/false\n' >"$image/etc/passwd"
	printf 'root:x:0:\ntcpdump:x:104:\n' >"$image/etc/group"
	for command in "${commands[@]}"; do
		file=$(PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin command -v "$command") || continue
		add_program "$image" "$file" "usr/bin/$command"
	done
	cp "$(command -v busybox)" "$image/usr/bin/busybox"
	add_python "$image"
	add_modules "$image"
	add_holdfast "$image"
	while IFS=$'\t' read -r name file; do
		add_program "$image" "$file" "tests/$name"
	done <<<"$programs"
	cp "$here/init" "$image/init"
}

# pack_image DIRECTORY FILE: not compressed, for the emulator would spend its time unpacking.
pack_image() {
	(cd "$1" && find . | cpio -o -H newc --quiet) >"$2"
}

# add_program IMAGE FILE PLACE: a program or script, and the libraries it is linked with.
add_program() {
	cp -L "$2" "$1/$3"
	chmod +x "$1/$3"
	add_libraries "$1" "$2"
}

# add_libraries IMAGE FILE...: at their own paths; /lib is /usr/lib here as there.
add_libraries() {
	local image=$1 library
	shift
	ldd "$@" 2>/dev/null | awk '$2 == "=>" { print $3 } $1 ~ "^/.*[^:]$" { print $1 }' | sort -u | while read -r library; do
		mkdir -p "$image${library%/*}"
		[ -e "$image$library" ] || cp -L "$library" "$image$library"
	done
}

# Debian's Python with the library that a program without a window needs.
add_python() {
	local image=$1 version
	version=$(/usr/bin/python3 -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
	add_program "$image" "/usr/bin/$version" usr/bin/python3
	(cd /usr/lib && tar -c --exclude=config-* --exclude=test --exclude=tkinter --exclude=idlelib --exclude=lib2to3 --exclude=ensurepip \
		"$version") | tar -x -C "$image/usr/lib"
	add_libraries "$image" /usr/lib/"$version"/lib-dynload/*.so
}

# The kernel's network modules and what they stand on, with modprobe so that the kernel loads what it needs by itself.
add_modules() {
	local image=$1 version=${modules##*/}
	mkdir -p "$image/lib/modules/$version"
	cp "$modules"/modules.{builtin,builtin.modinfo,order} "$image/lib/modules/$version/"
	(cd "$modules" && tar -c kernel/net kernel/lib kernel/crypto kernel/arch kernel/drivers/net kernel/drivers/virtio) | tar -x -C "$image/lib/modules/$version"
	depmod -b "$image" "$version"
	add_program "$image" "$(command -v kmod)" usr/bin/kmod
	ln -s ../bin/kmod "$image/usr/sbin/modprobe"
}

# The programs under test, the lab, and what tests share with the integration suite, laid out as in the repository.
add_holdfast() {
	local image=$1 program
	for program in holdfast holdfast-agent holdfast-controller; do
		[ ! -x "$build/bin/$program" ] || add_program "$image" "$build/bin/$program" "holdfast/bin/$program"
	done
	cp -r "$root/deploy/lab/lab" "$image/holdfast/deploy/lab/"
	cp -r "$root/deploy/examples" "$image/holdfast/deploy/"
	mkdir -p "$image"/holdfast/tests/integration/{lab,quick,routing}
	cp "$root/tests/integration/runner.py" "$image/holdfast/tests/integration/"
	cp "$root"/tests/integration/lab/labtest.py "$image/holdfast/tests/integration/lab/"
	cp "$root"/tests/integration/routing/*.py "$image/holdfast/tests/integration/routing/"
	cp "$root"/tests/integration/quick/*.py "$image/holdfast/tests/integration/quick/"
	cp -r "$root/tests/integration/quick/differential" "$image/holdfast/tests/integration/quick/"
	mkdir "$image/holdfast/docs"
	cp "$root/docs/wg-quick.md" "$image/holdfast/docs/"
}
