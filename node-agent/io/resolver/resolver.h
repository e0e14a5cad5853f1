/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RESOLVER_H
#define HOLDFAST_AGENT_RESOLVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/host.h"
#include "node-agent/io/netns/netns.h"

/*
 * Names of hosts to addresses by getaddrinfo(3), as everything else on the host does it (hosts file, resolved, mdns), in
 * threads of their own: it may take half a minute, and beats do not wait for it. The threads start with the first
 * question and block all signals. One that went to another network namespace does not come back from there, but ends.
 */
struct resolver;

enum {
	RESOLVER_THREADS = 4,
	RESOLVER_WAITING_MAX = 256, /* questions that no thread has taken yet */
	RESOLVER_ADDRESSES_MAX = 16,
	RESOLVER_FAILURE_MAX = 120,
};

struct resolver_answer {
	uint64_t id; /* of the question */
	char name[HOST_MAX + 1];
	size_t count;                                  /* 0: it failed */
	struct addr addresses[RESOLVER_ADDRESSES_MAX]; /* each once, in the order of RFC 6724 */
	char failure[RESOLVER_FAILURE_MAX];            /* for a person; "" if it did not fail */
};

int resolver_new(struct resolver **ret_resolver, struct err *err);
/*
 * Waits for the threads that have nothing to do. Not for questions that are under way: their threads end when they have
 * an answer that nobody wants. NULL-safe.
 */
void resolver_free(struct resolver *resolver);

/* Readable when there are answers; non-blocking. */
int resolver_fd(const struct resolver *resolver);
/* In another network namespace, with what lies in /etc/netns/NAME over /etc, as `ip netns exec` has it. */
struct resolver_place {
	const struct netns *netns; /* borrowed for the call */
	const char *name;          /* NULL: it has no such files */
};
/* place NULL: where we are. -EBUSY: RESOLVER_WAITING_MAX wait already; -EAGAIN: no thread can be started; -EMFILE. */
int resolver_ask(
	struct resolver *resolver, uint64_t id, const char *name, const struct resolver_place *place);
/* The next answer, if there is one. */
bool resolver_next(struct resolver *resolver, struct resolver_answer *ret_answer);

#endif
