/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RTNL_BATCH_H
#define HOLDFAST_AGENT_RTNL_BATCH_H

#include <stddef.h>

#include "common/base/err.h"
#include "node-agent/io/rtnl/address.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/rtnl/route.h"
#include "node-agent/io/rtnl/rtnl.h"
#include "node-agent/io/rtnl/rule.h"

/*
 * Many changes in few system calls: hundreds of requests in each sendmsg, acknowledgements matched by
 * sequence number.
 *
 * The kernel does them in the order in which they were added and goes on after one that failed: this is no
 * transaction. Each has its result. Devices that are given by name are looked up when the batch runs, after a link
 * that the same batch creates has been; one that does not exist is that request's result (-ENODEV), and it is not sent.
 */
struct rtnl_batch;

struct rtnl_batch *rtnl_batch_new(void);
void rtnl_batch_free(struct rtnl_batch *batch);  /* NULL-safe */
void rtnl_batch_reset(struct rtnl_batch *batch); /* empty again, memory kept */

/* The arguments are copied. */
void rtnl_batch_link_create(struct rtnl_batch *batch, const char *name, const char *kind);
void rtnl_batch_link_delete(struct rtnl_batch *batch, const char *name);
void rtnl_batch_link_change(struct rtnl_batch *batch, const struct rtnl_link_change *change);
void rtnl_batch_address(struct rtnl_batch *batch, enum rtnl_op op, const struct rtnl_address *address);
void rtnl_batch_route(struct rtnl_batch *batch, enum rtnl_op op, const struct rtnl_route *route);
void rtnl_batch_rule(struct rtnl_batch *batch, enum rtnl_op op, const struct rtnl_rule *rule);

/* Send all and collect the results. 0 if all succeeded; else the first one's -errno, and err names it as
 * ip(8) would: "ip route add 172.30.0.0/16 via 192.168.1.254 dev eth1: Network is unreachable", and how many
 * more failed. -ETIMEDOUT: requests without an answer have that as their result. An empty batch succeeds. */
int rtnl_batch_run(struct rtnl *rtnl, struct rtnl_batch *batch, struct err *err);

size_t rtnl_batch_count(const struct rtnl_batch *batch);
/* After a run: 0 or -errno of request `index`, in the order of adding. */
int rtnl_batch_result(const struct rtnl_batch *batch, size_t index);
/* "ip route add ..." and, after a run in which it failed, ": why". Returns buffer. */
enum { RTNL_REQUEST_TEXT_MAX = 512 };
char *rtnl_batch_format(const struct rtnl_batch *batch, size_t index, char *buffer, size_t size);

#endif
