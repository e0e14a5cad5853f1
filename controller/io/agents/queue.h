/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_QUEUE_H
#define HOLDFAST_CONTROLLER_IO_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/instruction.h"

/*
 * What one agent has yet to acknowledge, in order (proto/instruction.h). Bounded by replacing: there is at most one
 * stage, one commit, one sessions, one drill, one unanswered, and one order for each endpoint; a newer one takes the place at the end.
 */
enum { QUEUE_MAX = 5 + PROTO_ENDPOINTS_MAX };

struct queue {
	uint64_t last_seq;
	size_t count;
	struct instruction items[QUEUE_MAX];
};

/* Takes over what the instruction owns; its seq is set here and returned. -ENOSPC with the instruction untouched: orders
 * for more endpoints than there may be. */
int queue_add(struct queue *queue, struct instruction *instruction, uint64_t *ret_seq);
/* Forget all up to seq. */
void queue_acknowledge(struct queue *queue, uint64_t seq);
bool queue_has(const struct queue *queue, enum instruction_kind kind);
/* Forget one kind, e.g. the stage of an apply that failed. */
void queue_drop(struct queue *queue, enum instruction_kind kind);
void queue_clear(struct queue *queue);
/* The answer to a poll: `list` says everything but its items, which are set here. Secret: the caller wipes and frees. */
char *queue_encode(const struct queue *queue, struct instruction_list list);

#endif
