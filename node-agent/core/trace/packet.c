/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/trace/packet.h"

#include <netinet/in.h>
#include <stdio.h>

static const char *what(const struct trace_packet *packet)
{
	switch (packet->protocol) {
	case IPPROTO_TCP:
		return packet->reply ? "a TCP answer" : "a TCP SYN";
	case IPPROTO_UDP:
		return "a UDP packet";
	default: /* a number, not an enum */
		return packet->reply ? "an ICMP echo reply" : "an ICMP echo request";
	}
}

char *trace_packet_format(const struct trace_packet *packet, char buffer[TRACE_PACKET_TEXT_MAX])
{
	if (packet->dport)
		snprintf(buffer, TRACE_PACKET_TEXT_MAX, "%s to port %u", what(packet), packet->dport);
	else
		snprintf(buffer, TRACE_PACKET_TEXT_MAX, "%s", what(packet));
	return buffer;
}
