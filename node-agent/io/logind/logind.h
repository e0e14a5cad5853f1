/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_LOGIND_H
#define HOLDFAST_AGENT_LOGIND_H

#include <stdbool.h>

struct event_base;

/*
 * Is the host about to go down? Over the system bus: systemd-logind's delay lock and its signal PrepareForShutdown
 * (org.freedesktop.login1(5)), and the state of the service manager (org.freedesktop.systemd1(5)). Nothing waits; a
 * machine without a bus, or without these, is an ordinary one: then nobody tells, which is said at debug level, and it
 * is tried again every LOGIND_RETRY_MS.
 */
enum { LOGIND_RETRY_MS = 60000, LOGIND_CALL_MS = 5000 };

struct logind_ops {
	/* logind's word: true before anything is stopped, false when that was called off. Also what was said
	 * before the first contact, or while the bus was lost, when that makes a difference. */
	void (*told)(void *context, bool going_down);
	/* The answer to logind_ask_host(); false also when nobody could be asked. Never from inside that call. */
	void (*answered)(void *context, bool going_down);
};

struct logind;

/* Takes the delay lock, soon. *ops is copied. */
struct logind *logind_new(struct event_base *base, const struct logind_ops *ops, void *context);
void logind_free(struct logind *logind); /* gives up the lock; NULL-safe */

/* The lock: logind goes on when the last of them is given up, or after its InhibitDelayMaxSec. */
void logind_hold(struct logind *logind);
void logind_let_go(struct logind *logind);

/* Is the service manager taking the host down? One question at a time. */
void logind_ask_host(struct logind *logind);

#endif
