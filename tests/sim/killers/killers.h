/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_SIM_KILLERS_H
#define HOLDFAST_TESTS_SIM_KILLERS_H

#include "tests/sim/world.h"

/*
 * The killers (FAILOVER section 6, "known killers"), one file for each family. Each runs in a world in which an owner has
 * served for a while, and fails the world if it ends otherwise than it should; the invariants are looked at all along. A
 * killer that says nothing in this mode, or with so few gateways, returns at once. A new one is declared here and gets its
 * name in killer.c.
 */

/* cut.c: ways and cables that are cut */
void killer_owner_cut_one_way(struct world *world);
void killer_split_with_the_owner(struct world *world);
void killer_split_from_the_owner(struct world *world);
void killer_owner_cut_from_controller(struct world *world);
void killer_standby_cable_out(struct world *world);
void killer_cable_replugged(struct world *world);
void killer_half_silent(struct world *world);

/* filter.c: what somebody does to the packet filter of a gateway: shuts it out, or opens its fence */
void killer_liveness_port_blocked(struct world *world);
void killer_owner_filtered(struct world *world);
void killer_ruleset_flushed(struct world *world);
void killer_standby_flushed(struct world *world);

/* controller.c: it is gone, alone or with others, restored, or there are two */
void killer_controller_restored(struct world *world);
void killer_one_after_the_other(struct world *world);
void killer_standby_without_controller(struct world *world);
void killer_standby_beside_a_leaver(struct world *world);
void killer_frozen_without_controller(struct world *world);
void killer_two_successors(struct world *world);
void killer_controller_gone(struct world *world);
void killer_controller_and_standby_gone(struct world *world);
void killer_controller_restarts_beside_a_cut(struct world *world);
void killer_fenced_beside_a_cut(struct world *world);
void killer_box_of_both(struct world *world);
void killer_two_controllers(struct world *world);

/* order.c: moves that are interrupted, and orders that are read late */
void killer_guest_paused(struct world *world);
void killer_order_read_late(struct world *world);
void killer_move_interrupted(struct world *world);
void killer_controller_gone_after_the_release(struct world *world);

/* promise.c: what was granted or promised, and to whom */
void killer_grant_read_late(struct world *world);
void killer_promised_and_ordered(struct world *world);
void killer_some_promise(struct world *world);
void killer_controller_restarts_without_the_owner(struct world *world);
void killer_terms_changed(struct world *world);
void killer_revoked_while_away(struct world *world);
void killer_owner_behind(struct world *world);
void killer_owner_behind_alone(struct world *world);
void killer_owner_behind_restarts(struct world *world);
void killer_all_were_away(struct world *world);
void killer_owner_dies_at_the_commit(struct world *world);
void killer_revoked_and_restored(struct world *world);
void killer_stored_and_not_committed(struct world *world);
void killer_joined_behind_a_cut(struct world *world);

/* ways.c: the network between hosts; whatever is cut stays so until ways_open(), which opens all */
void ways_cut(struct world *world, size_t from, size_t to);
void ways_cut_both(struct world *world, size_t a, size_t b);
/* No way between the gateway, with the controller if it is on its side, and everybody else. */
void ways_split(struct world *world, size_t gateway, bool with_controller);
void ways_open(struct world *world);

/* expect.c: how a killer should have ended; each fails the world if it did not */
void expect_no_move(struct world *world, size_t before);          /* ... and not a moment without service */
void expect_kept_or_followed(struct world *world, size_t before); /* ... within FENCE_MS */
void expect_one_move(struct world *world, size_t from);
/* When datagrams are lost two may succeed, one after the other: what either waits for may take it longer than its turn. */
void expect_succession(struct world *world);
/* The others have somebody to go by, or know of nobody who could tell them that it is not their own cable. */
bool has_witness(const struct world *world);

#endif
