/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "node-agent/core/firewall/firewall.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/files.h"
#include "node-agent/io/quick/firewall.h"
#include "node-agent/io/quick/handover.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/parameter.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/reconcile/convert.h"
#include "node-agent/io/rtnl/batch.h"

/*
 * A running tunnel passes from wg-quick's hands to ours, or back, and no packet notices: a route is replaced by one that is
 * alike but for its protocol, a rule stays until the one that replaces it is there, tables are replaced in one transaction.
 * Doing it again changes nothing, and the other direction undoes it, so that whoever was interrupted can go on or back.
 */
enum { ROUNDS_MAX = 4 };

static int run_batch(struct quick *quick, struct rtnl_batch *batch, const char *more)
{
	char text[RTNL_REQUEST_TEXT_MAX];
	int r = 0;

	for (size_t i = 0; i < rtnl_batch_count(batch); i++)
		quick_say(quick, QUICK_STEP, "%s%s", rtnl_batch_format(batch, i, text, sizeof(text)), more);
	if (!quick->options->dry_run && rtnl_batch_count(batch))
		r = rtnl_batch_run(quick->rtnl, batch, quick->err);
	rtnl_batch_free(batch);
	return r;
}

/* ---- routes ---- */

static int pass_routes(struct quick *quick, const struct quick_handover *handover, bool to_us)
{
	uint8_t protocol = to_us ? QUICK_PROTOCOL : QUICK_THEIR_ROUTES;
	struct rtnl_batch *batch = rtnl_batch_new();

	for (size_t i = 0; i < handover->route_count; i++) {
		struct rtnl_route route = handover->routes[i];

		if (route.protocol == protocol && !handover->begun)
			continue;
		route.protocol = protocol;
		rtnl_batch_route(batch, RTNL_REPLACE, &route);
	}
	return run_batch(quick, batch, to_us ? " protocol 158" : " protocol boot");
}

/* ---- rules ---- */

struct exchange {
	const struct quick_rule *keep, *drop;
	size_t count;
	struct quick_rule *there; /* owned */
	size_t there_count;
};

static bool is_same(const struct quick_rule *a, const struct quick_rule *b)
{
	return a->protocol == b->protocol && a->narrow == b->narrow && plan_rule_equal(&a->rule, &b->rule);
}

static bool is_among(const struct quick_rule *rules, size_t count, const struct quick_rule *wanted)
{
	for (size_t i = 0; i < count; i++)
		if (is_same(&rules[i], wanted))
			return true;
	return false;
}

static void batch_rule(struct rtnl_batch *batch, enum rtnl_op op, const struct quick_rule *from)
{
	struct rtnl_rule rule = convert_rule(&from->rule);

	rule.protocol = from->protocol;
	rtnl_batch_rule(batch, op, &rule);
}

static struct rtnl_batch *missing(const struct exchange *exchange)
{
	struct rtnl_batch *batch = rtnl_batch_new();

	for (size_t i = 0; i < exchange->count; i++)
		if (!is_among(exchange->there, exchange->there_count, &exchange->keep[i]))
			batch_rule(batch, RTNL_ADD, &exchange->keep[i]);
	return batch;
}

/* From behind: the rule of the mark, which tells whose the other is, goes last. */
static struct rtnl_batch *replaced(const struct exchange *exchange)
{
	struct rtnl_batch *batch = rtnl_batch_new();

	for (size_t i = exchange->count; i-- > 0;)
		if (is_among(exchange->there, exchange->there_count, &exchange->drop[i]) &&
			!is_among(exchange->keep, exchange->count, &exchange->drop[i]))
			batch_rule(batch, RTNL_DISCARD, &exchange->drop[i]);
	return batch;
}

/* 1: something was done. */
static int exchange_once(struct quick *quick, struct exchange *exchange, bool to_us)
{
	struct rtnl_batch *come = missing(exchange), *go = replaced(exchange);
	bool done = rtnl_batch_count(come) || rtnl_batch_count(go);
	int r = run_batch(quick, come, to_us ? " protocol 158" : "");

	if (r < 0)
		rtnl_batch_free(go);
	else
		r = run_batch(quick, go, to_us ? "" : " protocol 158");
	return r < 0 ? r : done;
}

/* The kernel cannot be told to delete a rule without a protocol and not one with ours in the same place: it deletes the
 * first. Where that was the wrong one, the other still does its work, and the next round puts it right. */
static int pass_rules(struct quick *quick, const struct quick_handover *handover, bool to_us)
{
	struct exchange exchange = {.keep = to_us ? handover->ours : handover->theirs,
		.drop = to_us ? handover->theirs : handover->ours,
		.count = handover->rule_count};
	int r = exchange.count ? 1 : 0;

	for (int round = 0; r > 0 && round < ROUNDS_MAX; round++) {
		r = quick_list_rules(quick, 0, &exchange.there, &exchange.there_count);
		if (r < 0)
			return r;
		r = exchange_once(quick, &exchange, to_us);
		free(exchange.there);
		if (quick->options->dry_run)
			break;
	}
	if (r > 0 && !quick->options->dry_run)
		return err_set(quick->err, -EAGAIN, "somebody else keeps changing the routing rules of %s",
			quick->name);
	return r < 0 ? r : 0;
}

