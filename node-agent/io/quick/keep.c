/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/quick/keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/quick/host_route.h"
#include "node-agent/core/repair/operation.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/files.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/keeping.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"
#include "node-agent/io/quick/undo.h"
#include "node-agent/io/rtnl/sysctl.h"

/* The same as a reload, of what `up` read instead of what the file says now, with nothing taken away (the hooks for it are
 * where quick->keeping is asked for). */

enum { PROGRAM_TIMEOUT_MS = 5000 };

/* What may be missing; everything else is left alone. */
static const unsigned kept_kinds = 1u << PLAN_SYSCTL_SET | 1u << PLAN_ADDRESS_ADD | 1u << PLAN_LINK_SET |
				   1u << PLAN_RULE_ADD | 1u << PLAN_ROUTE_SET;

/* ---- what is told ---- */

static void repaired(struct quick *quick, enum repair_what what, const char *text)
{
	struct quick_kept *kept = quick->keeping->kept;
	struct quick_repair *repair;

	kept->repairs = mem_grow(
		kept->repairs, &kept->repair_capacity, kept->repair_count + 1, sizeof(*kept->repairs));
	repair = &kept->repairs[kept->repair_count++];
	repair->what = what;
	text_copy(repair->text, sizeof(repair->text), text);
}

static void failed(struct quick *quick, const char *text, const struct err *why)
{
	struct quick_kept *kept = quick->keeping->kept;
	struct text line = {0};

	if (kept->failure[0])
		return;
	text_add(&line, "%s%s%s", text, why ? ": " : "", why ? why->text : "");
	text_copy(kept->failure, sizeof(kept->failure), line.data);
	text_clear(&line);
}

/* ---- host routes ---- */

int quick_keep_host_routes(struct quick *quick, const struct plan_target *target)
{
	size_t before = quick->journal.host_route_count;

	if (quick->keeping->record_only)
		return 0;
	quick_note_host_routes(quick, target);
	return before == quick->journal.host_route_count ? 0 : quick_journal_write(quick);
}

int quick_keep_settled(struct quick *quick, const struct plan_target *target)
{
	size_t before = quick->journal.host_route_count;

	if (quick->keeping->record_only || quick->keeping->kept->failure[0])
		return 0;
	quick_settle_host_routes(quick, target);
	return before == quick->journal.host_route_count ? 0 : quick_journal_write(quick);
}

/* ---- operations ---- */

static bool is_left_out(const struct quick_journal *journal, const char *text)
{
	for (size_t i = 0; i < journal->left_out.count; i++)
		if (!strcmp(journal->left_out.items[i], text))
			return true;
	return journal->left_out.count == QUICK_LEFT_OUT_MAX; /* there was more than can be noted */
}

static void note_left_out(struct quick *quick, const struct plan_op *op, const char *text)
{
	struct quick_journal *journal = &quick->journal;

	if (op->kind == PLAN_LINK_SET && op->set_mtu)
		journal->mtu_left = quick->keeping->mtu;
	else if (journal->left_out.count < QUICK_LEFT_OUT_MAX)
		quick_texts_add(&journal->left_out, text, strlen(text));
}

static void apply_alone(struct quick *quick, const struct plan_op *op, const char *text)
{
	struct err err = {0};

	if (sysctl_ensure(op->sysctl.key, op->sysctl.value, NULL, &err) < 0)
		failed(quick, text, &err);
	else
		repaired(quick, repair_what_of(op), text);
}

static void run_batch(struct quick *quick, struct rtnl_batch *batch, const struct plan_op *const ops[])
{
	char text[PLAN_TEXT_MAX], request[RTNL_REQUEST_TEXT_MAX];

	if (rtnl_batch_count(batch))
		(void)rtnl_batch_run(quick->rtnl, batch, NULL);
	for (size_t i = 0; i < rtnl_batch_count(batch); i++) {
		if (rtnl_batch_result(batch, i) < 0)
			failed(quick, rtnl_batch_format(batch, i, request, sizeof(request)), NULL);
		else
			repaired(quick, repair_what_of(ops[i]), plan_op_format(ops[i], text));
	}
}

