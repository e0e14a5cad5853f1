/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/quick/host_route.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/keeping.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/reconcile/convert.h"
#include "node-agent/io/rtnl/sysctl.h"

/* How many requests go to the kernel before a signal is looked for again. */
enum { BATCH_MAX = 4096 };

static void batch_link(struct rtnl_batch *batch, const struct plan_op *op)
{
	struct rtnl_link_change change = {.mtu = op->link.mtu};

	text_copy(change.name, sizeof(change.name), op->link.name);
	if (op->set_mtu)
		change.set |= RTNL_LINK_MTU;
	if (op->set_up)
		change.set |= op->link.up ? RTNL_LINK_UP : RTNL_LINK_DOWN;
	if (op->set_multicast)
		change.set |= op->link.multicast ? RTNL_LINK_MULTICAST_ON : RTNL_LINK_MULTICAST_OFF;
	rtnl_batch_link_change(batch, &change);
}

static enum rtnl_op route_op(const struct plan_op *op)
{
	if (op->kind == PLAN_ROUTE_DELETE)
		return RTNL_DISCARD;
	return op->changes ? RTNL_REPLACE : RTNL_ADD;
}

bool quick_batch_add(struct rtnl_batch *batch, const char *name, const struct plan_op *op)
{
	struct rtnl_address address;
	struct rtnl_route route;
	struct rtnl_rule rule;

	switch (op->kind) {
	case PLAN_FIREWALL_LOAD:
	case PLAN_SYSCTL_SET:
	case PLAN_OFFLOAD_SET:
	case PLAN_LINK_CREATE:
	case PLAN_LINK_DELETE:
	case PLAN_WIREGUARD_SET:
		return false;
	case PLAN_RULE_DELETE:
	case PLAN_RULE_ADD:
		rule = convert_rule(&op->rule);
		rule.protocol = QUICK_PROTOCOL;
		rtnl_batch_rule(batch, op->kind == PLAN_RULE_ADD ? RTNL_ADD : RTNL_DISCARD, &rule);
		return true;
	case PLAN_ROUTE_DELETE:
	case PLAN_ROUTE_SET:
		route = convert_route(&op->route);
		route.protocol = quick_is_host_route(&op->route, name) ? QUICK_PROTOCOL_HOST : QUICK_PROTOCOL;
		rtnl_batch_route(batch, route_op(op), &route);
		return true;
	case PLAN_ADDRESS_DELETE:
	case PLAN_ADDRESS_ADD:
		address = convert_address(&op->address);
		rtnl_batch_address(batch, op->kind == PLAN_ADDRESS_ADD ? RTNL_ADD : RTNL_DISCARD, &address);
		return true;
	case PLAN_LINK_SET:
		batch_link(batch, op);
		return true;
	}
	return false;
}

/* All in one: ten thousand routes are one write to the terminal or log, not ten thousand. */
static void say_batch(const struct quick *quick, const struct rtnl_batch *batch)
{
	char line[RTNL_REQUEST_TEXT_MAX];
	struct text text = {0};

	for (size_t i = 0; i < rtnl_batch_count(batch); i++)
		text_add(&text, "%s%s", i ? "\n" : "", rtnl_batch_format(batch, i, line, sizeof(line)));
	quick_say(quick, QUICK_STEP, "%s", text.data);
	text_clear(&text);
}

static int run_batch(struct quick *quick, struct rtnl_batch *batch)
{
	int r = 0;

	if (!rtnl_batch_count(batch))
		return 0;
	say_batch(quick, batch);
	if (!quick->options->dry_run)
		r = rtnl_batch_run(quick->rtnl, batch, quick->err);
	rtnl_batch_reset(batch);
	return r;
}

static int set_wireguard(struct quick *quick, const struct plan_wireguard *op)
{
	struct wg_change change = {.private_key = quick->config.private_key,
		.listen_port = op->listen_port,
		.fwmark = op->fwmark,
		.peer_count = op->change_count};
	struct wg_peer_change *peers;
	int r;

	change.flags = (op->set_private_key ? WG_SET_PRIVATE_KEY : 0) |
		       (op->set_listen_port ? WG_SET_LISTEN_PORT : 0) | (op->set_fwmark ? WG_SET_FWMARK : 0);
	peers = convert_peers(op);
	change.peers = peers;
	r = quick_set_device(quick, &change);
	mem_wipe(&change, sizeof(change));
	mem_wipe(peers, op->change_count * sizeof(*peers));
	free(peers);
	return r;
}

static int run_alone(struct quick *quick, const struct plan_op *op)
{
	char text[PLAN_TEXT_MAX];

	quick_say(quick, QUICK_STEP, "%s", plan_op_format(op, text));
	if (quick->options->dry_run)
		return 0;
	if (op->kind == PLAN_WIREGUARD_SET)
		return set_wireguard(quick, &op->wireguard);
	if (op->kind == PLAN_SYSCTL_SET)
		return sysctl_ensure(op->sysctl.key, op->sysctl.value, NULL, quick->err);
	return 0;
}

int quick_apply(struct quick *quick, const struct plan *plan, unsigned kinds)
{
	struct rtnl_batch *batch;
	int r = 0;

	if (quick->keeping)
		return quick_keep_apply(quick, plan, kinds);
	batch = rtnl_batch_new();
	for (size_t i = 0; i < plan->count && r >= 0; i++) {
		const struct plan_op *op = &plan->ops[i];

		if (!(kinds & (1u << op->kind)))
			continue;
		if (!quick_batch_add(batch, quick->name, op)) {
			r = run_batch(quick, batch);
			if (r >= 0)
				r = run_alone(quick, op);
		} else if (rtnl_batch_count(batch) >= BATCH_MAX) {
			r = run_batch(quick, batch);
		}
		if (r >= 0 && !rtnl_batch_count(batch))
			r = quick_check_signal(quick, 0);
	}
	if (r >= 0)
		r = run_batch(quick, batch);
	rtnl_batch_free(batch);
	return r;
}
