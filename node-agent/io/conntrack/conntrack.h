/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_CONNTRACK_H
#define HOLDFAST_AGENT_CONNTRACK_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"
#include "proto/flow.h"

/*
 * The kernel's connection tracking in our network namespace, over ctnetlink (NFNL_SUBSYS_CTNETLINK of nfnetlink,
 * linux/netfilter/nfnetlink_conntrack.h). Results other than those below: -errno.
 */

/* ---- load.c: entries made and deleted ---- */

struct conntrack;

int conntrack_open(struct conntrack **ret_conntrack, struct err *err);
void conntrack_close(struct conntrack *conntrack); /* NULL-safe */

enum { CONNTRACK_BATCH_MAX = 64 }; /* flows in one call: 1 to 4 ms of a busy machine */

/*
 * Make an entry of each, at most CONNTRACK_BATCH_MAX, with its addresses translated as it says, and TCP's windows not looked
 * at. replace: what is there and in the way of one is deleted; else it stays and the one is counted as there.
 * Each is one of: made, there, or refused by the kernel with the reason in *ret_error (the last). -errno: it could not even be asked.
 */
struct conntrack_made {
	size_t made, there, refused;
	int error; /* of the last one refused: -errno */
};

int conntrack_load(struct conntrack *conntrack, const struct flow *flows, size_t count, bool replace,
	struct conntrack_made *ret_made);
/* Entries that were loaded: what may change of them (TCP's state, status, mark) and their timeout. What is not there, or cannot
 * become so, is loaded (with replace). */
int conntrack_update(
	struct conntrack *conntrack, const struct flow *flows, size_t count, struct conntrack_made *ret_made);
/* At most CONNTRACK_BATCH_MAX. What is not there is fine. */
int conntrack_delete(struct conntrack *conntrack, const struct flow *flows, size_t count);
/* TCP's, of which packets go by another way for a while: their windows are not looked at any more. At most CONNTRACK_BATCH_MAX.
 * What is not there is fine. */
int conntrack_loosen(struct conntrack *conntrack, const struct flow *flows, size_t count);

/* ---- watch.c: news, and all that is there ---- */

/*
 * One socket for both, so that they come in the order in which they happened. The kernel makes news only of entries that were
 * made while somebody listened (net.netfilter.nf_conntrack_events 2, the default since Linux 5.19): open it early, and
 * look at everything now and then.
 */
struct conntrack_watch;

struct conntrack_news {
	void (*flow)(const struct flow *flow, bool gone, void *context); /* news */
	void (*seen)(const struct flow *flow, void *context);            /* of a look */
	void (*looked)(bool well, void *context); /* a look has ended; not well: ask again */
	void (*lost)(void *context);              /* news were lost: look at everything */
	void *context;
};

/* Deaf at first, see below. */
int conntrack_watch_open(struct conntrack_watch **ret_watch, struct err *err);
void conntrack_watch_close(struct conntrack_watch *watch); /* NULL-safe */
int conntrack_watch_fd(const struct conntrack_watch *watch);
/* Deaf, it is a listener as the kernel counts them, but is not woken. */
int conntrack_watch_listen(struct conntrack_watch *watch, bool listen);
/* Ask for everything; comes with the news. -EBUSY: a look is under way. */
int conntrack_watch_look(struct conntrack_watch *watch);
/* Take in what is there, a bounded part of it: more makes the descriptor readable again. */
void conntrack_watch_read(struct conntrack_watch *watch, const struct conntrack_news *news);

#endif
