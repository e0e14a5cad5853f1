# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that Debian's own systemd has booted: PID 1 of namespaces of its own, with what `cmake --install` puts in place. Of
Debian's units it has those that it is told, and the targets; the host's are not there."""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
BUILD = os.path.abspath(os.environ.get("HOLDFAST_BIN", "build/release/bin") + "/..")
SYSTEMD = "/lib/systemd/systemd"
JOURNAL = ["systemd-journald.service", "systemd-journald.socket", "systemd-journald-dev-log.socket"]  # wanted by sockets.target
BUS = ["dbus.service", "dbus.socket"]
LIMIT_S = 60  # for what takes a second here

# The control group was entered before its namespace was made: what systemd makes lies beneath that.
# No look for leaks when a daemon ends: LeakSanitizer spins with the unit's real-time priority until its helper, which has none
# (CPUSchedulingResetOnFork), gets a turn, and on busy processors that is never. The lab looks for them.
BOOT = r"""
set -e
mount --make-rprivate /
mount -t cgroup2 none "$dir/cgroup"
mount -t sysfs -o ro none /sys
mount --move "$dir/cgroup" /sys/fs/cgroup
echo the machine can be
mount -t tmpfs none /run
mkdir -p /run/lock /run/units /run/over/etc /run/over/work /run/home
cp -r "$dir"/units/. /run/units
mount -t overlay none -o "lowerdir=/etc,upperdir=/run/over/etc,workdir=/run/over/work" /etc
rm -rf /etc/systemd /etc/holdfast /etc/wireguard /etc/NetworkManager /etc/resolv.conf
mkdir -p /etc/systemd/system /etc/systemd/network /etc/holdfast /etc/wireguard /etc/NetworkManager/conf.d
echo nameserver 192.0.2.53 >/etc/resolv.conf
printf "[Journal]\nStorage=volatile\nReadKMsg=no\n" >/etc/systemd/journald.conf
printf "[Manager]\nDefaultEnvironment=ASAN_OPTIONS=detect_leaks=0\n" >/etc/systemd/system.conf
[ -s /etc/machine-id ] || echo 0123456789abcdef0123456789abcdef >/etc/machine-id
[ -z "$over" ] || mount -t overlay none -o "lowerdir=$over/usr:/usr" /usr
mount --bind "$dir/stage/usr/local" /usr/local
mount -t tmpfs none /var/lib
cp -r "$dir"/files/. /
mount -t tmpfs none /tmp
ip link set lo up
{prepare}
exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin container=holdfast-test LANG=C.UTF-8 \
	SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/systemd/system:/run/systemd/transient:/run/units:/usr/local/lib/systemd/system \
	{systemd} --system --unit=basic.target --show-status=0 --log-target=journal-or-kmsg </dev/null
