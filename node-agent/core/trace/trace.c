/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/trace/trace.h"

#include <inttypes.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/trace/chain.h"

/* A base chain of the hook, with its table. */
struct hooked {
	const struct loaded_table *table;
	const struct loaded_chain *chain;
	size_t order; /* in which they were listed, which is that in which they were made */
};

struct hooks {
	struct hooked *items; /* owned */
	size_t count, capacity;
};

const char *trace_hook_name(enum trace_hook hook)
{
	switch (hook) {
	case TRACE_PREROUTING:
		return "prerouting";
	case TRACE_INPUT:
		return "input";
	case TRACE_FORWARD:
		return "forward";
	case TRACE_OUTPUT:
		return "output";
	case TRACE_POSTROUTING:
		return "postrouting";
	case TRACE_INGRESS:
		return "ingress";
	case TRACE_EGRESS:
		return "egress";
	}
	abort();
}

static bool is_on_device(const struct loaded_chain *chain, const char *device)
{
	for (size_t i = 0; i < chain->device_count; i++)
		if (strcmp(chain->devices[i], device) == 0)
			return true;
	return false;
}

/* The number of an IP hook; that of ingress is the inet family's. */
static uint32_t inet_hook(enum trace_hook hook)
{
	switch (hook) {
	case TRACE_PREROUTING:
		return NF_INET_PRE_ROUTING;
	case TRACE_INPUT:
		return NF_INET_LOCAL_IN;
	case TRACE_FORWARD:
		return NF_INET_FORWARD;
	case TRACE_OUTPUT:
		return NF_INET_LOCAL_OUT;
	case TRACE_POSTROUTING:
		return NF_INET_POST_ROUTING;
	case TRACE_INGRESS:
		return NF_INET_INGRESS;
	case TRACE_EGRESS:
		return UINT32_MAX; /* there it has none */
	}
	abort();
}

static bool is_hooked(const struct loaded_table *table, const struct loaded_chain *chain,
	enum trace_hook hook, const struct trace_packet *packet)
{
	bool of_device = hook == TRACE_INGRESS || hook == TRACE_EGRESS;
	const char *device = hook == TRACE_INGRESS ? packet->iif : packet->oif;
	uint32_t own = packet->to.family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	if (!chain->base || (of_device && !is_on_device(chain, device)))
		return false;
	if (table->family == NFPROTO_NETDEV)
		return of_device &&
		       chain->hook == (hook == TRACE_INGRESS ? NF_NETDEV_INGRESS : NF_NETDEV_EGRESS);
	return (table->family == own || table->family == NFPROTO_INET) && chain->hook == inet_hook(hook);
}

/* Translation is decided with the first packet of a connection. */
static bool is_asked(const struct loaded_chain *chain, const struct trace_packet *packet)
{
	return !chain->nat || packet->ct == TRACE_CT_NEW;
}

/* Of the same priority the last made comes first (the kernel's nf_hook_entries_grow()). */
static int compare_hooked(const void *a, const void *b)
{
	const struct hooked *left = a, *right = b;

	if (left->chain->priority != right->chain->priority)
		return left->chain->priority < right->chain->priority ? -1 : 1;
	return left->order > right->order ? -1 : 1;
}

static void collect(const struct loaded_ruleset *ruleset, enum trace_hook hook,
	const struct trace_packet *packet, struct hooks *hooks)
{
	for (size_t i = 0; i < ruleset->count; i++) {
		const struct loaded_table *table = &ruleset->tables[i];

		for (size_t j = 0; j < table->chain_count && !table->dormant; j++) {
			const struct loaded_chain *chain = &table->chains[j];

			if (!is_hooked(table, chain, hook, packet))
				continue;
			hooks->items = mem_grow(
				hooks->items, &hooks->capacity, hooks->count + 1, sizeof *hooks->items);
			hooks->items[hooks->count] = (struct hooked){table, chain, hooks->count};
			hooks->count++;
		}
	}
	if (hooks->count)
		qsort(hooks->items, hooks->count, sizeof *hooks->items, compare_hooked);
}

static void take(struct trace_result *result, const struct trace_outcome *outcome)
{
	if (outcome->nat.table)
		result->nat = outcome->nat;
	if (outcome->verdict == TRACE_ACCEPT)
		return;
	/* A drop that is certain ends what was doubtful before it. */
	if (outcome->verdict == TRACE_UNSURE && result->verdict == TRACE_UNSURE)
		return;
	result->verdict = outcome->verdict;
	result->place = outcome->place;
	memcpy(result->why, outcome->why, sizeof result->why);
}

static bool mark_differs(const struct trace_mark *a, const struct trace_mark *b)
{
	return a->unknown != b->unknown || a->value != b->value;
}

/* Chains before connection tracking see nothing of it; it comes at the first hook of a packet. */
static bool is_before_conntrack(enum trace_hook hook, const struct loaded_chain *chain)
{
	return hook == TRACE_INGRESS ||
	       ((hook == TRACE_PREROUTING || hook == TRACE_OUTPUT) && chain->priority < NF_IP_PRI_CONNTRACK);
}

static void ask(const struct hooked *hooked, enum trace_hook hook, struct trace_packet *packet,
	struct trace_budget *budget, struct trace_result *result)
{
	struct trace_packet seen = *packet;
	struct trace_outcome outcome;

	if (is_before_conntrack(hook, hooked->chain) && seen.ct != TRACE_CT_UNTRACKED)
		seen.ct = TRACE_CT_NONE;
	trace_base_chain(hooked->table, hooked->chain, &seen, budget, &outcome);
	if (outcome.packet.ct == TRACE_CT_NONE)
		outcome.packet.ct = packet->ct;
	if (hooked->chain->route && mark_differs(&outcome.packet.mark, &packet->mark))
		result->rerouted = true;
	*packet = outcome.packet;
	take(result, &outcome);
}

void trace_hook(const struct loaded_ruleset *ruleset, enum trace_hook hook, struct trace_packet *packet,
	struct trace_result *ret_result)
{
	struct trace_budget budget = {TRACE_STEPS_MAX, TRACE_FORKS_MAX};
	struct hooks hooks = {0};

	*ret_result = (struct trace_result){.verdict = TRACE_ACCEPT};
	collect(ruleset, hook, packet, &hooks);
	for (size_t i = 0; i < hooks.count; i++) {
		if (ret_result->verdict == TRACE_DROP || ret_result->verdict == TRACE_REJECT)
			break;
		if (is_asked(hooks.items[i].chain, packet))
			ask(&hooks.items[i], hook, packet, &budget, ret_result);
	}
	free(hooks.items);
	if (ruleset->incomplete && ret_result->verdict == TRACE_ACCEPT) {
		ret_result->verdict = TRACE_UNSURE;
		snprintf(ret_result->why, sizeof ret_result->why, "there are more than %d rules",
			LOADED_RULES_MAX);
	}
}

char *trace_place_format(const struct trace_place *place, char buffer[TRACE_PLACE_TEXT_MAX])
{
	struct text text = {0};

	text_add(&text, "%s %s %s", loaded_family_name(place->table->family), place->table->name,
		place->chain->name);
	if (!place->rule)
		text_add(&text, ", policy");
	else if (place->rule->comment)
		text_add(&text, ", rule %zu (handle %" PRIu64 ", \"%s\")", place->number, place->rule->handle,
			place->rule->comment);
	else
		text_add(&text, ", rule %zu (handle %" PRIu64 ")", place->number, place->rule->handle);
	text_copy(buffer, TRACE_PLACE_TEXT_MAX, text.data);
	text_clear(&text);
	return buffer;
}