/* ---- tables ---- */

static int pass_tables(struct quick *quick, const struct quick_handover *handover, bool to_us)
{
	struct quick_routing there = handover->routing; /* borrowed; the families that have a table */
	struct fw_ruleset *ruleset;
	bool changed = true;
	int r;

	there.facts.has_ip4 &= handover->has_table4;
	there.facts.has_ip6 &= handover->has_table6;
	if (!quick_routing_needs_mark(&there) && !(to_us && quick_has_own_table(&quick->journal)))
		return 0;
	if (quick->journal.firewall_without == FIREWALL_ALL)
		return 0;
	r = quick->nft ? 0 : nft_open(&quick->nft, quick->err);
	if (r >= 0)
		r = quick_routing_firewall(quick, &there, to_us, &ruleset);
	if (r < 0)
		return r;
	if (!quick->options->dry_run)
		r = nft_apply(quick->nft, ruleset, NULL, 0, &changed, quick->err);
	if (r >= 0 && changed)
		quick_say(quick, QUICK_STEP, "nft replace tables wg-quick-%s with%s our comment", quick->name,
			to_us ? "" : "out");
	fw_ruleset_free(ruleset);
	return r;
}

/* Forwarding, which wg-quick does not know of: it was switched off when the tunnel was handed back. */
static int pass_parameters(struct quick *quick, const struct quick_handover *handover, bool to_us)
{
	(void)handover;
	return to_us ? quick_parameters_take_again(quick, QUICK_FORWARDING) : 0;
}

static int run_steps(struct quick *quick, const struct quick_handover *handover, bool to_us)
{
	static int (*const steps[])(struct quick * quick, const struct quick_handover *handover,
		bool to_us) = {pass_routes, pass_rules, pass_tables, pass_parameters};
	int r = 0;

	for (size_t i = 0; r >= 0 && i < ARRAY_COUNT(steps); i++) {
		r = quick_check_signal(quick, 0);
		if (r >= 0)
			r = steps[i](quick, handover, to_us);
	}
	return r;
}

int quick_handover_pass(struct quick *quick, struct quick_handover *handover, bool to_us)
{
	struct quick_files now = {0};
	bool as_made = to_us && quick_files_take_made(quick, &now);
	int r = run_steps(quick, handover, to_us);

	if (as_made)
		quick_files_leave_made(quick, &now);
	handover->begun = true;
	return r;
}

/* ---- the journal on the way ---- */

static void note_rule(struct quick_journal *journal, const struct plan_rule *rule)
{
	for (size_t i = 0; i < journal->rule_count; i++)
		if (plan_rule_equal(&journal->rules[i], rule))
			return;
	if (journal->rule_count < QUICK_RULES_MAX)
		journal->rules[journal->rule_count++] = *rule;
}

int quick_handover_note(struct quick *quick, const struct quick_handover *handover, enum quick_stage stage)
{
	struct quick_journal *journal = &quick->journal;

	journal->stage = stage;
	journal->foreign = true;
	journal->rule_count = 0;
	for (size_t i = 0; i < handover->rule_count; i++)
		note_rule(journal, &handover->ours[i].rule);
	for (size_t i = 0; i < handover->rule_count; i++)
		note_rule(journal, &handover->theirs[i].rule);
	return quick->options->dry_run ? 0 : quick_journal_write(quick);
}

void quick_handover_settle(struct quick *quick, const struct quick_handover *handover)
{
	struct quick_journal *journal = &quick->journal;

	journal->stage = QUICK_STAGE_UP;
	journal->foreign = false;
	journal->rule_count = 0;
	for (size_t i = 0; i < handover->rule_count; i++)
		note_rule(journal, &handover->ours[i].rule);
}

/* ---- back, after a failure ---- */

static void warn_of_rest(struct quick *quick, const char *verb)
{
	char text[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];

	quick_say(quick, QUICK_WARNING, "not all could be undone: %s; `holdfast %s %s` tries again",
		err_format(quick->err, text, sizeof(text)), verb, quick->name);
}

void quick_handover_back_to_them(struct quick *quick, struct quick_handover *handover)
{
	struct err why = *quick->err;
	int status = quick->status;

	quick->undoing = true;
	if (quick_handover_pass(quick, handover, false) >= 0)
		quick_journal_remove(quick);
	else
		warn_of_rest(quick, "release");
	quick->undoing = false;
	*quick->err = why;
	quick->status = status;
}

static void restore_dns(struct quick *quick, struct quick_dns_state *before)
{
	struct quick_files now = {0};
	bool as_made = quick_files_take_made(quick, &now);

	quick_restore_dns(quick, before);
	if (as_made)
		quick_files_leave_made(quick, &now);
}

void quick_handover_back_to_us(
	struct quick *quick, struct quick_handover *handover, struct quick_dns_state *dns)
{
	struct err why = *quick->err;
	int status = quick->status, r;

	quick->undoing = true;
	r = quick_handover_pass(quick, handover, true);
	restore_dns(quick, dns);
	if (r >= 0) {
		quick_handover_settle(quick, handover);
		r = quick_journal_write(quick);
	}
	if (r < 0)
		warn_of_rest(quick, "adopt");
	quick->undoing = false;
	*quick->err = why;
	quick->status = status;
}
