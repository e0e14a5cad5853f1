/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "node-agent/core/firewall/firewall.h"
#include "node-agent/io/quick/firewall.h"
#include "node-agent/io/quick/keeping.h"
#include "node-agent/io/quick/parameter.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/quick/session.h"

/* The tables of one tunnel: wg-quick's for a default route, and one of our own for forwarding and multicast. */

/* ---- what is wanted ---- */

bool quick_wants_silence(const struct quick *quick)
{
	return quick->sidecar.has_multicast && !quick->sidecar.multicast;
}

static unsigned wanted_parts(const struct quick *quick, const struct quick_routing *routing)
{
	const struct quick_forward *forward = &quick->sidecar.forward;
	unsigned parts = quick_routing_needs_mark(routing) ? FIREWALL_MARKING : 0;

	if (quick_has_default(&routing->facts, AF_INET) || quick_has_default(&routing->facts, AF_INET6))
		parts |= FIREWALL_SPOOFING;
	if (forward->drop)
		parts |= FIREWALL_DROPPING;
	if (forward->snat_count)
		parts |= FIREWALL_TRANSLATING;
	if (forward->clamp_mss)
		parts |= FIREWALL_CLAMPING;
	if (quick_wants_silence(quick))
		parts |= FIREWALL_SILENCING;
	return parts;
}

bool quick_needs_firewall(const struct quick *quick, const struct quick_routing *routing)
{
	return wanted_parts(quick, routing) != 0;
}

static void put_forward(const struct quick *quick, struct firewall_tunnel *tunnel, struct firewall_snat *snat)
{
	const struct quick_forward *forward = &quick->sidecar.forward;

	if (!quick->journal.forwards)
		return;
	tunnel->forward = forward->drop ? FIREWALL_FORWARD_DROP : FIREWALL_FORWARD_ACCEPT;
	tunnel->clamp_mss = forward->clamp_mss;
	tunnel->snat = snat;
	tunnel->snat_count = forward->snat_count;
	for (size_t i = 0; i < forward->snat_count; i++)
		snat[i] = (struct firewall_snat){.from = forward->snat[i].from,
			.interface = forward->snat[i].interface,
			.to = forward->snat[i].to};
}

int quick_routing_firewall(
	struct quick *quick, const struct quick_routing *routing, bool ours, struct fw_ruleset **ret_ruleset)
{
	CLEANUP_FREE struct prefix *addresses = mem_new(routing->view.address_count + 1, sizeof(*addresses));
	struct firewall_snat snat[2 * QUICK_SNAT_MAX];
	struct firewall_tunnel tunnel = {.interface = quick->name,
		.fwmark = routing->facts.mark,
		.addresses = addresses,
		.address_count = routing->view.address_count,
		.default_ip4 = quick_has_default(&routing->facts, AF_INET),
		.default_ip6 = quick_has_default(&routing->facts, AF_INET6)};
	char scope[FW_SCOPE_MAX + 1] = "", table[FW_NAME_MAX + 1];
	struct firewall firewall = {.scope = scope, .table = table, .tunnels = &tunnel, .tunnel_count = 1};

	snprintf(table, sizeof(table), "holdfast-%s", quick->name);
	for (size_t i = 0; i < routing->view.address_count; i++)
		addresses[i] = routing->view.addresses[i].prefix;
	if (ours) {
		snprintf(scope, sizeof(scope), "up %s", quick->name);
		firewall.without = quick->journal.firewall_without;
		put_forward(quick, &tunnel, snat);
		tunnel.no_multicast = quick->journal.silent;
	}
	return firewall_build(&firewall, ret_ruleset, quick->err);
}

/* ---- loading it ---- */

static int try_without(struct quick *quick, const struct quick_routing *routing, unsigned parts)
{
	struct fw_ruleset *ruleset = NULL;
	bool changed = false;
	int r;

	quick->journal.firewall_without = parts;
	r = quick_routing_firewall(quick, routing, true, &ruleset);
	if (r >= 0)
		r = nft_apply(quick->nft, ruleset, NULL, 0, &changed, quick->err);
	for (size_t i = 0; r >= 0 && changed && i < ruleset->count; i++)
		quick_say(quick, QUICK_STEP, "nft add table %s %s", fw_family_name(ruleset->tables[i].family),
			ruleset->tables[i].name);
	fw_ruleset_free(ruleset);
	return r;
}

