/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "node-agent/io/quick/child.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/files.h"
#include "node-agent/io/quick/handover.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/keeping.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"
#include "node-agent/io/quick/undo.h"

/* What comes before the name servers, and the routes after them: wg-quick's order. */
static const unsigned device_kinds =
	1u << PLAN_ADDRESS_DELETE | 1u << PLAN_WIREGUARD_SET | 1u << PLAN_ADDRESS_ADD | 1u << PLAN_LINK_SET;

enum { IP6_MTU_MIN = 1280 }; /* RFC 8200 */

/* ---- the device ---- */

static void warn_of_ip6(const struct quick *quick, const struct quick_facts *facts)
{
	bool wanted = quick->sidecar.link_local;

	for (size_t i = 0; i < quick->config.address_count; i++)
		wanted |= quick->config.addresses[i].addr.family == AF_INET6;
	for (size_t i = 0; i < quick->sidecar.address_count; i++)
		wanted |= quick->sidecar.addresses[i].prefix.addr.family == AF_INET6;
	if (wanted && !facts->has_ip6)
		quick_say(quick, QUICK_WARNING, "IPv6 is off here: addresses and routes of it are left out");
	else if (wanted && facts->mtu < IP6_MTU_MIN)
		quick_say(quick, QUICK_WARNING,
			"an MTU of %u is too small for IPv6 (%d): the kernel has none on %s", facts->mtu,
			(int)IP6_MTU_MIN, quick->name);
}

/* Routes and rules are planned for, too, but not here: of this plan none of them is meant. */
static size_t count_of(const struct plan *plan, unsigned kinds)
{
	size_t count = 0;

	for (size_t i = 0; i < plan->count; i++)
		count += (kinds & (1u << plan->ops[i].kind)) != 0;
	return count;
}

/* Then it gets its port. */
static bool comes_up(const struct plan *plan)
{
	for (size_t i = 0; i < plan->count; i++)
		if (plan->ops[i].kind == PLAN_LINK_SET && plan->ops[i].set_up)
			return true;
	return false;
}

int quick_make_device(struct quick *quick, const struct quick_memory *memory, size_t *ret_changes)
{
	struct plan_target target = {0};
	struct quick_view view;
	struct quick_facts facts = {.name = quick->name,
		.config = &quick->config,
		.sidecar = &quick->sidecar,
		.allowed = &quick->allowed,
		.memory = memory,
		.public_key = &quick->public_key};
	struct plan plan;
	int r = quick_observe(quick, &view);

	if (r < 0)
		return r;
	if (quick->keeping)
		quick_keep_see(quick, &view);
	facts.endpoints = quick->endpoints;
	facts.live = quick_view_device(&view);
	facts.comes_with_multicast = quick->wg && wg_is_userspace(quick->wg);
	facts.has_ip4 = true;
	facts.has_ip6 = quick_family_works(quick, AF_INET6);
	facts.mtu = quick_choose_mtu(quick, facts.live ? facts.live->fwmark : quick->config.fwmark);
	if (!quick->keeping)
		warn_of_ip6(quick, &facts);
	if (quick->keeping)
		quick->keeping->wanted_mtu = facts.mtu;
	quick_target_device(&target, &facts);
	plan_init(&plan, &target, &view.world);
	*ret_changes = count_of(&plan, device_kinds);
	r = quick_apply(quick, &plan, device_kinds);
	if (comes_up(&plan))
		quick_forget_device(quick);
	plan_clear(&plan);
	plan_target_clear(&target);
	quick_view_clear(&view);
	return r;
}

static int note_port(struct quick *quick)
{
	const struct wg_device *device;
	int r = quick_read_device(quick, &device);

	if (r >= 0)
		quick->journal.listen_port = device->listen_port;
	return r;
}

static int finish(struct quick *quick)
{
	int r = quick->options->dry_run ? 0 : note_port(quick);

	if (r >= 0 && !quick->options->dry_run)
		r = quick_copy_write(quick);
	if (r < 0 || quick->options->dry_run)
		return r;
	quick_memory_clear(&quick->journal.memory);
	quick_memory_init(&quick->journal.memory, &quick->config, &quick->sidecar);
	quick->journal.stage = QUICK_STAGE_UP;
	return quick_journal_write(quick);
}

/* ---- up ---- */

/* A namespace that is left of before is still ours. */
static int begin(struct quick *quick)
{
	bool made = quick->journal.made_target || quick->spaces.missing;

	quick_journal_clear(&quick->journal);
	quick->journal.stage = QUICK_STAGE_MAKING;
	quick->journal.link = true;
	quick->journal.made_target = made;
	quick_spaces_note(quick);
	return quick->options->dry_run ? 0 : quick_journal_write(quick);
}

