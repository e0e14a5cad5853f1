/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_LIVENESS_HOST_H
#define HOLDFAST_TESTS_LIVENESS_HOST_H

#include <stdbool.h>

#include "common/liveness/liveness.h"

/* Engines of several hosts in one loop, on addresses of 127.0.0.0/8, any free port each. */
struct host {
	const char *name;
	bool is_controller;
	bool kernel_answers; /* of the hosts that it probes */
	uint8_t address;     /* 127.0.0.address */
	struct liveness *liveness;
	unsigned beats, heard, contacts, silences, stalls, kernel_probes, changes;
	enum verdict_kind verdict;      /* the last that was told */
	char about[PROTO_NAME_MAX + 1]; /* whom it is about */
	int64_t told_ms;                /* when */
	struct seat_state seat;         /* the last that a beat carried */
	uint32_t serves;                /* n of the epoch in own beats */
};

extern struct event_base *host_base;

void host_start(struct host *host, uint64_t boot);
void host_stop(struct host *host);
/* host and every other of the list talk to each other; a NULL ends it. The controller learns addresses. */
void host_join(struct host *host, struct host *const others[]);
struct liveness_view host_view(const struct host *host, const struct host *of);
struct key host_key(const char *a, const char *b);
/* Run the loop until condition(context), at most 5 s. */
bool host_wait(bool (*condition)(void *context), void *context);
void host_run(int64_t ms); /* for as long, whatever happens */

#endif
