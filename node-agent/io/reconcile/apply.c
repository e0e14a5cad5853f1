/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/io/log.h"
#include "node-agent/io/reconcile/convert.h"
#include "node-agent/io/reconcile/reconcile_int.h"
#include "node-agent/io/rtnl/batch.h"
#include "node-agent/io/rtnl/offload.h"
#include "node-agent/io/rtnl/sysctl.h"
#include "node-agent/io/wireguard/implementation.h"

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

/* A connected route never takes the place of another's. */
static enum rtnl_op route_request(const struct plan_op *op)
{
	if (op->kind == PLAN_ROUTE_DELETE)
		return RTNL_DISCARD;
	return op->route.connected ? RTNL_ADD : RTNL_REPLACE;
}

/* Does routing netlink do this one? Then it is in the batch now. */
static bool batch_add(struct rtnl_batch *batch, const struct plan_op *op)
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
		rtnl_batch_rule(batch, op->kind == PLAN_RULE_ADD ? RTNL_REPLACE : RTNL_DISCARD, &rule);
		return true;
	case PLAN_ROUTE_DELETE:
	case PLAN_ROUTE_SET:
		route = convert_route(&op->route);
		rtnl_batch_route(batch, route_request(op), &route);
		return true;
	case PLAN_ADDRESS_DELETE:
	case PLAN_ADDRESS_ADD:
		address = convert_address(&op->address);
		rtnl_batch_address(
			batch, op->kind == PLAN_ADDRESS_ADD ? RTNL_REPLACE : RTNL_DISCARD, &address);
		return true;
	case PLAN_LINK_SET:
		batch_link(batch, op);
		return true;
	}
	return false;
}

static const char *key_file(const struct reconcile_input *input, const char *tunnel)
{
	const struct desired *desired = input->facts.desired;

	for (size_t i = 0; i < desired->tunnel_count; i++)
		if (!strcmp(desired->tunnels[i].name, tunnel))
			return desired->tunnels[i].private_key_file;
	return "";
}

static int read_private_key(struct reconcile *reconcile, const struct reconcile_input *input,
	const char *tunnel, struct key *ret_key, struct err *err)
{
	CLEANUP_FREE char *path = file_beside(reconcile->config_path, key_file(input, tunnel));

	return file_read_key(path, ret_key, err);
}

static int apply_wireguard(struct reconcile *reconcile, const struct reconcile_input *input,
	const struct plan_wireguard *op, struct err *err)
{
	struct wg_change change = {.listen_port = op->listen_port, .fwmark = op->fwmark};
	struct wg_peer_change *peers;
	CLEANUP_KEY struct key private_key = {{0}};
	struct wg *wg;
	int r = reconcile_wg(reconcile, op->name, &wg, err);

	if (r >= 0 && op->set_private_key)
		r = read_private_key(reconcile, input, op->name, &private_key, err);
	if (r < 0)
		return r;
	change.private_key = private_key;
	change.flags = (op->set_private_key ? WG_SET_PRIVATE_KEY : 0) |
		       (op->set_listen_port ? WG_SET_LISTEN_PORT : 0) | (op->set_fwmark ? WG_SET_FWMARK : 0);
	wg_set_timeout(wg, WG_TIMEOUT_MS); /* much may be to do, and it has answered just now */
	peers = convert_peers(op);
	change.peers = peers;
	change.peer_count = op->change_count;
	r = wg_set(wg, &change, err);
	reconcile_forget_given(reconcile, op->name);
	mem_wipe(&change, sizeof(change));
	mem_wipe(peers, op->change_count * sizeof(*peers));
	free(peers);
	return r;
}

/* What a dead userspace program left (its socket; a device that outlived it) is in the way: away with it. */
static int apply_create(struct reconcile *reconcile, const char *name, struct err *err)
{
	int r;

	reconcile_forget_wg(reconcile, name);
	r = wg_create(name, reconcile->implementation, WG_CREATE_TIMEOUT_MS, err);
	if (r != -EEXIST)
		return r;
	wg_remove(name, WG_CREATE_TIMEOUT_MS, NULL);
	return wg_create(name, reconcile->implementation, WG_CREATE_TIMEOUT_MS, err);
}

static int apply_delete(struct reconcile *reconcile, const char *name, struct err *err)
{
	int r;

	reconcile_forget_wg(reconcile, name);
	r = wg_remove(name, WG_CREATE_TIMEOUT_MS, err);
	return r == -ENODEV ? 0 : r;
}

static int apply_alone(struct reconcile *reconcile, const struct reconcile_input *input,
	const struct plan_op *op, struct err *err)
{
	switch (op->kind) {
	case PLAN_FIREWALL_LOAD:
		return nft_apply(reconcile->nft, input->ruleset, input->seeds, input->seed_count, NULL, err);
	case PLAN_SYSCTL_SET:
		return sysctl_ensure(op->sysctl.key, op->sysctl.value, NULL, err);
	case PLAN_OFFLOAD_SET:
		return offload_stop_joining_udp(op->offload.device, err);
	case PLAN_LINK_CREATE:
		return apply_create(reconcile, op->link.name, err);
	case PLAN_LINK_DELETE:
		return apply_delete(reconcile, op->link.name, err);
	case PLAN_WIREGUARD_SET:
		return apply_wireguard(reconcile, input, &op->wireguard, err);
	case PLAN_RULE_DELETE:
	case PLAN_ROUTE_DELETE:
	case PLAN_ADDRESS_DELETE:
	case PLAN_ADDRESS_ADD:
	case PLAN_LINK_SET:
	case PLAN_RULE_ADD:
	case PLAN_ROUTE_SET:
		break;
	}
	return 0;
}