"""


class CannotBoot(Exception):
    """Why systemd cannot be PID 1 here."""


def skip(why):
    print(f"skipped: {why}")
    sys.exit(77)


def until(what, condition, seconds=LIMIT_S, explain=lambda: ""):
    end = time.monotonic() + seconds
    while not (result := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}\n{explain()}")
        time.sleep(0.02)
    return result


def unified():
    """Where version 2 of control groups is mounted, and our own group there."""
    with open("/proc/self/mounts", encoding="ascii") as mounts:
        at = next((line.split()[1] for line in mounts if line.split()[2] == "cgroup2"), None)
    with open("/proc/self/cgroup", encoding="ascii") as groups:
        own = next((line.strip().split("::", 1)[1] for line in groups if line.startswith("0::")), None)
    if at is None or own is None:
        raise CannotBoot("version 2 of control groups is not mounted")
    return at + own.rstrip("/")


class Machine:
    def __init__(self, units=(), prepare="", files=(), over=None):
        """prepare: commands in the new machine's namespaces, before systemd; files: {path: text}, written before as well; over: where
        packages are unpacked that shall lie over /usr."""
        if not os.path.exists(SYSTEMD):
            raise CannotBoot("systemd is not installed")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: sys.exit(1))
        self.dir = tempfile.mkdtemp(prefix="hf-booted-")
        self.group = self.process = None
        try:
            self.install(units, over)
            self.boot(prepare, dict(files), over)
        except BaseException:
            self.close()
            raise

    def install(self, units, over):
        os.makedirs(self.dir + "/units/sockets.target.wants")
        os.makedirs(self.dir + "/cgroup")
        places = ["/lib/systemd/system", *([over + "/usr/lib/systemd/system"] if over else [])]
        for unit in [*glob.glob("/lib/systemd/system/*.target"), *(f"{place}/{name}" for place in places for name in (*JOURNAL, *units))]:
            if os.path.exists(unit):
                shutil.copy(unit, self.dir + "/units/" + os.path.basename(unit))
        for socket in [name for name in (*JOURNAL, *units) if name.endswith(".socket")]:
            os.symlink("../" + socket, f"{self.dir}/units/sockets.target.wants/{socket}")
        subprocess.run(["cmake", "--install", BUILD], check=True, stdout=subprocess.DEVNULL, env={**os.environ, "DESTDIR": self.dir + "/stage"})

    def make_group(self):
        self.group = unified() + "/" + os.path.basename(self.dir)
        try:
            os.mkdir(self.group)
        except OSError as error:
            raise CannotBoot(f"no control group can be made: {error}") from error

    def boot(self, prepare, files, over):
        self.make_group()
        os.mkdir(self.dir + "/files")
        for path, text in files.items():
            os.makedirs(os.path.dirname(self.dir + "/files" + path), exist_ok=True)
            with open(self.dir + "/files" + path, "w", encoding="utf-8") as file:
                file.write(text)
        script = BOOT.replace("{prepare}", prepare).replace("{systemd}", SYSTEMD)
        log = open(self.dir + "/boot.log", "wb")
        self.process = subprocess.Popen(
            ["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec "$@"', self.group, "setpriv", "--pdeathsig", "KILL", "unshare", "--cgroup",
             "--ipc", "--mount", "--net", "--pid", "--uts", "--fork", "--kill-child=KILL", "--mount-proc", "bash", "-c", script],
            env={**os.environ, "dir": self.dir, "over": over or ""}, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        log.close()
        until("systemd is there", self.pid_of_init, explain=self.boot_log)
        state = until("systemd has booted", self.booted, explain=self.boot_log)
        if state == "over":
            raise CannotBoot("systemd ended: " + self.boot_log()[-500:])
        self.look_for_realtime()

    def boot_log(self):
        with open(self.dir + "/boot.log", encoding="utf-8", errors="replace") as file:
            return file.read()

    def pid_of_init(self):
        if self.process.poll() is not None:
            assert "the machine can be" not in self.boot_log(), self.boot_log()
            raise CannotBoot("no namespaces for it: " + self.boot_log()[-500:])
        children = f"/proc/{self.process.pid}/task/{self.process.pid}/children"
        with open(children, encoding="ascii") as file:
            pids = file.read().split()
        if not pids:
            return None
        with open(f"/proc/{pids[0]}/comm", encoding="ascii") as file:
            self.init = pids[0]
            return file.read().strip() == "systemd"

    def booted(self):
        if self.process.poll() is not None:
            return "over"
        return "booted" if self.call("systemctl", "is-active", "-q", "basic.target")[0] == 0 else None

    def look_for_realtime(self):
        """Some containers let nobody have it, and systemd then starts no unit that asks for it."""
        self.realtime = self.call("chrt", "-r", "10", "true")[0] == 0
        for unit in () if self.realtime else ("holdfast-agent", "holdfast-controller"):
            self.write(f"/etc/systemd/system/{unit}.service.d/realtime.conf", "[Service]\nCPUSchedulingPolicy=other\n", mode="644")
        if not self.realtime:
            self.run("systemctl", "daemon-reload")

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)  # its child goes with it, and with PID 1 all the others
            self.process.wait()
        if self.group and os.path.isdir(self.group):
            until("its control groups are gone", self.remove_groups)
        shutil.rmtree(self.dir, ignore_errors=True)

    def remove_groups(self):
        for path, _, _ in os.walk(self.group, topdown=False):
            try:
                os.rmdir(path)
            except OSError:
                return False
        return True

    # ---- on it ----

    def call(self, *command, stdin=None):
        """Status, output and errors."""
        done = subprocess.run(["nsenter", "-t", self.init, "-m", "-n", "-p", "-u", "-i", "-C", "--", *command], input=stdin,
                              stdin=subprocess.DEVNULL if stdin is None else None, capture_output=True, text=True, timeout=LIMIT_S, check=False)
        return done.returncode, done.stdout, done.stderr

    def run(self, *command, stdin=None):
        status, out, said = self.call(*command, stdin=stdin)
        assert status == 0, f"{' '.join(command)}: {status}\n{out}{said}"
        return out

    def ip(self, *arguments):
        return self.run("ip", *arguments)

    def write(self, path, text, mode="600"):
        self.run("install", "-D", "-m", mode, "/dev/stdin", path, stdin=text)

    def show(self, unit, what):
        return self.run("systemctl", "show", "--value", "-p", what, unit).strip()

    def start(self, unit):
        status, _, said = self.call("systemctl", "start", unit)
        assert status == 0, said + self.journal(unit)

    def journal(self, unit=None, more=()):
        return self.call("journalctl", "--no-pager", "-o", "cat", *(["-u", unit] if unit else []), *more)[1]

    def until(self, what, condition, seconds=LIMIT_S):
        return until(what, condition, seconds, lambda: self.journal()[-6000:])


def run(tests, begin=lambda machine: None, **options):
    """Boots a machine with these options, which a test program is skipped without, and runs its tests in it one after the other."""
    try:
        machine = Machine(**options)
    except CannotBoot as why:
        skip(str(why))
    try:
        begin(machine)
        for test in tests:
            run_one(test, machine)
    finally:
        machine.close()


def run_one(test, machine):
    began = time.monotonic()
    try:
        test(machine)
    except BaseException:
        print(f"not ok {test.__name__}\n{machine.journal()[-6000:]}", flush=True)
        raise
    print(f"ok {test.__name__} {time.monotonic() - began:.1f} s", flush=True)
