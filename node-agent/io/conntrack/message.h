/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_CONNTRACK_MESSAGE_H
#define HOLDFAST_AGENT_CONNTRACK_MESSAGE_H

#include <linux/netlink.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/flow.h"

/* Flows as messages of ctnetlink (linux/netfilter/nfnetlink_conntrack.h), apart from any socket. */

enum {
	CONNTRACK_MESSAGE_MAX_BYTES = 512, /* more than any that is encoded here */
};

enum conntrack_kind { CONNTRACK_PRESENT, CONNTRACK_GONE };

/*
 * A message of the kernel: what was asked for, or news. Of the status, what another kernel can be told (FLOW_STATUS_MASK).
 * -EPROTO: malformed. -ENOMSG: another protocol than those of proto/flow.h, an entry for a connection that is only expected,
 * one with a zone for one direction, or no message of connection tracking.
 */
int conntrack_decode(const struct nlmsghdr *message, enum conntrack_kind *ret_kind, struct flow *ret_flow);

/* The tuple that an untranslated reply would have. */
struct flow_tuple conntrack_invert(const struct flow_tuple *tuple, uint8_t protocol);

/* Into a buffer of CONNTRACK_MESSAGE_MAX_BYTES. flags are added to NLM_F_REQUEST. Returns the message, in the buffer. */
struct nlmsghdr *conntrack_encode_create(
	void *buffer, const struct flow *flow, uint16_t flags, uint32_t sequence);
/* Of what is there already: its status, timeout, mark and TCP's state. */
struct nlmsghdr *conntrack_encode_update(void *buffer, const struct flow *flow, uint32_t sequence);
/* Of what is there already: TCP's windows are not looked at any more. */
struct nlmsghdr *conntrack_encode_loosen(void *buffer, const struct flow *flow, uint32_t sequence);
/* Named by its original's or by its reply's direction. */
struct nlmsghdr *conntrack_encode_delete(
	void *buffer, const struct flow *flow, bool by_reply, uint32_t sequence);
struct nlmsghdr *conntrack_encode_dump(void *buffer, uint32_t sequence);

#endif
