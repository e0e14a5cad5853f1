/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_SEAT_INTERNAL_H
#define HOLDFAST_SEAT_INTERNAL_H

#include "node-agent/core/seat/seat.h"

/* What the files of this core share. evidence.c: does the underlay work? order.c: which epochs count. role.c: what
 * is done when the role changes. move.c: planned moves. exclusive.c: leave to serve, asked and given. seat.c: when. */

/* The moment from which a permit may run now; SEAT_NEVER: none. */
int64_t evidence_ms(const struct seat *seat, int64_t now_ms);
/* There is a witness that would answer if the underlay worked. */
bool evidence_has_witness(const struct seat *seat);
/* When the owner has to fence itself unless evidence comes; INT64_MAX: carrier is all there is to go by. */
int64_t evidence_deadline(const struct seat *seat);
/* Rule 4: qualified again after a stall? Clears unqualified_ms if so. */
void evidence_qualify(struct seat *seat, int64_t now_ms);
/* When evidence_qualify() might succeed without an event; INT64_MAX. */
int64_t evidence_qualify_ms(const struct seat *seat);
/* When the witness is to be probed next. */
int64_t evidence_probe_ms(const struct seat *seat);

void seat_act(
	struct seat_actions *actions, enum seat_action_kind kind, uint32_t timeout_ms, enum seat_why why);

void role_start(
	struct seat *seat, const struct seat_event *event, int64_t now_ms, struct seat_actions *actions);
void role_take(struct seat *seat, const struct order *order, int64_t now_ms, struct seat_actions *actions);
/* Serving under a higher epoch from now on; nothing else changes. */
void role_raise(struct seat *seat, const struct order *order, struct seat_actions *actions);
void role_fence(struct seat *seat, enum seat_why why, struct seat_actions *actions);
/* A standby again, whatever it was. */
void role_leave(struct seat *seat, enum seat_role role, enum seat_why why, struct seat_actions *actions);
void role_spend(struct seat *seat, const struct epoch *epoch);
/* The same, and the others are told in `fence`. */
void role_spend_aloud(struct seat *seat, const struct epoch *epoch);
/* How long a permit may run that is set now. */
uint32_t role_permit_ms(const struct seat *seat, const struct epoch *epoch, int64_t now_ms);
/* The moment from which the permit of an owner under `epoch` may run; SEAT_NEVER: none. */
int64_t role_lease_from_ms(const struct seat *seat, const struct epoch *epoch, int64_t now_ms);
/* Released: told so (SEAT_WHY_NONE), or since a higher epoch is known (SEAT_WHY_LOWER). */
void role_release(struct seat *seat, const struct epoch *epoch, enum seat_why why, int64_t now_ms,
	struct seat_actions *actions);

/* move.c: the steps of a planned move. */
void seat_permit(
	struct seat_actions *actions, enum seat_action_kind kind, uint32_t timeout_ms, bool announces);
void seat_steer(struct seat_actions *actions, enum seat_steer steer);
/* The owner was told to host, or this gateway was invited. */
void move_invite(struct seat *seat, const struct order *order, int64_t now_ms, struct seat_actions *actions);
void move_hear(
	struct seat *seat, const struct seat_event *event, int64_t now_ms, struct seat_actions *actions);
/* HOSTING, and told to release: the commit point. */
void move_relay(struct seat *seat, int64_t now_ms, struct seat_actions *actions);
/* HOSTING, and not to be: it takes its peers back. */
void move_unhost(struct seat *seat, int64_t now_ms, struct seat_actions *actions);
/* Its host may have asked it in meanwhile. */
void move_forgotten(struct seat *seat, int64_t now_ms, struct seat_actions *actions);
void move_pulled(struct seat *seat, int64_t now_ms, struct seat_actions *actions);
void move_step(struct seat *seat, int64_t now_ms, struct seat_actions *actions);
int64_t move_deadline(const struct seat *seat);
bool move_is_guest(const struct seat *seat);

void order_take_in(
	struct seat *seat, const struct order *order, int64_t now_ms, struct seat_actions *actions);
void order_hear(
	struct seat *seat, const struct seat_event *event, int64_t now_ms, struct seat_actions *actions);

/* This gateway shall serve: it was ordered to, or is its host's heir. */
void order_take_own(
	struct seat *seat, const struct order *order, int64_t now_ms, struct seat_actions *actions);

/* Why it could not take it now, whatever the epoch. */
enum seat_why order_check_state(const struct seat *seat, int64_t now_ms);
/* Refused: never to be served. */
void order_burn(
	struct seat *seat, const struct epoch *epoch, enum seat_why why, struct seat_actions *actions);

/* exclusive.c: `isolation: fence`. */
/* Another pool or lease: what was answered on other terms is worth nothing. */
void exclusive_configure(struct seat *seat, int64_t now_ms);
void exclusive_start(struct seat *seat, int64_t now_ms);
void exclusive_await(struct seat *seat, const struct order *order);
void exclusive_forgo(struct seat *seat);
bool exclusive_awaits(const struct seat *seat, const struct epoch *epoch);
int64_t exclusive_from_ms(const struct seat *seat, const struct epoch *epoch, int64_t now_ms);
void exclusive_step(struct seat *seat, int64_t now_ms, struct seat_actions *actions);
int64_t exclusive_deadline(const struct seat *seat);
void exclusive_promise(
	struct seat *seat, const struct seat_event *event, int64_t now_ms, struct seat_actions *actions);

#endif
