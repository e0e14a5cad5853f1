/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/proving.h"

#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/mem.h"
#include "common/io/log.h"
#include "common/io/metrics.h"
#include "node-agent/core/forwarding/test_packet.h"
#include "node-agent/io/nft/catch.h"
#include "node-agent/io/rtnl/route.h"

/* ---- which ways ---- */

void proving_clear(struct proving *proving)
{
	inject_close(proving->inject);
	*proving = (struct proving){0};
}

void proving_begin(struct proving *proving)
{
	for (size_t i = 0; i < proving->count; i++)
		proving->ways[i].wanted = false;
}

void proving_end(struct proving *proving)
{
	size_t kept = 0;

	for (size_t i = 0; i < proving->count; i++)
		if (proving->ways[i].wanted)
			proving->ways[kept++] = proving->ways[i];
	proving->count = kept;
}

static bool is_same(const struct forwarding_way *a, const struct forwarding_way *b)
{
	return a->tunnel.index == b->tunnel.index && a->inside.index == b->inside.index &&
	       addr_equal(&a->client, &b->client) && addr_equal(&a->host, &b->host);
}

static struct proving_way *find(struct proving *proving, const struct forwarding_way *way)
{
	for (size_t i = 0; i < proving->count; i++)
		if (is_same(&proving->ways[i].way, way))
			return &proving->ways[i];
	if (proving->count == FW_CATCHES_MAX)
		return NULL;
	proving->ways[proving->count] = (struct proving_way){0};
	return &proving->ways[proving->count++];
}

bool proving_holds(
	struct proving *proving, const struct forwarding_way *way, char ret_why[FORWARDING_WHY_MAX])
{
	struct proving_way *found = find(proving, way);

	if (!found)
		return true;
	found->way = *way;
	found->wanted = true;
	if (!proof_is_broken(&found->proof))
		return true;
	(void)snprintf(ret_why, FORWARDING_WHY_MAX,
		"packets sent in by %s no longer come out by %s, and nftables' rules let them: "
		"see iptables-legacy, tc, eBPF, ip xfrm policy",
		way->tunnel.name, way->inside.name);
	return false;
}

void proving_hurry(struct proving *proving)
{
	for (size_t i = 0; i < proving->count; i++)
		proving->ways[i].proof.next_ms = 0;
}

/* ---- packets ---- */

/* Those that are under way together. */
struct round {
	size_t count;
	struct proving_way *ways[FW_CATCHES_MAX];
	struct fw_catch catches[FW_CATCHES_MAX];
	struct addr to[FW_CATCHES_MAX];
	uint64_t through[FW_CATCHES_MAX]; /* packets */
};

static bool leads_there(struct rtnl *rtnl, const struct forwarding_way *way, const struct addr *to)
{
	struct rtnl_route_query query = {.to = *to, .from = way->client, .iif = way->tunnel.index};
	struct rtnl_route route;

	return rtnl_route_lookup(rtnl, &query, &route, NULL) >= 0 && route.type == RTN_UNICAST &&
	       route.ifindex == way->inside.index;
}

/* An address of the inside network that the kernel would forward to: not one of its own, nor a broadcast address. */
static bool find_destination(struct rtnl *rtnl, const struct forwarding_way *way, struct addr *ret_to)
{
	static const uint8_t flips[] = {
		0, 0x06, 0x0a, 0x12}; /* of one bit of the inside address after the other */

	for (size_t i = 0; i < ARRAY_COUNT(flips); i++) {
		*ret_to = way->host;
		ret_to->bytes[addr_bytes(ret_to) - 1] ^= flips[i];
		if (leads_there(rtnl, way, ret_to))
			return true;
	}
	return false;
}

/* Receive packet steering may have another processor take the packet up later, when nothing catches it any more
 * (Documentation/networking/scaling.rst; a mask in hexadecimal, all zeros by default). */
static bool is_steered(const char *device)
{
	char path[64 + IFNAMSIZ], mask[512] = "";
	FILE *file;

	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/queues/rx-0/rps_cpus", device);
	file = fopen(path, "re");
	if (!file)
		return false; /* a kernel without it */
	(void)!fgets(mask, sizeof(mask), file);
	(void)fclose(file);
	return mask[strspn(mask, "0,\n")];
}

