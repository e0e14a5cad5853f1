/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_CHECKS_H
#define HOLDFAST_IO_CHECKS_H

#include <event2/event.h>

#include "common/base/err.h"
#include "proto/desired.h"

/*
 * The user's checks on the loop (core/check says when, and what answers amount to): echo requests, TCP connections,
 * HTTP, programs. Nothing blocks; each check has one question open at most, and so one socket or program at most, beside
 * the two sockets that all pings share.
 */
struct checks;

enum { CHECKS_FAILURE_MAX = 200 };

struct checks_ops {
	/* The own address on that interface to ask from. -EADDRNOTAVAIL: there is none. */
	int (*source)(const char *interface, const struct addr *to, struct addr *ret_source, void *context);
	/* It has fallen (text: why) or has risen again. what: "ping 192.168.1.10 on eth1". */
	void (*changed)(const char *endpoint, bool down, const char *what, const char *text, void *context);
	/* Does this host let the fleet run that program? */
	bool (*allowed)(const char *path, void *context);
	const char *gateway; /* this one's name, for the programs; lives as long as the checks */
	void *context;
};

/* Needs CAP_NET_RAW. */
int checks_new(
	struct event_base *base, const struct checks_ops *ops, struct checks **ret_checks, struct err *err);
void checks_free(struct checks *checks); /* NULL-safe */

/* Those of a generation (NULL: none). One that is as it was before goes on as it is. */
void checks_set(struct checks *checks, const struct desired *desired);

/* The first of the endpoint's checks that is down, as a sentence; false: all are up. */
bool checks_failure(const struct checks *checks, const char *endpoint, char ret_why[CHECKS_FAILURE_MAX]);

/* The only variables that a program gets beside these: HOLDFAST_GATEWAY, _ENDPOINT and _INTERFACE ("": none). */
#define CHECKS_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* "ping 192.168.1.10 on eth1" */
enum { CHECKS_WHAT_MAX = PROTO_PATH_MAX + 96 };
char *checks_what(const struct desired_check *check, char buffer[CHECKS_WHAT_MAX]);

#endif
