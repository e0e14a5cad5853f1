/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RTNL_RTNL_H
#define HOLDFAST_AGENT_RTNL_RTNL_H

#include "common/base/err.h"

/*
 * A conversation with the kernel's routing netlink: links, addresses, routes, rules (rtnetlink(7)).
 *
 * A handle belongs to the network namespace in which it was opened, whatever the thread does later. Calls
 * block, at most timeout_ms without an answer (-ETIMEDOUT). Not for use by two threads at once. Dumps ask the kernel to filter
 * where it can (NETLINK_GET_STRICT_CHK, Linux 4.20) and start again, a bounded number of times, when a change interrupted
 * them (-EAGAIN: changes all the time). The kernel does not notice every interruption (rules: none): in a list that was
 * read while others made changes an entry may be missing or there twice. Observe again after acting on it.
 *
 * Changes come in two forms: alone (rtnl_link_create ...) and as a batch (batch.h): many requests, few system
 * calls.
 */
struct rtnl;

enum { RTNL_TIMEOUT_MS = 5000 }; /* what to pass when nothing speaks for another value */

int rtnl_open(int timeout_ms, struct rtnl **ret_rtnl, struct err *err);
void rtnl_close(struct rtnl *rtnl); /* NULL-safe */

/* What a request asks for, for addresses, routes and rules alike. */
enum rtnl_op {
	RTNL_ADD,     /* exclusive: -EEXIST if it is there */
	RTNL_REPLACE, /* created, or changed to this; a rule that is there already is fine */
	RTNL_DELETE,  /* an error if it is not there */
	RTNL_DISCARD, /* deleted if it is there; absent (or its device is gone) is success */
};

#endif