static void add(struct round *round, struct rtnl *rtnl, struct proving_way *way, int64_t now_ms)
{
	struct fw_catch *catch = &round->catches[round->count];

	catch->device = way->way.inside.name;
	if (is_steered(way->way.tunnel.name) || !find_destination(rtnl, &way->way, &round->to[round->count]))
		proof_take(&way->proof, PROOF_NO_WAY, now_ms);
	else if (getrandom(catch->token, sizeof(catch->token), 0) != sizeof(catch->token))
		proof_take(&way->proof, PROOF_UNSENT, now_ms);
	else
		round->ways[round->count++] = way;
}

static int send_kinds(const struct proving *proving, const struct round *round, size_t i, struct err *err)
{
	const struct forwarding_way *way = &round->ways[i]->way;
	struct test_packet packet = {.from = way->client, .to = round->to[i]};
	uint8_t frame[TEST_PACKET_BYTES_MAX];
	int r = 0;

	memcpy(packet.mac, way->tunnel.mac, sizeof(packet.mac));
	memcpy(packet.token, round->catches[i].token, sizeof(packet.token));
	for (int kind = 0; kind < TEST_PACKET_KINDS && r >= 0; kind++) {
		packet.kind = (enum test_packet_kind)kind;
		r = inject_frame(
			proving->inject, way->tunnel.index, frame, test_packet_write(&packet, frame), err);
	}
	return r;
}

static int send_caught(const struct proving *proving, struct nft *nft, struct round *round, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < round->count && r >= 0; i++)
		r = send_kinds(proving, round, i, err);
	return r < 0 ? r : nft_catch_read(nft, round->through, round->count, err);
}

static int send_round(struct proving *proving, struct nft *nft, struct round *round, struct err *err)
{
	int r = proving->inject ? 0 : inject_open(&proving->inject, err);

	if (r < 0)
		return r;
	r = nft_catch_open(nft, round->catches, round->count, err);
	if (r < 0)
		return r;
	r = send_caught(proving, nft, round, err);
	nft_catch_close(nft);
	return r;
}

static void take_round(struct round *round, bool sent, int64_t now_ms)
{
	for (size_t i = 0; i < round->count; i++)
		proof_take(&round->ways[i]->proof,
			!sent               ? PROOF_UNSENT
			: round->through[i] ? PROOF_THROUGH
					    : PROOF_LOST,
			now_ms);
}

static size_t count_broken(const struct proving *proving)
{
	size_t broken = 0;

	for (size_t i = 0; i < proving->count; i++)
		broken += proof_is_broken(&proving->ways[i].proof);
	return broken;
}

static int64_t next_wait(const struct proving *proving, int64_t now_ms)
{
	int64_t wait_ms = PROOF_EVERY_MS;

	for (size_t i = 0; i < proving->count; i++)
		if (proving->ways[i].proof.next_ms - now_ms < wait_ms)
			wait_ms = proving->ways[i].proof.next_ms - now_ms;
	return wait_ms;
}

int64_t proving_run(struct proving *proving, struct nft *nft, struct rtnl *rtnl, int64_t now_ms)
{
	struct round round = {0};
	size_t broken = count_broken(proving);
	struct err err = {0};
	int r;

	for (size_t i = 0; i < proving->count; i++)
		if (proving->ways[i].proof.next_ms <= now_ms)
			add(&round, rtnl, &proving->ways[i], now_ms);
	if (round.count) {
		r = send_round(proving, nft, &round, &err);
		if (r < 0)
			log_limited(LEVEL_INFO, "agent", "forwarding-not-proven", "", log_err(&err),
				log_text("judged", "by rules only"));
		take_round(&round, r >= 0, now_ms);
	}
	return count_broken(proving) != broken ? 0 : next_wait(proving, now_ms);
}

void proving_metrics(const struct proving *proving, int64_t now_ms, struct text *out)
{
	static const char name[] = "holdfast_forwarding_proven_seconds";

	metrics_family(out, METRICS_GAUGE, name,
		"Since a packet of the agent's own came in by the tunnel and out by the inside interface.");
	for (size_t i = 0; i < proving->count; i++) {
		const struct proving_way *way = &proving->ways[i];
		const char *labels[] = {"tunnel", way->way.tunnel.name, "interface", way->way.inside.name,
			"family", way->way.client.family == AF_INET ? "ipv4" : "ipv6", NULL};

		if (way->proof.proven_ms)
			metrics_seconds(out, name, labels, now_ms - way->proof.proven_ms);
	}
}
