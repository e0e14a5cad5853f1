/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_OWNERSHIP_INTERNAL_H
#define HOLDFAST_OWNERSHIP_INTERNAL_H

#include "controller/core/ownership/ownership.h"

/* What the files of this core share. member.c: what is known of the members. change.c: what is done to the
 * endpoint. grant.c: leave to serve, in `fence`. ownership.c: events, and what each phase makes of them: recovery.c
 * (nobody is known yet), owner.c (somebody serves, or did until a moment ago), taking.c (an order is out), moving.c (a
 * planned move is under way). command.c: what people ask for. leaving.c: who shall serve no
 * longer. holddown.c: who has lost it too often. revocation.c: who would let removed peers in. relay.c: what members tell
 * of each other. */

void member_init(struct ownership_member *member, const char *name);
void member_hear_seat(struct ownership_member *member, const struct seat_state *seat, int64_t now_ms);
/* Somebody else tells what it said: it is not heard for that, nor has it spoken. */
void member_hear_relayed(struct ownership_member *member, const struct seat_state *seat, int64_t now_ms);
void member_hear_verdict(
	struct ownership_member *member, enum verdict_kind kind, int64_t last_sign_ms, int64_t now_ms);
void member_hear_fitness(
	struct ownership_member *member, bool fit, const char *why, const char *impaired, int64_t now_ms);
bool member_serves(const struct ownership_member *member);
bool member_serves_under(const struct ownership_member *member, const struct epoch *epoch);
bool member_is_fenced(const struct ownership_member *member);
/* Its host is dead or its agent is down: it will not do what it is told. */
bool member_is_down(const struct ownership_member *member);

/* 0, or why this member cannot take it: -ENOENT, -EHOSTDOWN, -ENOTSUP. */
int ownership_check(const struct ownership *ownership, size_t member, int64_t now_ms, struct err *err);
/* The first who can take it, the one who serves already before all others, a first choice before a second one;
 * OWNERSHIP_NOBODY. */
size_t ownership_pick(const struct ownership *ownership, size_t except, int64_t now_ms);
/* Of those who serve, the one under the highest epoch; OWNERSHIP_NOBODY. */
size_t ownership_serving(const struct ownership *ownership);
/* The first member that may serve although it has not said so; OWNERSHIP_NOBODY: there is none. */
size_t ownership_unaccounted(const struct ownership *ownership, int64_t now_ms);
/* When a permit that this member may hold has run out for certain. */
int64_t ownership_expiry_ms(const struct ownership *ownership, size_t member);
const char *ownership_name_of(const struct ownership *ownership, size_t member); /* "" for NOBODY */

void change_phase(
	struct ownership *ownership, enum ownership_phase phase, int64_t deadline_ms, int64_t now_ms);
void change_event(struct ownership_actions *actions, enum ownership_severity severity, const char *format,
	...) __attribute__((format(printf, 3, 4)));
/* The standing order, again. */
void change_send(struct ownership *ownership, struct ownership_actions *actions);
/* A new epoch for target, an order to all. ORPHAN if there can be no epoch now. */
void change_take(struct ownership *ownership, size_t target, const char *cause, int64_t now_ms,
	struct ownership_actions *actions);
/* A planned move begins: tell the owner to host target. */
void change_move(struct ownership *ownership, size_t target, const char *cause, int64_t now_ms,
	struct ownership_actions *actions);
/* MOVING: tell the owner to release, for the target. */
void change_release(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions);
/* The owner is gone: the next, or ORPHAN, or FROZEN. */
void change_lose(struct ownership *ownership, const char *cause, size_t except, int64_t now_ms,
	struct ownership_actions *actions);
/* It serves already: so it is the owner. */
void change_adopt(
	struct ownership *ownership, size_t member, int64_t now_ms, struct ownership_actions *actions);

/* Each is called when anything may have changed in its phase, and moves on if it has. */
void recovery_watch(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions);
void owner_watch(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions);
void owner_watch_armed(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions);
void taking_watch(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions);
void moving_watch(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions);

/* The owner, which is known. */
struct ownership_member *ownership_owner(struct ownership *ownership);
/* From when on a preferred member may have it back, if it stays well; INT64_MAX: it is not well. */
int64_t owner_preempt_ms(const struct ownership *ownership, size_t member);
/* From when on an impaired owner may be moved away from; INT64_MAX: it is not impaired. */
int64_t owner_doubt_ms(const struct ownership *ownership);
/* Its word is that it has let go of this epoch. */
bool owner_has_released(const struct ownership *ownership);
/* Why the owner is no owner any more; NULL: it is, as far as is known. */
const char *owner_cause_of_loss(const struct ownership *ownership, int64_t now_ms);

/* Why an owner that serves shall do so no longer, as the cause of a planned move; NULL: it may. */
const char *leaving_cause(const struct ownership_member *owner);
/* Its own word that its host is about to go down, or is not. */
void leaving_hear(struct ownership *ownership, size_t member, bool leaving, int64_t now_ms,
	struct ownership_actions *actions);

void revocation_raise(struct ownership *ownership, uint64_t floor, int64_t now_ms);
void revocation_hold(struct ownership *ownership, size_t member, uint64_t generation, int64_t now_ms);
/* 0, or -ENOTSUP: what it holds is below the floor. */
int revocation_check(const struct ownership *ownership, size_t member, struct err *err);
/* The owner has been below the floor for so long that it can't serve any more, and somebody else can. */
bool revocation_bars_owner(const struct ownership *ownership, int64_t now_ms);
/* It is below, serves still, and can be told to hand on. */
bool revocation_moves_owner(const struct ownership *ownership, int64_t now_ms);
/* When the next of the two may become true of an owner; INT64_MAX. */
int64_t revocation_deadline(const struct ownership *ownership, int64_t now_ms);

void relay_hear(
	struct ownership *ownership, const char *about, const struct seat_state *seat, int64_t now_ms);
/* The pool has changed: whoever was heard serving outside of it may be in it now, and is waited for like any other. */
void relay_admit(struct ownership *ownership);
/* A member serves under it, or is said to have: nobody outside of the pool holds it. */
void relay_note_holder(struct ownership *ownership, const struct epoch *epoch);

void change_grant(struct ownership_actions *actions);

uint64_t grant_terms(const struct ownership_config *config);
/* After a change of lease or pool: who has leave may still serve on the terms before. */
void grant_change(struct ownership *ownership, const struct ownership *old, int64_t now_ms);
/* That somebody may have who serves on the present terms or those before. */
uint32_t grant_longest_lease_ms(const struct ownership *ownership);
/* This member has taken up the present terms. */
void grant_settle(struct ownership *ownership, size_t member, int64_t now_ms);
/* Somebody may be serving by what was granted. */
bool grant_is_out(const struct ownership *ownership);
/* From when on nobody can be any more; INT64_MIN: nobody can. */
int64_t grant_vacant_ms(const struct ownership *ownership);
/* May this member be ordered to serve? Always in `hold`. */
bool grant_is_vacant_for(const struct ownership *ownership, size_t member, int64_t now_ms);
/* It is ordered to. Before the phase changes. */
void grant_begin(struct ownership *ownership, size_t member);
void grant_claim(struct ownership *ownership, size_t member, const struct claim *claim, int64_t now_ms,
	struct ownership_actions *actions);

#endif
