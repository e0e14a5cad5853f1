/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_FLOW_H
#define HOLDFAST_PROTO_FLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"

/*
 * A flow as the kernel's connection tracking knows it, and how an owner tells its standbys of its flows: in pages, so that
 * each flow that changed travels once. Numbers mean what linux/netfilter/nf_conntrack_common.h, nf_conntrack_tcp.h and
 * nfnetlink_conntrack.h say.
 */
enum {
	FLOW_TCP = 6,
	FLOW_UDP = 17,
	FLOW_ICMP = 1,
	FLOW_ICMP6 = 58,
};

enum { FLOW_TCP_STATE_MAX = 9 /* TCP_CONNTRACK_SYN_SENT2 */ };

/* One direction. Of ICMP: the identifier is the source port, type << 8 | code the destination port. */
struct flow_tuple {
	struct addr source, destination; /* of one family */
	uint16_t source_port, destination_port;
};

struct flow {
	struct flow_tuple original,
		reply; /* a translation shows in the reply: it answers to what was made of the original */
	uint8_t protocol;
	uint8_t tcp_state;        /* enum tcp_conntrack; 0: not TCP, or not told */
	uint8_t tcp_scale[2];     /* window scale of the original's, the reply's sender */
	uint16_t zone;            /* of connection tracking; 0: the default */
	uint32_t status;          /* IPS_* */
	uint32_t mark, timeout_s; /* timeout: when this was told */
};

/* What makes it the same flow: the original's direction, the protocol and the zone. Compared as bytes. */
struct flow_key {
	uint8_t bytes[40];
};

struct flow_key flow_key_of(const struct flow *flow);
/* All but the timeout. */
bool flow_equal(const struct flow *a, const struct flow *b);

enum {
	FLOW_PAGE_ITEMS_MAX = 4096,        /* flows in one page */
	FLOW_PAGE_BYTES_MAX = 1024 * 1024, /* more than that many of the longest */
};

struct flow_item {
	struct flow flow;
	bool gone; /* only what makes it the same flow counts */
};

struct flow_page {
	uint64_t run;    /* the log's life; after another one nothing is as it was */
	uint64_t last;   /* of the changes in this page: what the next question asks after */
	bool from_start; /* nothing before it counts: what is not told again until the last page is no more */
	bool more;       /* further pages are there */
	size_t count;
	struct flow_item *items; /* owned */
};

/* The caller frees what is returned. *ret_size: bytes. */
uint8_t *flow_page_encode(const struct flow_page *page, size_t *ret_size);
/* -EBADMSG, -E2BIG (a limit), -EPROTONOSUPPORT (version). Values are those of the format, no more: who loads them looks whether
 * they may be (node-agent/core/flow/scope.h). */
int flow_page_decode(const uint8_t *bytes, size_t size, struct flow_page *ret_page);
void flow_page_clear(struct flow_page *page); /* NULL-safe as to items */

#endif