/* Part by part, and what cannot be had is left out. */
static int find_parts(struct quick *quick, const struct quick_routing *routing, unsigned wanted)
{
	unsigned without = wanted;

	for (unsigned part = 1; part & FIREWALL_ALL; part <<= 1) {
		int r = wanted & part ? try_without(quick, routing, without & ~part) : 0;

		if (r < 0 && !nft_is_unsupported(r))
			return r;
		if (r >= 0)
			without &= ~part;
	}
	quick->journal.firewall_without = without;
	return 0;
}

static int without_nftables(struct quick *quick)
{
	quick->journal.firewall_without = FIREWALL_ALL;
	return 0;
}

static int load(struct quick *quick, const struct quick_routing *routing, unsigned wanted)
{
	unsigned before = quick->journal.firewall_without;
	int r = quick->nft ? 0 : nft_open(&quick->nft, quick->err);

	if (r >= 0)
		r = try_without(quick, routing, 0);
	if (r == -EPROTONOSUPPORT)
		return without_nftables(quick);
	if (nft_is_unsupported(r) && before)
		r = try_without(quick, routing, before);
	if (nft_is_unsupported(r))
		r = find_parts(quick, routing, wanted);
	return r;
}

/* What could not be had when the tunnel came up is not asked for again. */
static int keep(struct quick *quick, const struct quick_routing *routing)
{
	struct fw_ruleset *ruleset = NULL;
	int r = 0;

	if (quick->journal.firewall_without == FIREWALL_ALL)
		return 0;
	if (!quick->nft)
		r = nft_open(&quick->nft, quick->err);
	if (r >= 0)
		r = quick_routing_firewall(quick, routing, true, &ruleset);
	if (r >= 0)
		r = quick_keep_firewall(quick, ruleset);
	fw_ruleset_free(ruleset);
	return r;
}

/* ---- what is missing ---- */

static void warn_of_part(const struct quick *quick, enum firewall_part part)
{
	switch (part) {
	case FIREWALL_SPOOFING:
		quick_say(quick, QUICK_WARNING,
			"this kernel's nftables has no fib expression (nft_fib): what others on the networks "
			"here "
			"send to the addresses of %s, past the tunnel, is not dropped",
			quick->name);
		break;
	case FIREWALL_MARKING:
		quick_say(quick, QUICK_WARNING,
			"this kernel's nftables has no ct expression (nft_ct): answers to %s come in without "
			"its "
			"mark, and strict rp_filter (1) drops them",
			quick->name);
		break;
	case FIREWALL_TRANSLATING:
		quick_say(quick, QUICK_WARNING,
			"this kernel's nftables has no address translation (nft_chain_nat, nft_masq): snat "
			"and "
			"masquerade of %s are left out",
			quick->name);
		break;
	case FIREWALL_CLAMPING:
		quick_say(quick, QUICK_WARNING,
			"this kernel's nftables cannot set TCP's MSS: clamp_mss of %s is left out",
			quick->name);
		break;
	case FIREWALL_DROPPING: /* up fails */
	case FIREWALL_SILENCING:
	case FIREWALL_ALL:
		break;
	}
}

static void warn_of_all(const struct quick *quick, unsigned missing)
{
	quick_say(quick, QUICK_WARNING, "this kernel has no nftables (nf_tables), so %s has no firewall",
		quick->name);
	if (missing & FIREWALL_SPOOFING)
		quick_say(quick, QUICK_WARNING,
			"what others on the networks here send to its addresses, past the tunnel, is not "
			"dropped; "
			"and its answers come in without its mark, so strict rp_filter (1) drops them");
	if (missing & (FIREWALL_TRANSLATING | FIREWALL_CLAMPING))
		quick_say(quick, QUICK_WARNING, "snat, masquerade and clamp_mss are left out");
}