static void failed(struct reconcile_result *result, const char *operation, const struct err *err)
{
	struct text text = {0};

	text_add(&text, "%s%s%s", operation, err->text[0] ? ": " : "", err->text);
	if (!result->failed++)
		text_copy(result->failure, sizeof(result->failure), text.data);
	log_limited(LEVEL_WARNING, "plan", "failed", operation, log_text("operation", text.data));
	text_clear(&text);
}

static void tell(const struct reconcile_input *input, const struct plan_op *op, bool done)
{
	if (input->applied)
		input->applied(op, done, input->applied_context);
}

/* ops: those that the batch was filled with, one request each. */
static void run_batch(struct reconcile *reconcile, const struct reconcile_input *input,
	struct rtnl_batch *batch, const struct plan_op *ops, struct reconcile_result *result)
{
	static const struct err said = {.text = ""}; /* the request's text says why itself */
	char text[RTNL_REQUEST_TEXT_MAX];

	if (rtnl_batch_count(batch))
		(void)rtnl_batch_run(reconcile->rtnl, batch, NULL);
	for (size_t i = 0; i < rtnl_batch_count(batch); i++) {
		int r = rtnl_batch_result(batch, i);
		bool done = r >= 0, taken = r == -EEXIST && ops[i].kind == PLAN_ROUTE_SET;

		if (!done && !taken)
			failed(result, rtnl_batch_format(batch, i, text, sizeof(text)), &said);
		tell(input, &ops[i], done);
	}
	rtnl_batch_reset(batch);
}

static void run_alone(struct reconcile *reconcile, const struct reconcile_input *input,
	const struct plan_op *op, struct reconcile_result *result)
{
	char text[PLAN_TEXT_MAX];
	struct err err = {0};
	int r = apply_alone(reconcile, input, op, &err);

	if (r < 0)
		failed(result, plan_op_format(op, text), &err);
	tell(input, op, r >= 0);
}

static void log_plan(const struct plan *plan)
{
	char text[PLAN_TEXT_MAX];

	for (size_t i = 0; i < plan->count && log_wants("plan", LEVEL_INFO); i++)
		log_info("plan", "apply", log_text("operation", plan_op_format(&plan->ops[i], text)));
}

void apply(struct reconcile *reconcile, const struct reconcile_input *input, const struct plan *plan,
	struct reconcile_result *result)
{
	struct rtnl_batch *batch = rtnl_batch_new();
	size_t first = 0;

	log_plan(plan);
	for (size_t i = 0; i < plan->count; i++) {
		if (batch_add(batch, &plan->ops[i]))
			continue;
		run_batch(reconcile, input, batch, plan->ops + first, result);
		run_alone(reconcile, input, &plan->ops[i], result);
		first = i + 1;
	}
	run_batch(reconcile, input, batch, plan->ops + first, result);
	rtnl_batch_free(batch);
}

/* An address that can't be had is a failure; a route is not: the next round tries it again. */
static int served_result(struct reconcile *reconcile, struct rtnl_batch *batch,
	const struct plan_world *served, bool add, struct err *err)
{
	size_t first = add ? 0 : served->route_count;
	char text[RTNL_REQUEST_TEXT_MAX];
	int r = 0;

	if (rtnl_batch_run(reconcile->rtnl, batch, err) >= 0)
		return 0;
	for (size_t i = 0; i < rtnl_batch_count(batch); i++) {
		int result = rtnl_batch_result(batch, i);

		if (!result)
			continue;
		rtnl_batch_format(batch, i, text, sizeof(text));
		log_warning("plan", "failed", log_text("operation", text));
		if (!r && i >= first && i < first + served->address_count)
			r = err_set(err, result, "%s", text);
	}
	return r;
}

int reconcile_served(struct reconcile *reconcile, const struct plan_world *served, bool add, struct err *err)
{
	struct rtnl_batch *batch = rtnl_batch_new();
	int r;

	/* Routes go before the addresses that they lead through, and come after them. */
	for (size_t i = 0; i < served->route_count && !add; i++) {
		struct rtnl_route route = convert_route(&served->routes[i]);

		rtnl_batch_route(batch, RTNL_DISCARD, &route);
	}
	for (size_t i = 0; i < served->address_count; i++) {
		struct rtnl_address address = convert_address(&served->addresses[i]);

		rtnl_batch_address(batch, add ? RTNL_REPLACE : RTNL_DISCARD, &address);
	}
	for (size_t i = 0; i < served->route_count && add; i++) {
		struct rtnl_route route = convert_route(&served->routes[i]);

		rtnl_batch_route(batch, RTNL_REPLACE, &route);
	}
	r = served_result(reconcile, batch, served, add, err);
	rtnl_batch_free(batch);
	return r;
}
