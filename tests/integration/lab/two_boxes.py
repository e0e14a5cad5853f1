# SPDX-License-Identifier: GPL-2.0-or-later
"""Two gateways and no third host: the controller is on the first one, under the gateway's own address and a port of its own."""
import labtest  # noqa: F401: it knows where the lab is
from lab import network
from lab.gateway import HoldfastGateway
from lab.scene import HOME, HoldfastScene

CONTROLLER_PORT = 7445      # the agent has 7443/udp


class ControllerBox(HoldfastGateway):
    """A gateway that runs the controller as well: one power switch for both."""

    controller = None

    def start(self):
        super().start()
        self.controller.start(self.machine)

    def forget(self):
        super().forget()
        self.controller.service.forget()


class TwoBoxScene(HoldfastScene):
    """The operator sits at the router, for there is no other host on the segment."""

    operator_at = "nat"

    def __init__(self, files, programs, **options):
        super().__init__(files, programs, **options)
        files.controller = f"{network.PLACES[HOME].outer_address}:{CONTROLLER_PORT}"

    def start_controller(self):
        """It is started with its box."""

    def new_gateway(self, name):
        if name != HOME:
            return super().new_gateway(name)
        box = ControllerBox(self.network, name, self.files, self._programs)
        box.controller = self.controller
        return box
