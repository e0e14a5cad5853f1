# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway of the lab that is a virtual machine with a kernel of its own, and kernel WireGuard: emulated, on taps that are plugged into the
lab's switches like any other gateway's cables. It goes before other programs of this host: it is some 30 times slower than they are as it is."""
import math
import os
import subprocess
import time

from lab import network
from lab.gateway import Gateway
from lab.scene import GATEWAYS, HOME, HoldfastScene
from lab.wait import wait_for

_MEMORY_MB, _OBEYS_S = 384, 0.05


def _newc(name, mode, data):
    """One file in cpio's format `newc` (the kernel's Documentation/driver-api/early-userspace/buffer-format.rst)."""
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = ("070701" + "".join(f"{field:08x}" for field in fields) + name + "\0").encode()
    return b"".join(part + bytes(-len(part) % 4) for part in (head, data))


def _archive(files):
    """An archive of {absolute path: content} with the directories above them; the kernel unpacks it over the one before."""
    parents = {directory for path in files for directory in _above(path)}
    entries = [_newc(directory.lstrip("/"), 0o40700, b"") for directory in sorted(parents)]
    entries += [_newc(path.lstrip("/"), 0o100600, data) for path, data in files.items()]
    return b"".join(entries) + _newc("TRAILER!!!", 0, b"")


def _above(path):
    while (path := os.path.dirname(path)) != "/":
        yield path


class VmGateway(Gateway):
    """`kernel` and `image` are what it boots."""

    def __init__(self, net, name, files, kernel, image):
        super().__init__(net, name)
        self._files, self._kernel, self._image, self._qemu, self._asked = files, kernel, image, None, 0

    def power_on(self):
        fabric = self.network.machines["fabric"]
        taps = [self._tap(bridge) for bridge in (network.OUTER, network.LAN, network.MANAGEMENT)]
        devices = [word for tap in taps for word in
                   ("-netdev", f"tap,id={tap},ifname={tap},script=no,downscript=no", "-device", f"virtio-net-pci,netdev={tap},mac={_mac(tap)}")]
        self._qemu = fabric.spawn(
            "nice", "-n", "-20", "qemu-system-x86_64", "-accel", "tcg,thread=single", "-smp", "1", "-m", str(_MEMORY_MB), "-cpu", "max", "-no-reboot",
            "-display", "none", "-monitor", "none", "-nodefaults", *devices,
            "-serial", f"file:{self._files.log(self.name + '-console')}", "-serial", f"file:{self._files.log(self.name)}", "-serial", "stdio",
            "-kernel", self._kernel, "-initrd", self._initrd(), "-append", "console=ttyS0 quiet panic=0",
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for tap, bridge in zip(taps, (network.OUTER, network.LAN, network.MANAGEMENT)):
            wait_for(f"{self.name}: its {bridge} port", 10, lambda t=tap: fabric.run("ip", "link", "show", t, check=False))
            fabric.ip(f"link set {tap} master {bridge} up")

    def tell(self, line):
        """A shell command, to its serial line."""
        self._qemu.stdin.write(line + "\n")
        self._qemu.stdin.flush()

    def set_clock(self, ahead_s):
        """So far ahead of this host's, but for what it takes to obey."""
        whole = math.ceil(time.time() + ahead_s + _OBEYS_S) + 1      # it can be told whole seconds only
        time.sleep(whole - ahead_s - _OBEYS_S - time.time())
        self.tell(f"date -s @{whole} > /dev/null")

    def processor_ms(self, seconds=30):
        """What its kernel has counted so far, in ms: all of it but the idle time, the interrupts' part, its agent's."""
        self._asked += 1
        mark = f"processor {self._asked}:"
        self.tell(f'echo "{mark} $(head -n 1 /proc/stat) $(cut -d " " -f 14,15 /proc/$(pidof holdfast-agent)/stat)"')
        words = wait_for(f"{self.name} tells its processor time", seconds, lambda: self._said(mark))
        user, nice, system, _, _, irq, softirq, *_ = map(int, words[1:11])      # proc(5): in hundredths of a second
        return {"busy": 10 * (user + nice + system + irq + softirq), "interrupts": 10 * (irq + softirq), "agent": 10 * sum(map(int, words[11:13]))}

    def _said(self, mark):
        """The words behind the mark on its console, once all of them are there."""
        with open(self._files.log(f"{self.name}-console"), encoding="utf-8", errors="replace") as console:
            line = next((line for line in console if line.startswith(mark)), "")
        return line[len(mark):].split() if line.endswith("\n") else None

    def panic(self):
        """Its kernel panics and stands still."""
        self.tell("echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger")

    def forget(self):
        if self._qemu:
            self._qemu.kill()
            self._qemu.communicate()
            self._qemu = None

    def start(self):
        """Its agent is started by its own first process."""

    def _tap(self, bridge):
        self._ports[bridge] = f"vm{self.name[-1]}{bridge}"
        return self._ports[bridge]

    def _network_lines(self):
        """Links of a lab's namespace are born up, and with their names."""
        place = self.place
        links = tuple(enumerate((place.wan, place.lan, place.management)))
        return (*(f"link set eth{n} name {link}" for n, link in links if link != f"eth{n}"), *(f"link set {link} up" for _, link in links),
                *self.address_lines())

    def _initrd(self):
        """The image, and behind it this gateway's own disk."""
        etc = self._files.path(self.name, "etc")
        files = {os.path.join(etc, name): open(os.path.join(etc, name), "rb").read() for name in os.listdir(etc)}
        files[self._files.path(self.name, "state", ".keep")] = b""
        files["/gateway/network"] = ("\n".join(self._network_lines()) + "\n").encode()
        files["/gateway/agent"] = os.path.join(etc, "agent.yaml").encode()
        path = self._files.path(self.name, "initrd")
        with open(self._image, "rb") as image, open(path, "wb") as initrd:
            data = image.read()
            initrd.write(data + bytes(-len(data) % 512) + _archive(files))
        return path


def _mac(tap):
    """One for each port, locally administered."""
    return "52:54:00:" + ":".join(f"{byte:02x}" for byte in tap.encode()[-3:])


class VmScene(HoldfastScene):
    """One gateway is a virtual machine, everything else is as ever."""

    def __init__(self, files, programs, kernel, image, virtual=HOME, **options):
        super().__init__(files, programs, **options)
        self._boots, self._virtual = (kernel, image), virtual

    def new_gateway(self, name):
        if name != self._virtual:
            return super().new_gateway(name)
        return VmGateway(self.network, name, self.files, *self._boots)

    def go_home(self):
        """At the start. What is emulated may be too slow to confirm an order in time, and is passed over: then it is asked again."""
        wait_for(f"{HOME} has the endpoint", 90, self._is_home)

    def _is_home(self):
        self.controller.wait_ready(GATEWAYS)
        return self.owner() == HOME or self.controller.try_holdfast("move", self.controller.endpoint, HOME)[0] == 0

    def stop(self):
        """What is left of it ends as an administrator would end it."""
        for service in (*(gateway.agent for gateway in self.gateways.values() if gateway.name != self._virtual), self.controller.service):
            service.stop()
            service.check_log()
