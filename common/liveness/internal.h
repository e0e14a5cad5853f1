/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_LIVENESS_INTERNAL_H
#define HOLDFAST_LIVENESS_INTERNAL_H

#include <netinet/in.h>

#include "common/cluster/budget.h"
#include "common/liveness/liveness.h"
#include "common/liveness/stamp.h"

struct event;

/* What the files of the engine share. socket.c: sockets. stamp.c: when what they take came in. outbox.c: many datagrams in
 * few system calls. partner.c: who they are and where. send.c, receive.c: datagrams. watch.c: verdicts. liveness.c: the
 * loop. */

enum { OUTBOX_MAX = 64, INBOX_MAX = 16, TARGETS_MAX = 3 };

/* An address of a partner, and the local to send from. */
struct target {
	struct endpoint endpoint;
	size_t local;
};

struct partner {
	struct liveness_partner config;
	struct contact contact;
	struct verdict verdict; /* if config.watch */
	struct target learned;  /* family 0: nothing yet */
	size_t target_count;
	struct target targets[TARGETS_MAX];
	uint64_t seq;
	enum contact_state told_state; /* to the owner of the engine */
	bool told_made;
	int64_t greeted_us; /* when a newcomer of that name was last answered with a beat */
};

struct local {
	struct liveness_local config;
	int fd;
	struct event *readable;
	struct liveness *liveness;
	struct stamp_clock clock;
};

struct letter {
	struct target to;
	size_t size;
	uint8_t bytes[PROTO_DATAGRAM_MAX];
};

struct outbox {
	size_t count;
	struct letter letters[OUTBOX_MAX];
};

/* One datagram as it came in. */
struct arrival {
	const uint8_t *bytes;
	size_t size;
	bool truncated;
	struct endpoint from;
	size_t local;
	int64_t received_us;
};

struct liveness {
	struct event_base *base;
	struct liveness_config config;
	struct liveness_ops ops;
	void *context;
	struct local locals[LIVENESS_LOCALS_MAX];
	size_t partner_count;
	struct partner *partners[LIVENESS_PARTNERS_MAX];
	size_t gone_count;
	struct partner *gone[2 * LIVENESS_PARTNERS_MAX]; /* freed when no callback can hold them any more */
	unsigned busy;                                   /* depth of callbacks */
	struct event *timer;
	int64_t due_us; /* when the timer should have fired; INT64_MAX: it is not set */
	int64_t next_beat_us;
	int64_t boottime_ms; /* CLOCK_BOOTTIME less CLOCK_MONOTONIC, as last seen */
	uint64_t random;
	bool blind;
	int64_t witnessed_ms; /* VERDICT_NEVER */
	bool lagged;          /* verdicts have still to be told */
	int64_t lag_second;
	uint32_t lag_worst_ms, lag_before_ms; /* of this second, of the one before */
	struct budget budget;
	struct liveness_counters counters;
	struct outbox outbox;
};

/* liveness.c: around whatever the loop wakes it for: own lag first, then all that has arrived, then what is due. */
void liveness_enter(struct liveness *liveness);
void liveness_settle(struct liveness *liveness); /* nothing while a callback runs */

/* socket.c */
int local_open(struct liveness *liveness, size_t index, struct err *err);
void local_close(struct local *local);
/* Take in all that is waiting on it. */
void local_drain(struct liveness *liveness, size_t index);

/* outbox.c */
struct letter *outbox_next(struct liveness *liveness); /* flushes if it is full */
void outbox_flush(struct liveness *liveness);

/* partner.c */
struct partner *partner_find(const struct liveness *liveness, const char *name);
void partner_learn(struct liveness *liveness, struct partner *partner, const struct arrival *arrival);
void partner_free(struct partner *partner);
bool partner_is_in_contact(const struct partner *partner, int64_t now_us);

/* send.c: all go to the outbox */
void send_beats(struct liveness *liveness, int64_t now_us);
void send_beat_to(struct liveness *liveness, struct partner *partner);
/* A beat to that address only. */
void send_greeting(struct liveness *liveness, struct partner *partner, const struct target *target);
void send_probes(struct liveness *liveness, struct partner *partner, uint32_t count);
/* To where the probe came from, echoing the probe itself. */
void send_answers(struct liveness *liveness, struct partner *partner, const struct datagram_head *probe,
	const struct arrival *arrival);
void send_silence(struct liveness *liveness, const struct partner *suspect, bool result);

/* Of any kind, as it is but for its head. */
void send_letter(struct liveness *liveness, struct partner *partner, struct datagram *datagram);

/* receive.c */
void receive(struct liveness *liveness, const struct arrival *arrival);
/* Tell the owner of the engine if contact has changed. */
void contact_tell(struct liveness *liveness, struct partner *partner);

/* watch.c */
void watch_heard(struct liveness *liveness, struct partner *partner, int64_t received_us);
void watch_report(struct liveness *liveness, struct partner *partner, size_t observer,
	const struct datagram_silence *silence);
void watch_event(struct liveness *liveness, struct partner *partner, enum verdict_event_kind kind);
void watch_tick(struct liveness *liveness);

void partner_view(const struct partner *partner, int64_t now_us, struct liveness_view *ret_view);

#endif
