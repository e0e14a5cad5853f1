/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_SEAT_CHAIR_H
#define HOLDFAST_TESTS_SEAT_CHAIR_H

#include "node-agent/core/seat/seat.h"

/* The seat of gw-a for endpoint vpn under a virtual clock, with a kernel that keeps its permit's time. */
struct chair {
	struct seat seat;
	int64_t now;
	bool contact; /* gw-b's beats arrive, every 50 ms of chair_pass(), echoing 10 ms old times */
	bool witness; /* a probe of the witness is answered */
	bool slow;    /* sessions are forgotten when SEAT_EVENT_FORGOTTEN says so, not at once */
	int64_t kernel_until_ms; /* the kernel's permit */
	unsigned acquired, renewed, cleared, taken, announced, resigned, rested, persisted, reported, probed,
		refused, alarms;
	bool announces;        /* the kernel's permit is an owner's */
	enum seat_steer steer; /* of the last STEER */
	enum seat_why why;     /* of the last REFUSED, CLEAR */
	unsigned claimed, promised;
	struct claim claim; /* the last */
	int64_t claimed_ms; /* when it asked */
	bool widely;
	uint32_t timeout_ms;   /* of the last ACQUIRE or RENEW */
	struct seat_disk disk; /* as persisted last */
	uint64_t generation;   /* that is held */
	struct floor floor;    /* as this gateway knows it */
	char log[256];         /* letters of the actions of the last step, in order */
};

/* Started with an empty disk, carrier up, fit, in contact. */
void chair_init(struct chair *chair);
/* The same, before SEAT_EVENT_START. */
void chair_prepare(struct chair *chair);
void chair_prepare_in(struct chair *chair, bool exclusive);
void chair_start(struct chair *chair, const struct seat_disk *disk, uint32_t permit_left_ms);
void chair_step(struct chair *chair, struct seat_event event);
void chair_event(struct chair *chair, enum seat_event_kind kind);
void chair_carrier(struct chair *chair, bool up);
void chair_fit(struct chair *chair, bool fit);
void chair_order(struct chair *chair, uint32_t n, const char *owner); /* under epoch 7.n; "": release */
void chair_hear(struct chair *chair, enum seat_role role, uint32_t epoch_n, uint32_t highest_n);
/* What is held, and a word on the floor: both are told to the seat. */
void chair_floor(struct chair *chair, uint64_t generation, uint64_t floor, bool confirms);
void chair_order_guest(struct chair *chair, uint32_t n, const char *owner, const char *guest);
void chair_pass(struct chair *chair, int64_t ms);
/* The loop stands still: nothing is taken in, no deadline kept. */
void chair_stall(struct chair *chair, int64_t ms);

#endif
