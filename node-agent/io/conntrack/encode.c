/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <string.h>

#include "node-agent/core/flow/status.h"
#include "node-agent/io/conntrack/message.h"
#include "node-agent/io/rtnl/attribute.h"

/* Queries and their answers, net/netfilter/nf_conntrack_proto_icmp.c and _icmpv6.c. */
static uint8_t invert_icmp(uint8_t type)
{
	static const uint8_t pairs[][2] = {{8, 0}, {13, 14}, {15, 16}, {17, 18}, {128, 129}};

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		for (size_t side = 0; side < 2; side++)
			if (pairs[i][side] == type)
				return pairs[i][1 - side];
	return type;
}

struct flow_tuple conntrack_invert(const struct flow_tuple *tuple, uint8_t protocol)
{
	struct flow_tuple inverse = {.source = tuple->destination, .destination = tuple->source};

	if (protocol == FLOW_ICMP || protocol == FLOW_ICMP6) {
		inverse.source_port = tuple->source_port;
		inverse.destination_port =
			(uint16_t)(invert_icmp((uint8_t)(tuple->destination_port >> 8)) << 8 |
				   (tuple->destination_port & 0xff));
		return inverse;
	}
	inverse.source_port = tuple->destination_port;
	inverse.destination_port = tuple->source_port;
	return inverse;
}

static void put_u16(struct nlmsghdr *message, uint16_t type, uint16_t value)
{
	mnl_attr_put_u16(message, type, htons(value));
}

static void put_u32(struct nlmsghdr *message, uint16_t type, uint32_t value)
{
	mnl_attr_put_u32(message, type, htonl(value));
}

static void put_icmp(
	struct nlmsghdr *message, const struct flow_tuple *tuple, uint16_t id, uint16_t type, uint16_t code)
{
	put_u16(message, id, tuple->source_port);
	mnl_attr_put_u8(message, type, (uint8_t)(tuple->destination_port >> 8));
	mnl_attr_put_u8(message, code, (uint8_t)tuple->destination_port);
}

static void put_ports(struct nlmsghdr *message, const struct flow_tuple *tuple, uint8_t protocol)
{
	mnl_attr_put_u8(message, CTA_PROTO_NUM, protocol);
	if (protocol == FLOW_ICMP) {
		put_icmp(message, tuple, CTA_PROTO_ICMP_ID, CTA_PROTO_ICMP_TYPE, CTA_PROTO_ICMP_CODE);
	} else if (protocol == FLOW_ICMP6) {
		put_icmp(message, tuple, CTA_PROTO_ICMPV6_ID, CTA_PROTO_ICMPV6_TYPE, CTA_PROTO_ICMPV6_CODE);
	} else {
		put_u16(message, CTA_PROTO_SRC_PORT, tuple->source_port);
		put_u16(message, CTA_PROTO_DST_PORT, tuple->destination_port);
	}
}

static void put_tuple(
	struct nlmsghdr *message, uint16_t type, const struct flow_tuple *tuple, uint8_t protocol)
{
	bool six = tuple->source.family == AF_INET6;
	struct nlattr *nest = mnl_attr_nest_start(message, type);
	struct nlattr *part = mnl_attr_nest_start(message, CTA_TUPLE_IP);

	attribute_put_addr(message, six ? CTA_IP_V6_SRC : CTA_IP_V4_SRC, &tuple->source);
	attribute_put_addr(message, six ? CTA_IP_V6_DST : CTA_IP_V4_DST, &tuple->destination);
	mnl_attr_nest_end(message, part);
	part = mnl_attr_nest_start(message, CTA_TUPLE_PROTO);
	put_ports(message, tuple, protocol);
	mnl_attr_nest_end(message, part);
	mnl_attr_nest_end(message, nest);
}

/* One address and one port: what was chosen over there, and nothing else. */
static void put_translation(struct nlmsghdr *message, uint16_t type, const struct addr *to, uint16_t port)
{
	struct nlattr *nest = mnl_attr_nest_start(message, type), *proto;

	attribute_put_addr(message, to->family == AF_INET6 ? CTA_NAT_V6_MINIP : CTA_NAT_V4_MINIP, to);
	proto = mnl_attr_nest_start(message, CTA_NAT_PROTO);
	put_u16(message, CTA_PROTONAT_PORT_MIN, port);
	put_u16(message, CTA_PROTONAT_PORT_MAX, port);
	mnl_attr_nest_end(message, proto);
	mnl_attr_nest_end(message, nest);
}

static bool has_ports(const struct flow *flow)
{
	return flow->protocol == FLOW_TCP || flow->protocol == FLOW_UDP;
}

static void put_translations(struct nlmsghdr *message, const struct flow *flow)
{
	const struct flow_tuple *reply = &flow->reply;

	if (flow->status & FLOW_STATUS_SRC_NAT)
		put_translation(message, CTA_NAT_SRC, &reply->destination,
			has_ports(flow) ? reply->destination_port : reply->source_port);
	if (flow->status & FLOW_STATUS_DST_NAT)
		put_translation(message, CTA_NAT_DST, &reply->source, reply->source_port);
}