/* A way around the tunnel that no longer is one goes: what leads there is the underlay's to say. */
static bool is_kept(const struct quick *quick, const struct plan_op *op)
{
	if (op->kind == PLAN_ROUTE_DELETE)
		return quick_is_host_route(&op->route, quick->name) && !quick->keeping->record_only;
	return kept_kinds & (1u << op->kind);
}

int quick_keep_apply(struct quick *quick, const struct plan *plan, unsigned kinds)
{
	CLEANUP_FREE const struct plan_op **ops = mem_new(plan->count + 1, sizeof(const struct plan_op *));
	struct rtnl_batch *batch = rtnl_batch_new();
	char text[PLAN_TEXT_MAX];

	for (size_t i = 0; i < plan->count; i++) {
		const struct plan_op *op = &plan->ops[i];

		if (!(kinds & (1u << op->kind)) || !is_kept(quick, op))
			continue;
		plan_op_format(op, text);
		if (quick->keeping->record_only)
			note_left_out(quick, op, text);
		else if (is_left_out(&quick->journal, text))
			continue;
		else if (quick_batch_add(batch, quick->name, op))
			ops[rtnl_batch_count(batch) - 1] = op;
		else
			apply_alone(quick, op, text);
	}
	run_batch(quick, batch, ops);
	rtnl_batch_free(batch);
	return 0;
}

/* ---- the mark, the firewall ---- */

static uint32_t mark_of_rules(const struct quick_journal *journal)
{
	for (size_t i = 0; i < journal->rule_count; i++)
		if (journal->rules[i].invert)
			return journal->rules[i].fwmark;
	return 0;
}

static int put_mark_back(struct quick *quick, uint32_t mark)
{
	struct wg_change change = {.flags = WG_SET_FWMARK, .fwmark = mark};
	char text[PLAN_TEXT_MAX];
	struct wg *wg;
	int r = quick_device(quick, &wg);

	quick_forget_device(quick);
	if (r >= 0)
		r = wg_set(wg, &change, quick->err);
	if (r < 0)
		return r;
	quick->keeping->kept->mark = mark;
	snprintf(text, sizeof(text), "wg set %s fwmark %u", quick->name, mark);
	repaired(quick, REPAIR_WIREGUARD, text);
	return 0;
}

static void see_covers(struct quick_kept *kept, const struct quick_route_facts *facts)
{
	if (facts->table != QUICK_TABLE_AUTO || !quick_has_covered(facts))
		return;
	free(kept->covers);
	kept->covers = mem_new(facts->covering_count, sizeof(*kept->covers));
	memcpy(kept->covers, facts->covering, facts->covering_count * sizeof(*kept->covers));
	kept->cover_count = facts->covering_count;
}

int quick_keep_mark(struct quick *quick, struct quick_routing *routing)
{
	struct quick_route_facts *facts = &routing->facts;
	struct quick_journal *journal = &quick->journal;
	struct quick_priorities none;

	if (!quick->keeping->record_only)
		see_covers(quick->keeping->kept, facts);
	facts->mark = mark_of_rules(journal);
	if (quick_needs_mark(facts, AF_INET) && !quick_had_rules(quick, AF_INET, facts->mark, &none))
		facts->has_ip4 = false;
	if (quick_needs_mark(facts, AF_INET6) && !quick_had_rules(quick, AF_INET6, facts->mark, &none))
		facts->has_ip6 = false;
	if (quick->keeping->record_only || !quick_routing_needs_mark(routing))
		return 0;
	quick->keeping->kept->needs_mark = true;
	quick->keeping->kept->rules_mark = facts->mark;
	if (routing->view.device->fwmark || journal->mark != facts->mark)
		return 0; /* another one was set by somebody */
	return put_mark_back(quick, journal->mark);
}

