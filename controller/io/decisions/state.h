/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_DECISIONS_STATE_H
#define HOLDFAST_CONTROLLER_IO_DECISIONS_STATE_H

#include "controller/io/decisions/decisions.h"

struct event;

/* Inside of decisions/: decisions.c feeds the machines, recall.c with what was before, act.c carries out their actions, wish.c keeps those who wait. */

struct decided {
	struct decisions_endpoint setup;
	struct ownership ownership;
	struct epoch told; /* of the last owner named in the log */
	size_t owner;      /* as it was after the last step */
	int64_t owned_since_ms;
	enum ownership_phase phase;           /* as it was after the last step */
	char last_text[PROTO_REASON_MAX + 1]; /* the machine's last remark */
	struct order awaited;                 /* its taker's result has not come; owner "": none */
	int64_t awaited_until_ms;
	const struct claim *claim; /* that is being answered, and ... */
	const char *via;           /* ... by whose way it came; NULL: none */
};

struct wish {
	struct decisions *decisions;
	struct wish *prev, *next;          /* utlist */
	char endpoint[PROTO_NAME_MAX + 1]; /* a move's; "": a drain */
	char gateway[PROTO_NAME_MAX + 1];
	int64_t deadline_ms;
	wish_done *done;
	void *context;
};

struct decisions {
	struct journal *journal;
	struct decisions_hooks hooks;
	struct epoch_source source;
	bool claiming, recalled;
	int64_t claim_after_ms;
	size_t count;
	struct decided **items;
	bool frozen;
	uint64_t floor; /* of revocation */
	size_t drained_count, drained_capacity;
	char (*drained)[PROTO_NAME_MAX + 1];
	struct wish *wishes;
	struct event *timer;
	uint64_t order_count, grant_count;
};

/* Once, at the start: what the events of earlier lives say of the members. */
void decisions_recall(struct decisions *decisions);

struct decided *decided_find(const struct decisions *decisions, const char *endpoint);

/* Carry out actions, in order: first everything that must leave, then what people read. */
void decided_act(
	struct decisions *decisions, struct decided *decided, const struct ownership_actions *actions);
/* A gateway took it without being told: its result is awaited from now on, once. */
void decided_succeeded(struct decided *decided, const char *gateway, const struct takeover *takeover);
/* The taker reported, or never will (takeover NULL). */
void decided_conclude(struct decisions *decisions, struct decided *decided, const struct takeover *takeover);

/* After every step: the timer is set anew, and the wishes are looked at in the next turn of the loop. */
void decisions_stepped(struct decisions *decisions);

/* Conclude the wishes that have come true or never will. */
void wishes_check(struct decisions *decisions, int64_t now_ms);
int64_t wishes_deadline(const struct decisions *decisions);

#endif