/* This kernel has not seen the sequence numbers so far: it takes them as they come. */
static void put_tcp(struct nlmsghdr *message, const struct flow *flow)
{
	const struct nf_ct_tcp_flags liberal = {
		.flags = IP_CT_TCP_FLAG_BE_LIBERAL | IP_CT_TCP_FLAG_WINDOW_SCALE,
		.mask = IP_CT_TCP_FLAG_BE_LIBERAL | IP_CT_TCP_FLAG_WINDOW_SCALE};
	struct nlattr *nest = mnl_attr_nest_start(message, CTA_PROTOINFO);
	struct nlattr *tcp = mnl_attr_nest_start(message, CTA_PROTOINFO_TCP);

	mnl_attr_put_u8(message, CTA_PROTOINFO_TCP_STATE, flow->tcp_state);
	mnl_attr_put_u8(message, CTA_PROTOINFO_TCP_WSCALE_ORIGINAL, flow->tcp_scale[0]);
	mnl_attr_put_u8(message, CTA_PROTOINFO_TCP_WSCALE_REPLY, flow->tcp_scale[1]);
	mnl_attr_put(message, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof liberal, &liberal);
	mnl_attr_put(message, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof liberal, &liberal);
	mnl_attr_nest_end(message, tcp);
	mnl_attr_nest_end(message, nest);
}

static struct nlmsghdr *start(void *buffer, uint16_t type, uint16_t flags, uint8_t family, uint32_t sequence)
{
	struct nlmsghdr *message;
	struct nfgenmsg *header;

	memset(buffer, 0, CONNTRACK_MESSAGE_MAX_BYTES);
	message = mnl_nlmsg_put_header(buffer);
	message->nlmsg_type = (uint16_t)(NFNL_SUBSYS_CTNETLINK << 8 | type);
	message->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	message->nlmsg_seq = sequence;
	header = mnl_nlmsg_put_extra_header(message, sizeof *header);
	header->nfgen_family = family;
	header->version = NFNETLINK_V0;
	return message;
}

static void put_state(struct nlmsghdr *message, const struct flow *flow)
{
	put_u32(message, CTA_STATUS,
		IPS_CONFIRMED | (flow->status & (FLOW_STATUS_SEEN_REPLY | FLOW_STATUS_ASSURED)));
	put_u32(message, CTA_TIMEOUT, flow->timeout_s);
	put_u32(message, CTA_MARK, flow->mark);
	if (flow->zone)
		put_u16(message, CTA_ZONE, flow->zone);
	if (flow->protocol == FLOW_TCP)
		put_tcp(message, flow);
}

/* The kernel makes the reply of a translated flow itself, out of the untranslated one: told the translated one, it would not
 * see that there is something to translate (nf_nat_setup_info(), net/netfilter/nf_nat_core.c). */
struct nlmsghdr *conntrack_encode_create(
	void *buffer, const struct flow *flow, uint16_t flags, uint32_t sequence)
{
	struct flow_tuple reply = conntrack_invert(&flow->original, flow->protocol);
	struct nlmsghdr *message = start(buffer, IPCTNL_MSG_CT_NEW, (uint16_t)(NLM_F_CREATE | flags),
		flow->original.source.family, sequence);

	put_tuple(message, CTA_TUPLE_ORIG, &flow->original, flow->protocol);
	put_tuple(message, CTA_TUPLE_REPLY, &reply, flow->protocol);
	put_state(message, flow);
	put_translations(message, flow);
	return message;
}

/* Told of a translation, the kernel would refuse: an entry's stays as it was made. */
struct nlmsghdr *conntrack_encode_update(void *buffer, const struct flow *flow, uint32_t sequence)
{
	struct nlmsghdr *message =
		start(buffer, IPCTNL_MSG_CT_NEW, 0, flow->original.source.family, sequence);

	put_tuple(message, CTA_TUPLE_ORIG, &flow->original, flow->protocol);
	put_state(message, flow);
	return message;
}

struct nlmsghdr *conntrack_encode_loosen(void *buffer, const struct flow *flow, uint32_t sequence)
{
	const struct nf_ct_tcp_flags liberal = {
		.flags = IP_CT_TCP_FLAG_BE_LIBERAL, .mask = IP_CT_TCP_FLAG_BE_LIBERAL};
	struct nlmsghdr *message =
		start(buffer, IPCTNL_MSG_CT_NEW, 0, flow->original.source.family, sequence);
	struct nlattr *nest, *tcp;

	put_tuple(message, CTA_TUPLE_ORIG, &flow->original, flow->protocol);
	if (flow->zone)
		put_u16(message, CTA_ZONE, flow->zone);
	nest = mnl_attr_nest_start(message, CTA_PROTOINFO);
	tcp = mnl_attr_nest_start(message, CTA_PROTOINFO_TCP);
	mnl_attr_put(message, CTA_PROTOINFO_TCP_FLAGS_ORIGINAL, sizeof liberal, &liberal);
	mnl_attr_put(message, CTA_PROTOINFO_TCP_FLAGS_REPLY, sizeof liberal, &liberal);
	mnl_attr_nest_end(message, tcp);
	mnl_attr_nest_end(message, nest);
	return message;
}

struct nlmsghdr *conntrack_encode_delete(
	void *buffer, const struct flow *flow, bool by_reply, uint32_t sequence)
{
	struct nlmsghdr *message =
		start(buffer, IPCTNL_MSG_CT_DELETE, 0, flow->original.source.family, sequence);

	put_tuple(message, by_reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG,
		by_reply ? &flow->reply : &flow->original, flow->protocol);
	if (flow->zone)
		put_u16(message, CTA_ZONE, flow->zone);
	return message;
}

struct nlmsghdr *conntrack_encode_dump(void *buffer, uint32_t sequence)
{
	return start(buffer, IPCTNL_MSG_CT_GET, NLM_F_DUMP, AF_UNSPEC, sequence);
}
