/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/forwarding/test_packet.h"

#include <net/ethernet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>

/* RFC 791, RFC 8200, RFC 768, RFC 792, RFC 4443. */
enum {
	IP4_BYTES = 20,
	IP6_BYTES = 40,
	TRANSPORT_BYTES = 8, /* UDP's header, and an echo request's */
	PAYLOAD_BYTES = TRANSPORT_BYTES + TEST_PACKET_TOKEN_BYTES,
	HOPS = 64,
	ETHER_TYPE_OFFSET = 12,
	UDP_CHECKSUM_OFFSET = 6,
	ICMP_CHECKSUM_OFFSET = 2,
	IP4_CHECKSUM_OFFSET = 10,
};

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* RFC 1071; all lengths here are even. */
static uint32_t add_words(uint32_t sum, const uint8_t *bytes, size_t length)
{
	for (size_t i = 0; i < length; i += 2)
		sum += (uint32_t)(bytes[i] << 8 | bytes[i + 1]);
	return sum;
}

static unsigned fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

uint8_t test_packet_protocol(enum test_packet_kind kind, uint8_t family)
{
	if (kind == TEST_PACKET_UDP)
		return IPPROTO_UDP;
	return family == AF_INET ? IPPROTO_ICMP : IPPROTO_ICMPV6;
}

static uint32_t pseudo_header(const struct test_packet *packet, uint8_t protocol)
{
	size_t bytes = addr_bytes(&packet->from);

	return add_words(
		add_words(PAYLOAD_BYTES + protocol, packet->from.bytes, bytes), packet->to.bytes, bytes);
}

static void put_transport(const struct test_packet *packet, uint8_t *at)
{
	uint8_t protocol = test_packet_protocol(packet->kind, packet->from.family);
	uint32_t sum = protocol == IPPROTO_ICMP ? 0 : pseudo_header(packet, protocol);
	size_t offset = protocol == IPPROTO_UDP ? UDP_CHECKSUM_OFFSET : ICMP_CHECKSUM_OFFSET;
	unsigned checksum;

	memset(at, 0, TRANSPORT_BYTES);
	if (protocol == IPPROTO_UDP) {
		put16(at, TEST_PACKET_SPORT);
		put16(at + 2, TEST_PACKET_DPORT);
		put16(at + 4, PAYLOAD_BYTES);
	} else {
		at[0] = protocol == IPPROTO_ICMP ? ICMP_ECHO : ICMP6_ECHO_REQUEST;
		memcpy(at + 4, packet->token,
			4); /* identifier and sequence number, so that connection tracking meets no
						     echo of anybody else's */
	}
	memcpy(at + TRANSPORT_BYTES, packet->token, sizeof(packet->token));
	checksum = fold(add_words(sum, at, PAYLOAD_BYTES));
	put16(at + offset, checksum ? checksum : 0xffff); /* 0 is none to UDP; the same sum to ICMP */
}

static void put_ip4(const struct test_packet *packet, uint8_t *at)
{
	memset(at, 0, IP4_BYTES);
	at[0] = 0x45;
	put16(at + 2, IP4_BYTES + PAYLOAD_BYTES);
	at[8] = HOPS;
	at[9] = test_packet_protocol(packet->kind, AF_INET);
	memcpy(at + 12, packet->from.bytes, 4);
	memcpy(at + 16, packet->to.bytes, 4);
	put16(at + IP4_CHECKSUM_OFFSET, fold(add_words(0, at, IP4_BYTES)));
}

static void put_ip6(const struct test_packet *packet, uint8_t *at)
{
	memset(at, 0, IP6_BYTES);
	at[0] = 0x60;
	put16(at + 4, PAYLOAD_BYTES);
	at[6] = test_packet_protocol(packet->kind, AF_INET6);
	at[7] = HOPS;
	memcpy(at + 8, packet->from.bytes, 16);
	memcpy(at + 24, packet->to.bytes, 16);
}

size_t test_packet_write(const struct test_packet *packet, uint8_t ret_frame[TEST_PACKET_BYTES_MAX])
{
	bool ip4 = packet->from.family == AF_INET;
	size_t ip = ip4 ? IP4_BYTES : IP6_BYTES;

	memcpy(ret_frame, packet->mac, ETH_ALEN);
	memset(ret_frame + ETH_ALEN, 0, ETH_ALEN);
	put16(ret_frame + ETHER_TYPE_OFFSET, ip4 ? ETHERTYPE_IP : ETHERTYPE_IPV6);
	if (ip4)
		put_ip4(packet, ret_frame + ETH_HLEN);
	else
		put_ip6(packet, ret_frame + ETH_HLEN);
	put_transport(packet, ret_frame + ETH_HLEN + ip);
	return ETH_HLEN + ip + PAYLOAD_BYTES;
}
