/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/repeat/frame.h"

#include <string.h>

enum {
	ETHERNET_BYTES = 14,
	TYPE_IPV4 = 0x0800,
	TYPE_IPV6 = 0x86dd,
	PROTOCOL_UDP = 17,
	IPV6_BYTES = 40,
	UDP_BYTES = 8,
	INITIATION_BYTES = 148,
	RESPONSE_BYTES = 92,
};

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static bool find_udp_ipv4(const uint8_t *bytes, size_t size, size_t *ret_udp)
{
	const uint8_t *header = bytes + ETHERNET_BYTES;
	size_t length;

	if (size < ETHERNET_BYTES + 20 || header[0] >> 4 != 4)
		return false;
	length = (size_t)(header[0] & 15) * 4;
	if (length < 20 || header[9] != PROTOCOL_UDP || get16(header + 6) & 0x3fff)
		return false; /* not UDP, or a fragment */
	*ret_udp = ETHERNET_BYTES + length;
	return true;
}

static bool find_udp_ipv6(const uint8_t *bytes, size_t size, size_t *ret_udp)
{
	if (size < ETHERNET_BYTES + IPV6_BYTES || bytes[ETHERNET_BYTES + 6] != PROTOCOL_UDP)
		return false;
	*ret_udp = ETHERNET_BYTES + IPV6_BYTES;
	return true;
}

static bool find_udp(const uint8_t *bytes, size_t size, size_t *ret_udp)
{
	if (size < ETHERNET_BYTES)
		return false;
	switch (get16(bytes + 12)) {
	case TYPE_IPV4:
		return find_udp_ipv4(bytes, size, ret_udp);
	case TYPE_IPV6:
		return find_udp_ipv6(bytes, size, ret_udp);
	default:
		return false;
	}
}

bool handshake_frame_parse(const uint8_t *bytes, size_t size, struct handshake_frame *ret_frame)
{
	struct handshake_frame frame = {.network = ETHERNET_BYTES};
	size_t length;

	if (!find_udp(bytes, size, &frame.udp) || size < frame.udp + UDP_BYTES + RESPONSE_BYTES)
		return false;
	frame.payload = frame.udp + UDP_BYTES;
	frame.kind = bytes[frame.payload];
	length = get16(bytes + frame.udp + 4);
	if (frame.kind == HANDSHAKE_INITIATION) {
		if (length != UDP_BYTES + INITIATION_BYTES || size < frame.udp + length)
			return false;
		memcpy(&frame.index, bytes + frame.payload + 4, sizeof(frame.index));
	} else if (frame.kind == HANDSHAKE_RESPONSE) {
		if (length != UDP_BYTES + RESPONSE_BYTES)
			return false;
		memcpy(&frame.index, bytes + frame.payload + 8, sizeof(frame.index));
	} else {
		return false;
	}
	frame.source_port = get16(bytes + frame.udp);
	frame.target_port = get16(bytes + frame.udp + 2);
	*ret_frame = frame;
	return true;
}

static uint32_t sum(uint32_t start, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i + 1 < size; i += 2)
		start += get16(bytes + i);
	return size % 2 ? start + ((uint32_t)bytes[size - 1] << 8) : start;
}

void handshake_frame_checksum(uint8_t *bytes, size_t size, const struct handshake_frame *frame)
{
	uint16_t length = get16(bytes + frame->udp + 4);
	bool ip6 = frame->udp - frame->network == IPV6_BYTES && bytes[frame->network] >> 4 == 6;
	uint32_t total = PROTOCOL_UDP + (uint32_t)length;
	uint16_t checksum;

	if (size < frame->udp + length)
		return;
	bytes[frame->udp + 6] = bytes[frame->udp + 7] = 0;
	total = ip6 ? sum(total, bytes + frame->network + 8, 32) : sum(total, bytes + frame->network + 12, 8);
	total = sum(total, bytes + frame->udp, length);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	checksum = (uint16_t)~total;
	if (!checksum)
		checksum = 0xffff; /* 0 would mean: none */
	bytes[frame->udp + 6] = (uint8_t)(checksum >> 8);
	bytes[frame->udp + 7] = (uint8_t)checksum;
}
