# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reboot is not: an agent that is only started anew moves nothing, a standby keeps no host from going down, nor does an owner that nobody can
relieve; and the owner hands over as well if its unit is stopped with the host, without logind's word. (With it: test_faults.) About 25 s."""
from labtest import expect, nothing_lost, run, running_scene, wait_for
from lab.scene import GATEWAYS, HOME
from logind import RebootScene

DELAY_S = 5      # logind's default InhibitDelayMaxSec


def causes(scene, after):
    return [event["cause"] for event in scene.controller.events(after) if event["event"] == "order"]


def a_restart_moves_nothing(scene):
    agent, last = scene.gateways[HOME].agent, scene.controller.last_event()
    with nothing_lost(scene, "the agent is started anew"):
        expect(agent.stop() == 0, "the agent did not end well")
        agent.start()
        scene.controller.wait_ready(GATEWAYS)
    expect(scene.owner() == HOME and not causes(scene, last), "a restart of the agent moved the endpoint")
    wait_for("the new agent is told, too", 10, scene.gateways[HOME].logind.holds)


def a_standby_keeps_nobody(scene):
    gateway, last = scene.other(HOME), scene.controller.last_event()
    with nothing_lost(scene, "the standby reboots"):
        gateway.logind.tell("shutdown")
        gateway.logind.wait_released(1)
        gateway.reboot()
        scene.controller.wait_ready(GATEWAYS)
    expect(not causes(scene, last), f"the endpoint moved because of {causes(scene, last)}")


def a_stop_with_the_host_moves_it_first(scene):
    """Without logind's word: `systemctl reboot -ff` of a machine manager, or a lock that came too late."""
    gateway, other, last = scene.gateways[HOME], scene.other(HOME).name, scene.controller.last_event()
    with nothing_lost(scene, "the unit is stopped with its host"):
        gateway.logind.tell("state stopping")
        expect(gateway.agent.stop(DELAY_S) == 0, "the agent did not end well")
        expect(scene.owner() == other, f"the agent has ended, and {scene.owner()} has the endpoint")
        gateway.power_off()
        gateway.power_on()
        scene.controller.wait_ready(GATEWAYS)
    expect(causes(scene, last) == ["leaving"], f"it moved because of {causes(scene, last)}")


def without_a_controller_nobody_is_waited_for(scene):
    owner, last = scene.owner(), scene.controller.last_event()
    gateway = scene.gateways[owner]
    with nothing_lost(scene, "nobody can be told"):
        expect(scene.controller.service.stop() == 0, "the controller did not end well")
        gateway.logind.tell("shutdown")
        gateway.logind.wait_released(DELAY_S - 1)
        with open(scene.files.log(owner), encoding="utf-8") as log:
            expect("not-relieved" in log.read(), "the agent says nothing of it")
        gateway.logind.tell("stay")
        wait_for("it is told the next time, too", 10, gateway.logind.holds)
        scene.controller.start()
        scene.controller.wait_ready(GATEWAYS)
    expect(scene.owner() == owner and not causes(scene, last), "it moved although the host stayed up")


def reboots():
    with running_scene(kind=RebootScene, interval_ms=5) as scene:
        for case in (a_restart_moves_nothing, a_standby_keeps_nobody, a_stop_with_the_host_moves_it_first,
                     without_a_controller_nobody_is_waited_for):
            case(scene)


run(reboots)
