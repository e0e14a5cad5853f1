/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <string.h>

#include "node-agent/core/trace/packet.h"

static void set_known(struct trace_header *header, size_t offset, const void *bytes, size_t length)
{
	memcpy(header->bytes + offset, bytes, length);
	header->unknown &= ~(((1ULL << length) - 1) << offset);
}

static void set_byte(struct trace_header *header, size_t offset, uint8_t byte)
{
	set_known(header, offset, &byte, 1);
}

static void set_port(struct trace_header *header, size_t offset, uint16_t port)
{
	uint16_t network = htons(port);

	if (port)
		set_known(header, offset, &network, sizeof network);
}

static void set_addr(struct trace_header *header, size_t offset, const struct addr *addr)
{
	if (addr_is_set(addr))
		set_known(header, offset, addr->bytes, addr_bytes(addr));
}

static void begin(struct trace_header *header, size_t length)
{
	*header = (struct trace_header){.length = (uint8_t)length, .unknown = UINT64_MAX};
}

void trace_network_header(const struct trace_packet *packet, struct trace_header *ret_header)
{
	if (packet->to.family == AF_INET) {
		begin(ret_header, sizeof(struct iphdr));
		set_byte(ret_header, 0, 0x45); /* version and length: no options */
		set_byte(ret_header, offsetof(struct iphdr, protocol), packet->protocol);
		set_addr(ret_header, offsetof(struct iphdr, saddr), &packet->from);
		set_addr(ret_header, offsetof(struct iphdr, daddr), &packet->to);
		return;
	}
	begin(ret_header, sizeof(struct ip6_hdr));
	set_byte(ret_header, offsetof(struct ip6_hdr, ip6_nxt), packet->protocol);
	set_addr(ret_header, offsetof(struct ip6_hdr, ip6_src), &packet->from);
	set_addr(ret_header, offsetof(struct ip6_hdr, ip6_dst), &packet->to);
}

static uint8_t tcp_flags(const struct trace_packet *packet)
{
	return packet->reply ? TH_SYN | TH_ACK : TH_SYN;
}

static uint8_t echo_type(const struct trace_packet *packet)
{
	if (packet->protocol == IPPROTO_ICMP)
		return packet->reply ? ICMP_ECHOREPLY : ICMP_ECHO;
	return packet->reply ? ICMP6_ECHO_REPLY : ICMP6_ECHO_REQUEST;
}

void trace_transport_header(const struct trace_packet *packet, struct trace_header *ret_header)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
		begin(ret_header, sizeof(struct tcphdr));
		set_byte(ret_header, offsetof(struct tcphdr, th_flags), tcp_flags(packet));
		break;
	case IPPROTO_UDP:
		begin(ret_header, sizeof(struct udphdr));
		break;
	default: /* ICMP of both families; a number, not an enum */
		begin(ret_header, sizeof(struct icmphdr));
		set_byte(ret_header, 0, echo_type(packet));
		set_byte(ret_header, 1, 0);
		return;
	}
	set_port(ret_header, 0, packet->sport);
	set_port(ret_header, 2, packet->dport);
}

static void write_addr(struct addr *addr, uint8_t family, const uint8_t *bytes)
{
	*addr = (struct addr){0};
	if (!bytes)
		return;
	addr->family = family;
	memcpy(addr->bytes, bytes, addr_bytes(addr));
}

void trace_write_network(struct trace_packet *packet, uint32_t offset, uint32_t length, const uint8_t *bytes)
{
	uint8_t family = packet->to.family;
	size_t from = family == AF_INET ? offsetof(struct iphdr, saddr) : offsetof(struct ip6_hdr, ip6_src);

	if (length == addr_bytes(&packet->to) && offset == from)
		write_addr(&packet->from, family, bytes);
}
