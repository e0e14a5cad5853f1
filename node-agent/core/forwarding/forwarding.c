/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/forwarding/forwarding.h"

#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/forwarding/test_packet.h"
#include "node-agent/core/trace/trace.h"

static struct trace_packet packet_from(
	const struct forwarding_link *in, const struct addr *from, const struct addr *to)
{
	struct trace_packet packet = {.from = *from,
		.to = *to,
		.protocol = IPPROTO_TCP,
		.iif_index = in->index,
		.ct = TRACE_CT_NEW,
		.from_type = RTN_UNICAST,
		.to_type = RTN_UNICAST};

	(void)text_copy(packet.iif, sizeof(packet.iif), in->name);
	return packet;
}

static const enum trace_hook hooks_on_the_way[] = {
	TRACE_INGRESS, TRACE_PREROUTING, TRACE_FORWARD, TRACE_POSTROUTING};

/* The interface it leaves by is known from the forward hook on. */
static void pass(const struct loaded_ruleset *ruleset, enum trace_hook hook,
	const struct forwarding_link *out, struct trace_packet *packet, struct trace_result *ret_result)
{
	if (hook == TRACE_FORWARD) {
		(void)text_copy(packet->oif, sizeof(packet->oif), out->name);
		packet->oif_index = out->index;
	}
	trace_hook(ruleset, hook, packet, ret_result);
}

static bool is_allowed(const struct loaded_ruleset *ruleset, const struct forwarding_link *in,
	const struct forwarding_link *out, struct trace_packet *packet, char ret_why[FORWARDING_WHY_MAX])
{
	for (size_t i = 0; i < ARRAY_COUNT(hooks_on_the_way); i++) {
		char place[TRACE_PLACE_TEXT_MAX];
		struct trace_result result;

		pass(ruleset, hooks_on_the_way[i], out, packet, &result);
		if (result.verdict != TRACE_DROP && result.verdict != TRACE_REJECT)
			continue;
		(void)snprintf(ret_why, FORWARDING_WHY_MAX,
			"what comes in by %s is not forwarded to %s: %s %s it", in->name, out->name,
			trace_place_format(&result.place, place),
			result.verdict == TRACE_DROP ? "drops" : "rejects");
		return false;
	}
	return true;
}

static bool is_on(const struct forwarding_link *in, const struct addr *from, char ret_why[FORWARDING_WHY_MAX])
{
	const char *family = from->family == AF_INET ? "IPv4" : "IPv6";

	if (!in->forwarding)
		(void)snprintf(ret_why, FORWARDING_WHY_MAX, "%s is not forwarded from %s: net.%s.%s is 0",
			family, in->name, from->family == AF_INET ? "ipv4" : "ipv6",
			from->family == AF_INET ? "ip_forward" : "conf.all.forwarding");
	else if (in->strict && from->family == AF_INET)
		(void)snprintf(ret_why, FORWARDING_WHY_MAX,
			"rp_filter is strict (1) on %s, whose routes are not in the main table: what comes "
			"in "
			"there is dropped",
			in->name);
	else
		return true;
	return false;
}

/* Does every rule that has a say let this packet through, for certain? */
static bool lets_through(
	const struct loaded_ruleset *ruleset, const struct forwarding_way *way, enum test_packet_kind kind)
{
	struct trace_packet packet = packet_from(&way->tunnel, &way->client, &way->host);
	struct trace_result result = {.verdict = TRACE_ACCEPT};

	packet.protocol = test_packet_protocol(kind, way->client.family);
	if (kind == TEST_PACKET_UDP) {
		packet.sport = TEST_PACKET_SPORT;
		packet.dport = TEST_PACKET_DPORT;
	}
	for (size_t i = 0; i < ARRAY_COUNT(hooks_on_the_way) && result.verdict == TRACE_ACCEPT; i++)
		pass(ruleset, hooks_on_the_way[i], &way->inside, &packet, &result);
	return result.verdict == TRACE_ACCEPT;
}

bool forwarding_is_provable(const struct loaded_ruleset *ruleset, const struct forwarding_way *way)
{
	for (int kind = 0; kind < TEST_PACKET_KINDS; kind++)
		if (lets_through(ruleset, way, (enum test_packet_kind)kind))
			return true;
	return false;
}

bool forwarding_works(const struct loaded_ruleset *ruleset, const struct forwarding_way *way,
	char ret_why[FORWARDING_WHY_MAX])
{
	struct trace_packet out = packet_from(&way->tunnel, &way->client, &way->host);
	struct trace_packet back = packet_from(&way->inside, &way->host, &way->client);

	back.ct = TRACE_CT_ESTABLISHED;
	back.reply = true;
	return is_on(&way->tunnel, &way->client, ret_why) && is_on(&way->inside, &way->host, ret_why) &&
	       is_allowed(ruleset, &way->tunnel, &way->inside, &out, ret_why) &&
	       is_allowed(ruleset, &way->inside, &way->tunnel, &back, ret_why);
}