/* What shall not pass must not pass for want of a module; all else is better than no tunnel. */
static int tell_missing(struct quick *quick, unsigned wanted)
{
	unsigned missing = wanted & quick->journal.firewall_without;

	if (missing & FIREWALL_DROPPING)
		return err_set(quick->err, -EOPNOTSUPP,
			"forward: this kernel cannot drop what is forwarded (nf_tables, nft_ct): %s would "
			"pass "
			"all of it",
			quick->name);
	if (missing & FIREWALL_SILENCING)
		return err_set(quick->err, -EOPNOTSUPP,
			"multicast: false: this kernel cannot drop it (nf_tables): %s would pass all of it",
			quick->name);
	*quick->err = (struct err){0};
	if (missing && quick->journal.firewall_without == FIREWALL_ALL)
		warn_of_all(quick, missing);
	else
		for (unsigned part = 1; part & FIREWALL_ALL; part <<= 1)
			if (missing & part)
				warn_of_part(quick, part);
	return 0;
}

static void say_dry(const struct quick *quick, unsigned wanted)
{
	if (wanted & (FIREWALL_SPOOFING | FIREWALL_MARKING))
		quick_say(quick, QUICK_STEP, "nft add tables wg-quick-%s", quick->name);
	if (wanted & (FIREWALL_DROPPING | FIREWALL_TRANSLATING | FIREWALL_CLAMPING | FIREWALL_SILENCING))
		quick_say(quick, QUICK_STEP, "nft add table inet holdfast-%s", quick->name);
}

int quick_load_firewall(struct quick *quick, const struct quick_routing *routing)
{
	unsigned wanted = wanted_parts(quick, routing);
	int r;

	if (!quick->journal.firewall)
		return 0;
	if (quick->options->dry_run) {
		say_dry(quick, wanted);
		return 0;
	}
	if (quick->keeping)
		return keep(quick, routing);
	r = load(quick, routing, wanted);
	return r < 0 ? r : tell_missing(quick, wanted);
}

/* ---- taking it away ---- */

/* Tables of wg-quick's are put under our name, all of them in one transaction, and go with the rest. */
static int take_tables(struct quick *quick, const char *scope)
{
	struct firewall_tunnel tunnel = {.interface = quick->name, .default_ip4 = true, .default_ip6 = true};
	struct firewall firewall = {.scope = scope, .tunnels = &tunnel, .tunnel_count = 1};
	struct fw_ruleset *ruleset;
	int r = firewall_build(&firewall, &ruleset, quick->err);

	if (r < 0)
		return r;
	r = nft_apply(quick->nft, ruleset, NULL, 0, NULL, quick->err);
	fw_ruleset_free(ruleset);
	return r;
}

static int remove_tables(struct quick *quick, bool wg_quicks)
{
	char scope[FW_SCOPE_MAX + 1];
	int r = quick->nft ? 0 : nft_open(&quick->nft, quick->err);

	snprintf(scope, sizeof(scope), "up %s", quick->name);
	if (r >= 0 && wg_quicks)
		r = take_tables(quick, scope);
	if (r >= 0)
		r = nft_remove(quick->nft, scope, quick->err);
	if (!nft_is_unsupported(r))
		return r;
	*quick->err = (struct err){0}; /* there can be none */
	return 0;
}

int quick_undo_firewall(struct quick *quick)
{
	if (!quick->journal.firewall || quick->spaces.missing)
		return 0;
	quick_say(quick, QUICK_STEP, "nft delete tables wg-quick-%s, holdfast-%s", quick->name, quick->name);
	return quick->options->dry_run ? 0 : remove_tables(quick, quick->journal.foreign);
}

bool quick_has_own_table(const struct quick_journal *journal)
{
	return journal->forwards || journal->silent;
}

int quick_undo_forwarding(struct quick *quick)
{
	int r;

	if (!quick_has_own_table(&quick->journal))
		return 0;
	quick_say(quick, QUICK_WARNING,
		"wg-quick does not know of forwarding and multicast, and would leave it for ever: what %s "
		"says of it goes "
		"now",
		quick->sidecar_path);
	r = quick_parameters_give_back(quick, QUICK_FORWARDING);
	if (r < 0)
		return r;
	quick_say(quick, QUICK_STEP, "nft delete table inet holdfast-%s", quick->name);
	return quick->options->dry_run ? 0 : remove_tables(quick, false);
}