static int make(struct quick *quick)
{
	size_t changes;
	int r = begin(quick);

	if (r >= 0)
		r = quick_make_namespace(quick);
	if (r >= 0)
		r = quick_make_link(quick);
	if (r >= 0)
		r = quick_hooks(quick, QUICK_PRE_UP);
	if (r >= 0)
		r = quick_resolve_endpoints(quick, true);
	if (r >= 0)
		r = quick_make_device(quick, NULL, &changes);
	if (r >= 0)
		r = quick_set_dns(quick);
	if (r >= 0)
		r = quick_make_routes(quick);
	if (r >= 0)
		r = quick_await_program(quick);
	if (r >= 0)
		r = quick_hooks(quick, QUICK_POST_UP);
	if (r >= 0)
		r = quick_check_signal(quick, 0);
	if (r >= 0 && quick->config.hooks[QUICK_POST_UP].count && !quick->options->dry_run)
		r = quick_note_left_out(quick);
	if (r >= 0)
		r = finish(quick);
	return r;
}

static int make_or_undo(struct quick *quick)
{
	int r = quick_require_spaces(quick);

	if (r < 0)
		return r;
	r = make(quick);
	if (r < 0 && !quick->options->dry_run)
		quick_roll_back(quick);
	return r;
}

/* ---- reload ---- */

enum { ROUNDS_MAX = 3 };

/* Removing an IPv4 address takes its secondaries along: look again until nothing differs. */
static int reload_device(struct quick *quick)
{
	size_t changes = 1;
	int r = 0;

	for (int round = 0; r >= 0 && changes && round < ROUNDS_MAX; round++)
		r = quick_make_device(quick, &quick->journal.memory, &changes);
	return r;
}

static int reload(struct quick *quick)
{
	int r = quick_require_same_spaces(quick);

	quick_journal_forget_left_out(&quick->journal);
	if (r >= 0)
		r = quick_resolve_endpoints(quick, false);
	if (r >= 0 && !quick->options->dry_run)
		r = quick_make_ways(quick);
	if (r >= 0)
		r = reload_device(quick);
	if (r >= 0)
		r = quick_change_dns(quick);
	if (r >= 0)
		r = quick_make_routes(quick);
	if (r >= 0)
		r = finish(quick);
	return r;
}

/* ---- which of them ---- */

static int already_exists(struct quick *quick)
{
	return err_set(quick->err, -EEXIST, "`%s' already exists", quick->name);
}

/* Only the kernel's word that there is none counts: any other answer is no news of it. */
static int find_link(struct quick *quick, struct rtnl_link *ret_link, bool *ret_there)
{
	int r = -ENODEV;

	if (!quick->spaces.missing)
		r = rtnl_link_get(quick->rtnl, quick->name, ret_link, quick->err);
	*ret_there = r >= 0;
	return r == -ENODEV ? 0 : r;
}

static int require_no_link(struct quick *quick)
{
	struct rtnl_link link;
	bool there;
	int r = find_link(quick, &link, &there);

	return r >= 0 && there ? already_exists(quick) : r;
}

static bool is_asked_again(const struct quick *quick)
{
	const char *made = quick->journal.target.where, *asked = quick->sidecar.namespace;

	return !quick->spaces.missing && made && asked && !strcmp(made, asked);
}

/* What a command that was killed left, or somebody took the link of, is taken away first. */
static int start_over(struct quick *quick)
{
	int r;

	quick_say(quick, QUICK_WARNING, "%s was left half way: cleaning up first", quick->name);
	r = quick_undo(quick);
	if (r >= 0 && !is_asked_again(quick)) {
		r = quick_remove_namespace(quick);
		quick->journal.made_target = false;
	}
	if (r >= 0)
		r = quick_enter_as_asked(quick);
	return r >= 0 && !quick->options->dry_run ? require_no_link(quick) : r;
}

static int up(struct quick *quick)
{
	struct rtnl_link link;
	bool there, ours;
	int r = find_link(quick, &link, &there);

	if (r < 0)
		return r;
	ours = there && quick->journal.link &&
	       (!quick->journal.ifindex || quick->journal.ifindex == link.ifindex);
	if (there && !ours)
		return already_exists(quick);
	if (ours && quick_is_between(quick))
		r = quick_take_over(quick);
	if (r < 0)
		return r;
	if (quick->journal.stage == QUICK_STAGE_UP && ours)
		return reload(quick);
	if (quick->journal.stage != QUICK_STAGE_NONE)
		r = start_over(quick);
	return r < 0 ? r : make_or_undo(quick);
}

int quick_up(const struct quick_options *options, struct err *err)
{
	static const struct quick_command command = {.load = quick_load, .work = up};

	return quick_session(options, &command, err);
}