int quick_keep_firewall(struct quick *quick, const struct fw_ruleset *ruleset)
{
	struct nft_difference difference;
	char text[PLAN_TEXT_MAX];
	bool changed = false;
	int r = nft_observe(quick->nft, ruleset, &difference, quick->err);

	if (r < 0 || !difference.differs || quick->journal.firewall_left)
		return r;
	if (quick->keeping->record_only) {
		quick->journal.firewall_left = true;
		return 0;
	}
	r = nft_apply(quick->nft, ruleset, NULL, 0, &changed, quick->err);
	snprintf(text, sizeof(text), "nft add tables wg-quick-%s", quick->name);
	if (r < 0)
		failed(quick, text, quick->err); /* without its routes more would leak than without it */
	else if (changed)
		repaired(quick, REPAIR_FIREWALL, text);
	return 0;
}

/* ---- one look ---- */

static struct endpoint live_endpoint(const struct wg_device *device, const struct key *public_key)
{
	const struct wg_peer *peer = wg_device_peer(device, public_key);

	return peer ? peer->endpoint : (struct endpoint){0};
}

static void see_peer(struct quick_kept *kept, const struct quick_peer *from, const struct endpoint *live)
{
	struct quick_kept_peer *peer;
	struct addr number;
	uint16_t port;

	if (!from->host || strlen(from->host) > HOST_MAX || quick_service_port(from->service, &port) < 0)
		return;
	if (kept->peer_count == QUICK_KEPT_PEERS_MAX) {
		kept->peers_left_out++;
		return;
	}
	peer = &kept->peers[kept->peer_count++];
	peer->public_key = from->public_key;
	peer->endpoint = *live;
	peer->port = port;
	if (!from->zone && addr_parse(from->host, &number, NULL) < 0)
		text_copy(peer->host, sizeof(peer->host), from->host);
}

void quick_keep_see(struct quick *quick, const struct quick_view *view)
{
	struct quick_kept *kept = quick->keeping->kept;
	size_t count = quick->config.peer_count;

	quick->keeping->mtu = view->world.link_count ? view->world.links[0].mtu : 0;
	quick->public_key = view->device->public_key;
	free(quick->endpoints);
	quick->endpoints = mem_new(count + 1, sizeof(*quick->endpoints));
	if (kept) {
		kept->mark = view->device->fwmark;
		kept->peers = mem_new((count < QUICK_KEPT_PEERS_MAX ? count : QUICK_KEPT_PEERS_MAX) + 1,
			sizeof(*kept->peers));
	}
	for (size_t i = 0; i < count; i++) {
		const struct quick_peer *peer = &quick->config.peers[i];

		quick->endpoints[i] = live_endpoint(view->device, &peer->public_key);
		if (kept && !quick->allowed.superseded[i])
			see_peer(kept, peer, &quick->endpoints[i]);
	}
}

static void keep_dns(struct quick *quick)
{
	char text[PLAN_TEXT_MAX];
	struct err err = *quick->err;
	int r;

	if (quick_dns_is_set(quick))
		return;
	r = quick_set_dns(quick);
	snprintf(text, sizeof(text), "name servers of %s", quick->name);
	if (r >= 0)
		repaired(quick, REPAIR_DNS, text);
	else if (r != -EAGAIN || !quick_found_lock_taken(quick))
		failed(quick, text, quick->err);
	*quick->err = err;
}

/* Another link by its name is not it. Only the kernel's word that there is none counts: any other answer is no news of it.
 */
static int is_there(struct quick *quick, bool *ret_there)
{
	struct rtnl_link link;
	int r;

	*ret_there = false;
	if (quick->spaces.missing)
		return 0;
	r = rtnl_link_get(quick->rtnl, quick->name, &link, quick->err);
	if (r < 0)
		return r == -ENODEV ? 0 : r;
	*ret_there = link.ifindex == quick->journal.ifindex;
	return 0;
}

