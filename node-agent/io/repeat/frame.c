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
	KEEPALIVE_BYTES = 32,
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

/* Size of a whole message of this kind, 0: it is none of a handshake; and where its index is. */
static size_t message_bytes(uint8_t kind, size_t *ret_index)
{
	*ret_index = kind == HANDSHAKE_RESPONSE ? 8 : 4;
	switch (kind) {
	case HANDSHAKE_INITIATION:
		return INITIATION_BYTES;
	case HANDSHAKE_RESPONSE:
		return RESPONSE_BYTES;
	case HANDSHAKE_KEEPALIVE:
		return KEEPALIVE_BYTES;
	default:
		return 0;
	}
}

/* A response comes from it, a keepalive of ours goes to it. */
static void find_client(const uint8_t *bytes, struct handshake_frame *frame)
{
	bool ip6 = get16(bytes + 12) == TYPE_IPV6, comes = frame->kind == HANDSHAKE_RESPONSE;
	size_t length = ip6 ? 16 : 4, source = frame->network + (ip6 ? 8 : 12);

	memcpy(&frame->client.index, bytes + frame->payload + 4, sizeof(frame->client.index));
	memcpy(frame->client.address, bytes + source + (comes ? 0 : length), length);
	frame->client.port = comes ? frame->source_port : frame->target_port;
}

bool handshake_frame_parse(const uint8_t *bytes, size_t size, struct handshake_frame *ret_frame)
{
	struct handshake_frame frame = {.network = ETHERNET_BYTES};
	size_t length, index;

	if (!find_udp(bytes, size, &frame.udp) || size < frame.udp + UDP_BYTES + KEEPALIVE_BYTES)
		return false;
	frame.payload = frame.udp + UDP_BYTES;
	frame.kind = bytes[frame.payload];
	length = message_bytes(frame.kind, &index);
	if (!length || get16(bytes + frame.udp + 4) != UDP_BYTES + length || size < frame.payload + length)
		return false;
	memcpy(&frame.index, bytes + frame.payload + index, sizeof(frame.index));
	frame.source_port = get16(bytes + frame.udp);
	frame.target_port = get16(bytes + frame.udp + 2);
	find_client(bytes, &frame);
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
