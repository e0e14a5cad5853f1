/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/swarm/echo.h"

#include <arpa/inet.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <string.h>

static uint16_t checksum(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	sum = (sum >> 16) + (sum & 0xffff);
	return htons((uint16_t) ~(sum + (sum >> 16)));
}

void echo_write(uint32_t from, uint32_t to, uint16_t number, uint8_t ret[ECHO_PADDED_BYTES])
{
	struct iphdr ip = {.version = 4,
		.ihl = 5,
		.tot_len = htons(ECHO_BYTES),
		.ttl = 64,
		.protocol = IPPROTO_ICMP,
		.saddr = htonl(from),
		.daddr = htonl(to)};
	struct icmphdr icmp = {
		.type = ICMP_ECHO, .un.echo = {.id = htons(0x4846), .sequence = htons(number)}};

	ip.check = checksum((const uint8_t *)&ip, sizeof(ip));
	icmp.checksum = checksum((const uint8_t *)&icmp, sizeof(icmp));
	memset(ret, 0, ECHO_PADDED_BYTES);
	memcpy(ret, &ip, sizeof(ip));
	memcpy(ret + sizeof(ip), &icmp, sizeof(icmp));
}

bool echo_is_answer(const uint8_t *packet, size_t size, uint32_t from, uint32_t to)
{
	struct iphdr ip;

	if (size < ECHO_BYTES)
		return false;
	memcpy(&ip, packet, sizeof(ip));
	return ip.version == 4 && ip.ihl == 5 && ip.protocol == IPPROTO_ICMP && ip.saddr == htonl(from) &&
	       ip.daddr == htonl(to) && packet[sizeof(ip)] == ICMP_ECHOREPLY;
}
