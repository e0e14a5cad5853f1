/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_INSTRUCTION_H
#define HOLDFAST_PROTO_INSTRUCTION_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/key.h"
#include "proto/desired.h"
#include "proto/drill.h"
#include "proto/epoch.h"
#include "proto/unanswered.h"

/*
 * What a controller tells an agent, in the answer to GET /v1/agent/orders?boot=B&after=RUN:SEQ. Instructions
 * have sequence numbers that rise within one run (life) of the controller; asking with after=RUN:SEQ
 * acknowledges all up to SEQ, so a lost answer is sent again and an instruction must be harmless twice. A RUN
 * that is not the controller's: from the beginning of what it still wants the agent to know.
 */
enum instruction_kind {
	INSTRUCTION_NOVELTY =
		0, /* of a newer controller, not known here: acknowledged like any other, and nothing is done */
	INSTRUCTION_STAGE =
		1, /* prepare this generation, change nothing, answer with POST /v1/agent/staged */
	INSTRUCTION_COMMIT = 2,   /* make the staged generation the one you hold */
	INSTRUCTION_ORDER = 3,    /* who owns an endpoint under which epoch; refused if lower than one seen */
	INSTRUCTION_SESSIONS = 4, /* where the live peers of the pool's owner are: keep the standby warm */
	INSTRUCTION_DRILL = 5,    /* measure what a move loses, or tell the result */
	INSTRUCTION_UNANSWERED = 6, /* whose probes the pool's owners get no answer to */
};

/*
 * "Endpoint E belongs to OWNER under EPOCH." To the owner: serve. To everyone else: if you serve, step down
 * and release. owner "" is the first half of a planned move: "whoever serves under EPOCH (or lower): step
 * down and tell me released"; the second half is an ordinary order with the next epoch. Members get every
 * order of their pool, so that all know.
 *
 * With a guest it is the very first part of a planned move: OWNER, who serves under EPOCH, is to host the guest, who
 * is to wake the peers meanwhile. Nobody's ownership changes, so one who does not know the word loses nothing.
 */
struct order {
	char endpoint[PROTO_NAME_MAX + 1];
	struct epoch epoch;
	char owner[PROTO_NAME_MAX + 1];
	char from[PROTO_NAME_MAX + 1];  /* the owner before; "" none */
	char guest[PROTO_NAME_MAX + 1]; /* to whom OWNER shall hand on; "" nobody */
	struct epoch
		next; /* with a guest: under which that serves once OWNER has released; zero: it waits for its order */
	/* first, host-dead, agent-down, fenced, unfit, impaired, move, drain, resume */
	char cause[PROTO_NAME_MAX + 1];
	uint32_t detect_ms; /* from the last sign of life to the decision; for the log */
};

/* A live WireGuard session somewhere in the pool. */
struct session {
	char tunnel[PROTO_INTERFACE_MAX + 1];
	struct key public_key;
	struct endpoint endpoint;
	uint32_t age_ms; /* since its last completed handshake, when this was sent */
	uint64_t rx_bytes,
		tx_bytes; /* of the peer on that gateway, when it last read its device; 0 where nobody asks */
};

struct instruction {
	uint64_t seq;
	enum instruction_kind kind;
	union {
		struct desired_delta *stage; /* owned */
		uint64_t commit;             /* generation */
		struct order order;
		struct drill_order drill;
		struct {
			size_t count;
			struct session *items; /* owned */
		} sessions;
		struct unanswered_news *unanswered; /* owned */
	};
};

struct instruction_list {
	uint64_t run;
	uint64_t store; /* the controller's; 0: not said. The next is of that one's generations */
	uint64_t floor; /* its revocation floor; 0: none. Taken in before the instructions */
	size_t count;
	struct instruction *items; /* owned, seq rising */
};

char *instruction_list_encode(
	const struct instruction_list *list); /* secret if it has a stage; caller wipes and frees */
int instruction_list_decode(
	const char *json, size_t size, struct instruction_list *ret_list, struct err *err);
void instruction_list_clear(struct instruction_list *list);
void instruction_clear(struct instruction *instruction);

#endif