static int keep_all(struct quick *quick)
{
	struct quick_kept *kept = quick->keeping->kept;
	size_t differences;
	int r = quick_copy_load(quick);

	if (r < 0)
		return r;
	kept->has_host_routes = quick->sidecar.host_routes;
	kept->has_other_table = quick->config.table != QUICK_TABLE_AUTO;
	r = quick_make_device(quick, &quick->journal.memory, &differences);
	kept->mtu = quick->keeping->wanted_mtu;
	if (r >= 0)
		r = quick_make_routes(quick);
	if (r >= 0)
		keep_dns(quick);
	return r;
}

static void see_space(const struct quick *quick, const struct quick_journal_space *journalled,
	const struct netns *found, struct quick_kept_space *ret_space)
{
	if (found->fd >= 0 && !netns_same(found, &quick->spaces.here))
		*ret_space =
			(struct quick_kept_space){mem_text(journalled->where), found->inode, found->cookie};
}

static int keep_up(struct quick *quick)
{
	struct quick_kept *kept = quick->keeping->kept;
	bool there;
	int r = is_there(quick, &there);

	if (r < 0)
		return r;
	kept->state = there ? QUICK_KEPT_UP : QUICK_KEPT_LOST;
	if (!there)
		return 0;
	see_space(quick, &quick->journal.target, &quick->spaces.target, &kept->target);
	see_space(quick, &quick->journal.birth, &quick->spaces.birth, &kept->birth);
	return keep_all(quick);
}

static int keep(struct quick *quick)
{
	int r;

	switch (quick->journal.stage) {
	case QUICK_STAGE_NONE:
		return 0;
	case QUICK_STAGE_MAKING:
	case QUICK_STAGE_REMOVING:
		r = quick_undo(quick);
		if (r >= 0)
			r = quick_remove_namespace(quick);
		if (r >= 0)
			quick->keeping->kept->state = QUICK_KEPT_UNDONE;
		return r;
	case QUICK_STAGE_UP:
		return keep_up(quick);
	case QUICK_STAGE_ADOPTING:
	case QUICK_STAGE_RELEASING:
		quick->keeping->kept->state = QUICK_KEPT_BUSY; /* a person's to finish */
		return 0;
	}
	return 0;
}

static void say_nothing(enum quick_word word, const char *text)
{
	(void)word;
	(void)text;
}

int quick_keep(const char *run_directory, const char *name, struct quick_kept *ret_kept, struct err *err)
{
	struct quick_options options = {.argument = name, .run_directory = run_directory, .say = say_nothing};
	struct quick_kept kept = {0};
	struct quick_keeping keeping = {.kept = &kept};
	struct quick quick;
	int r = quick_begin(&quick, &options, err);

	quick.keeping = &keeping;
	quick.child_timeout_ms = PROGRAM_TIMEOUT_MS;
	text_copy(quick.name, sizeof(quick.name), name);
	if (r >= 0)
		r = quick_try_lock(&quick);
	if (r >= 0)
		r = quick_journal_read(&quick);
	if (r >= 0)
		r = quick_enter_as_made(&quick);
	if (r >= 0)
		r = keep(&quick);
	if (r == -EAGAIN && quick_found_lock_taken(&quick))
		r = 0;
	(void)quick_end(&quick, r);
	*ret_kept = kept;
	return r;
}

void quick_kept_clear(struct quick_kept *kept)
{
	if (!kept)
		return;
	free(kept->repairs);
	free(kept->peers);
	free(kept->covers);
	free(kept->target.where);
	free(kept->birth.where);
	*kept = (struct quick_kept){0};
}

int quick_note_left_out(struct quick *quick)
{
	struct quick_keeping keeping = {.record_only = true};
	size_t differences;
	int r;

	quick->keeping = &keeping;
	r = quick_make_device(quick, &quick->journal.memory, &differences);
	if (r >= 0)
		r = quick_make_routes(quick);
	quick->keeping = NULL;
	return r;
}
