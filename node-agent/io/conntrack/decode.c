/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_conntrack.h>

#include "common/base/mem.h"
#include "node-agent/core/flow/status.h"
#include "node-agent/io/conntrack/message.h"
#include "node-agent/io/rtnl/attribute.h"

static bool get_u16(const struct nlattr *attribute, uint16_t *ret_value)
{
	bool there = attribute_u16(attribute, ret_value);

	if (there)
		*ret_value = ntohs(*ret_value);
	return there;
}

static bool get_u32(const struct nlattr *attribute, uint32_t *ret_value)
{
	bool there = attribute_u32(attribute, ret_value);

	if (there)
		*ret_value = ntohl(*ret_value);
	return there;
}

static int get_addresses(const struct nlattr *nest, struct flow_tuple *tuple)
{
	const struct nlattr *ip[CTA_IP_MAX + 1];
	bool six;

	attribute_nest(nest, ip, ARRAY_COUNT(ip));
	six = ip[CTA_IP_V6_SRC];
	if (!attribute_addr(
		    ip[six ? CTA_IP_V6_SRC : CTA_IP_V4_SRC], six ? AF_INET6 : AF_INET, &tuple->source) ||
		!attribute_addr(ip[six ? CTA_IP_V6_DST : CTA_IP_V4_DST], six ? AF_INET6 : AF_INET,
			&tuple->destination))
		return -EPROTO;
	return 0;
}

static int get_icmp(const struct nlattr *id, const struct nlattr *type, const struct nlattr *code,
	struct flow_tuple *tuple)
{
	uint8_t type_value, code_value;

	if (!get_u16(id, &tuple->source_port) || !attribute_u8(type, &type_value) ||
		!attribute_u8(code, &code_value))
		return -EPROTO;
	tuple->destination_port = (uint16_t)(type_value << 8 | code_value);
	return 0;
}

static int get_ports(const struct nlattr *nest, uint8_t *ret_protocol, struct flow_tuple *tuple)
{
	const struct nlattr *proto[CTA_PROTO_MAX + 1];

	attribute_nest(nest, proto, ARRAY_COUNT(proto));
	if (!attribute_u8(proto[CTA_PROTO_NUM], ret_protocol))
		return -EPROTO;
	switch (*ret_protocol) {
	case FLOW_TCP:
	case FLOW_UDP:
		return get_u16(proto[CTA_PROTO_SRC_PORT], &tuple->source_port) &&
				       get_u16(proto[CTA_PROTO_DST_PORT], &tuple->destination_port)
			       ? 0
			       : -EPROTO;
	case FLOW_ICMP:
		return get_icmp(proto[CTA_PROTO_ICMP_ID], proto[CTA_PROTO_ICMP_TYPE],
			proto[CTA_PROTO_ICMP_CODE], tuple);
	case FLOW_ICMP6:
		return get_icmp(proto[CTA_PROTO_ICMPV6_ID], proto[CTA_PROTO_ICMPV6_TYPE],
			proto[CTA_PROTO_ICMPV6_CODE], tuple);
	default: /* a number of IANA's */
		return -ENOMSG;
	}
}

static int get_tuple(const struct nlattr *nest, uint8_t *ret_protocol, struct flow_tuple *ret_tuple)
{
	const struct nlattr *parts[CTA_TUPLE_MAX + 1];
	int r;

	attribute_nest(nest, parts, ARRAY_COUNT(parts));
	if (parts[CTA_TUPLE_ZONE])
		return -ENOMSG;
	r = get_addresses(parts[CTA_TUPLE_IP], ret_tuple);
	return r < 0 ? r : get_ports(parts[CTA_TUPLE_PROTO], ret_protocol, ret_tuple);
}

static int get_both(const struct nlattr *const table[], struct flow *flow)
{
	uint8_t protocol = 0;
	int r = get_tuple(table[CTA_TUPLE_ORIG], &flow->protocol, &flow->original);

	if (r == 0)
		r = get_tuple(table[CTA_TUPLE_REPLY], &protocol, &flow->reply);
	if (r < 0)
		return r;
	return protocol == flow->protocol && flow->original.source.family == flow->reply.source.family
		       ? 0
		       : -EPROTO;
}

/* News of other changes come without it. */
static void get_tcp(const struct nlattr *nest, struct flow *flow)
{
	const struct nlattr *info[CTA_PROTOINFO_MAX + 1], *tcp[CTA_PROTOINFO_TCP_MAX + 1];

	if (flow->protocol != FLOW_TCP)
		return;
	attribute_nest(nest, info, ARRAY_COUNT(info));
	attribute_nest(info[CTA_PROTOINFO_TCP], tcp, ARRAY_COUNT(tcp));
	attribute_u8(tcp[CTA_PROTOINFO_TCP_STATE], &flow->tcp_state);
	attribute_u8(tcp[CTA_PROTOINFO_TCP_WSCALE_ORIGINAL], &flow->tcp_scale[0]);
	attribute_u8(tcp[CTA_PROTOINFO_TCP_WSCALE_REPLY], &flow->tcp_scale[1]);
}

static int decode_flow(const struct nlmsghdr *message, struct flow *flow)
{
	const struct nlattr *table[CTA_MAX + 1];
	int r;

	if (!attribute_table(message, sizeof(struct nfgenmsg), table, ARRAY_COUNT(table)))
		return -EPROTO;
	r = get_both(table, flow);
	if (r < 0)
		return r;
	get_u32(table[CTA_STATUS], &flow->status);
	if (flow->status & IPS_EXPECTED || table[CTA_TUPLE_MASTER])
		return -ENOMSG;
	flow->status &= FLOW_STATUS_MASK;
	get_u32(table[CTA_TIMEOUT], &flow->timeout_s);
	get_u32(table[CTA_MARK], &flow->mark);
	get_u16(table[CTA_ZONE], &flow->zone);
	get_tcp(table[CTA_PROTOINFO], flow);
	return 0;
}

int conntrack_decode(const struct nlmsghdr *message, enum conntrack_kind *ret_kind, struct flow *ret_flow)
{
	enum conntrack_kind kind;
	struct flow flow = {0};
	int r;

	switch (message->nlmsg_type) {
	case NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_NEW:
		kind = CONNTRACK_PRESENT;
		break;
	case NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE:
		kind = CONNTRACK_GONE;
		break;
	default: /* messages of other kinds */
		return -ENOMSG;
	}
	r = decode_flow(message, &flow);
	if (r < 0)
		return r;
	*ret_kind = kind;
	*ret_flow = flow;
	return 0;
}
