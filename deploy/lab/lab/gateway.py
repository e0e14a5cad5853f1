# SPDX-License-Identifier: GPL-2.0-or-later
"""A gateway: a machine plugged into three networks, and what runs on it."""
import os
import signal

from . import network
from .service import Service
from .wait import wait_for


class Gateway:
    """The machine alone, as the administrator of a new host would have set it up. What makes it serve is added by a subclass."""

    def __init__(self, net, name):
        self.network, self.name, self.place = net, name, network.PLACES[name]
        self.machine, self._ports = None, {}

    def power_on(self):
        place = self.place
        self.machine = self.network.add(self.name)
        for interface, bridge in ((place.wan, network.OUTER), (place.lan, network.LAN), (place.management, network.MANAGEMENT)):
            self._ports[bridge] = self.network.plug(self.machine, interface, bridge)
        self.machine.ip(*self.address_lines())
        self.start()

    def address_lines(self):
        """Its own addresses and routes, for `ip -batch`, once its links are up."""
        place = self.place
        return (f"addr add {place.outer_address}/24 dev {place.wan}", f"addr add {place.outer_address6}/64 dev {place.wan} nodad",
                f"addr add {place.lan_address}/24 dev {place.lan}", f"addr add {place.management_address}/24 dev {place.management}",
                f"route add default via {network.ROUTER}", f"route add ::/0 via {network.ROUTER6}")

    def power_off(self):
        """Links first, all in one step, so that not even a FIN leaves; then everything dies, and nothing of this kernel survives.
        Returns when that was."""
        when = self.machine.links_down()
        self.machine.destroy()
        del self.network.machines[self.name]
        self.forget()
        self.network.unplug(self._ports.values())
        self.machine = None
        return when

    def port(self, bridge):
        """The name of the switch's port that it is plugged into."""
        return self._ports[bridge]

    def outer_link(self, up):
        self.network.port_up(self._ports[network.OUTER], up)

    def start(self):
        raise NotImplementedError

    def forget(self):
        """Takes leave of the processes of a machine that is gone."""
        raise NotImplementedError


class HoldfastGateway(Gateway):
    def __init__(self, net, name, files, programs):
        super().__init__(net, name)
        self._files, self._programs, self.agent = files, programs, None

    def start(self):
        self.agent = Service(self.machine, "agent", [os.path.join(self._programs, "holdfast-agent"), "--config",
                                                     self._files.path(self.name, "etc", "agent.yaml")],
                             self._files.log(self.name), realtime=True)
        self.agent.start()
        wait_for(f"{self.name} takes requests, and signals", 10, self._is_up)

    def _is_up(self):
        return self.machine.run("sh", "-c", "test -S /run/holdfast/agent.sock && echo yes", check=False)

    def hang(self):
        """Returns when that was."""
        return self.agent.signal(signal.SIGSTOP)

    def wake(self):
        self.agent.signal(signal.SIGCONT)

    def forget(self):
        self.agent.forget()
