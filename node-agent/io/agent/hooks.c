/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/hooks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/hooks_int.h"
#include "node-agent/io/rtnl/link.h"

/* ---- which there are ---- */

static struct hooked *find(const struct hooks *hooks, const char *name)
{
	for (size_t i = 0; i < hooks->count; i++)
		if (!strcmp(hooks->items[i]->name, name))
			return hooks->items[i];
	return NULL;
}

static struct hooked *add(struct agent *agent, const char *name)
{
	struct hooks *hooks = agent->hooks;
	struct hooked *hooked = mem_new(1, sizeof(*hooked));

	hooked->agent = agent;
	hooked->dns_look_ms = 1;
	(void)text_copy(hooked->name, sizeof(hooked->name), name);
	hooks->items = mem_grow(hooks->items, &hooks->capacity, hooks->count + 1, sizeof(struct hooked *));
	hooks->items[hooks->count++] = hooked;
	return hooked;
}

static void hooked_free(struct hooked *hooked)
{
	for (size_t i = 0; i < HOOKS; i++)
		texts_clear(&hooked->lines[i]);
	texts_clear(&hooked->dns);
	texts_clear(&hooked->running);
	free(hooked);
}

static void forget(struct hooks *hooks, size_t index)
{
	hooks_record_remove(hooks->items[index]);
	hooked_free(hooks->items[index]);
	hooks->items[index] = hooks->items[--hooks->count];
}

static bool take(struct texts *to, const struct texts *from)
{
	if (texts_equal(to, from))
		return false;
	texts_clear(to);
	texts_copy(to, from);
	return true;
}

static bool take_lines(struct hooked *hooked, const struct texts lines[HOOKS])
{
	bool changed = false;

	for (size_t i = 0; i < HOOKS; i++)
		changed |= take(&hooked->lines[i], &lines[i]);
	return changed;
}

/* A device that a program was behind which has died is none. Any other failure tells nothing. */
static enum course_sight sight_of(struct agent *agent, const char *name)
{
	struct err err = {0};
	struct rtnl_link link;
	struct wg *wg;
	int r = rtnl_link_get(reconcile_rtnl(agent->reconcile), name, &link, &err);

	if (r >= 0)
		r = reconcile_wg(agent->reconcile, name, &wg, &err);
	if (r >= 0)
		return COURSE_SEEN;
	if (r == -ENODEV)
		return COURSE_MISSING;
	log_limited(LEVEL_WARNING, "hook", "not-seen", name, log_text("tunnel", name), log_err(&err));
	return COURSE_UNSEEN;
}

static void on_record(
	struct agent *agent, const char *name, struct texts lines[HOOKS], const struct texts *dns, bool owes)
{
	struct hooked *hooked;

	if (find(agent->hooks, name))
		return;
	hooked = add(agent, name);
	(void)take_lines(hooked, lines);
	(void)take(&hooked->dns, dns);
	course_begin(&hooked->course, true, owes);
	hooked->recorded = true;
	hooked->recorded_owes = owes;
}

static void update_one(struct agent *agent, const struct desired_tunnel *tunnel)
{
	struct hooked *hooked = find(agent->hooks, tunnel->name);
	bool changed;

	if (!hooked && !desired_tunnel_has_hooks(tunnel) && !tunnel->dns.count)
		return;
	if (!hooked) {
		hooked = add(agent, tunnel->name);
		course_begin(&hooked->course, sight_of(agent, tunnel->name) != COURSE_MISSING, false);
	}
	course_want(&hooked->course, true);
	changed = take_lines(hooked, tunnel->hooks);
	if (changed) {
		course_hurry(&hooked->course);
		cause_is_over(&hooked->told);
	}
	if (take(&hooked->dns, &tunnel->dns)) {
		hooked->dns_look_ms = 0;
		changed = true;
	}
	if (changed && hooked->recorded)
		hooks_record_anew(hooked);
}

/* Without hooks and name servers there is nothing to wait for, once the old ones are taken back. */
static bool has_none(const struct hooked *hooked)
{
	for (size_t i = 0; i < HOOKS; i++)
		if (hooked->lines[i].count)
			return false;
	return !hooked->dns.count && hooked->dns_look_ms && hooked->course.wanted &&
	       hooked->course.state == COURSE_UP;
}

void hooks_update(struct agent *agent)
{
	const struct desired *desired = agent->held.desired;
	struct hooks *hooks = agent->hooks;

	if (!hooks || !desired)
		return;
	for (size_t i = 0; i < hooks->count; i++)
		course_want(&hooks->items[i]->course, false);
	for (size_t i = 0; i < desired->tunnel_count; i++)
		update_one(agent, &desired->tunnels[i]);
	for (size_t i = hooks->count; i-- > 0;)
		if (has_none(hooks->items[i]))
			forget(hooks, i);
}

/* ---- looks ---- */

static void leave_alone(struct hooks *hooks, const char *name)
{
	hooks->apart =
		mem_grow(hooks->apart, &hooks->apart_capacity, hooks->apart_count + 1, sizeof(*hooks->apart));
	(void)text_copy(hooks->apart[hooks->apart_count++], sizeof(*hooks->apart), name);
}

/* What the ruleset and the groups held its peers to goes in this look. */
static void shut_out_peers(struct hooked *hooked)
{
	const struct wg_change nobody = {.flags = WG_REPLACE_PEERS};
	struct err err = {0};
	int r = reconcile_set(hooked->agent->reconcile, hooked->name, &nobody, &err);

	hooked->lets_in = r < 0 && r != -ENODEV;
	if (hooked->lets_in)
		(void)snprintf(hooked->failure, sizeof(hooked->failure),
			"tunnel %s goes, and its peers cannot be taken off it: %.120s", hooked->name,
			err.text);
}

/* One that goes may be of a generation that has been forgotten while pre_down ran. */
static void look_at(struct agent *agent, struct hooked *hooked)
{
	hooked->flawed = false;
	course_look(&hooked->course, sight_of(agent, hooked->name), clock_now_ms());
	hooked->lets_in = false;
	if (hooked->course.there) { /* whoever made it, though its pre_up failed */
		hooked->failure[0] = '\0';
		cause_is_over(&hooked->told);
	}
	if (course_shuts_out(&hooked->course))
		shut_out_peers(hooked);
	hooks_run(hooked);
	hooks_record(hooked);
	if (course_is_apart(&hooked->course))
		leave_alone(agent->hooks, hooked->name);
	else if (hooked->course.state == COURSE_GOING)
		plan_scope_add_link(&agent->left, hooked->name);
}

static void forget_over(struct hooks *hooks)
{
	for (size_t i = hooks->count; i-- > 0;)
		if (hooks->items[i]->course.state == COURSE_OVER)
			forget(hooks, i);
}

void hooks_look(struct agent *agent, struct reconcile_input *input)
{
	struct hooks *hooks = agent->hooks;

	if (!hooks)
		return;
	hooks->looking = true;
	hooks->apart_count = 0;
	for (size_t i = 0; i < hooks->count; i++)
		look_at(agent, hooks->items[i]);
	input->apart = hooks->apart;
	input->apart_count = hooks->apart_count;
}

/* Whose making it is a part of. Routes come later, and one that another holds is no fault of the tunnel's. */
static const char *tunnel_of(const struct plan_op *op)
{
	switch (op->kind) {
	case PLAN_LINK_CREATE:
	case PLAN_LINK_DELETE:
	case PLAN_LINK_SET:
		return op->link.name;
	case PLAN_WIREGUARD_SET:
		return op->wireguard.name;
	case PLAN_ADDRESS_ADD:
		return op->address.device;
	case PLAN_FIREWALL_LOAD:
	case PLAN_SYSCTL_SET:
	case PLAN_OFFLOAD_SET:
	case PLAN_RULE_DELETE:
	case PLAN_RULE_ADD:
	case PLAN_ROUTE_DELETE:
	case PLAN_ROUTE_SET:
	case PLAN_ADDRESS_DELETE:
		break;
	}
	return "";
}

void hooks_applied(struct agent *agent, const struct plan_op *op, bool done)
{
	struct hooked *hooked = agent->hooks ? find(agent->hooks, tunnel_of(op)) : NULL;

	if (!hooked)
		return;
	hooked->flawed |= !done;
	if (done && op->kind == PLAN_LINK_CREATE)
		course_made(&hooked->course);
	if (done && op->kind == PLAN_LINK_DELETE)
		course_removed(&hooked->course);
}

/* As they shall be: also after a start, after a change of the file, and after somebody's doings. */
static void look_at_dns(struct hooked *hooked)
{
	int64_t now_ms = clock_now_ms();

	if (hooked->course.state != COURSE_UP || !hooked->course.wanted || now_ms < hooked->dns_look_ms)
		return;
	if (hooked->dns.count || !hooked->dns_look_ms)
		(void)hooks_dns_set(hooked, &hooked->dns, false);
	hooked->dns_look_ms = now_ms + AGENT_SLOW_POLL_MS;
}

void hooks_looked(struct agent *agent, bool done)
{
	struct hooks *hooks = agent->hooks;

	if (!hooks)
		return;
	for (size_t i = 0; i < hooks->count; i++) {
		course_looked(&hooks->items[i]->course, done && !hooks->items[i]->flawed);
		hooks_run(hooks->items[i]);
		look_at_dns(hooks->items[i]);
	}
	hooks_dns_look(hooks);
	forget_over(hooks);
	hooks->looking = false;
}

bool hooks_are_awaited(const struct agent *agent)
{
	for (size_t i = 0; agent->hooks && i < agent->hooks->count; i++)
		if (course_is_apart(&agent->hooks->items[i]->course))
			return true;
	return false;
}

bool hooks_are_unseen(const struct agent *agent)
{
	for (size_t i = 0; agent->hooks && i < agent->hooks->count; i++)
		if (agent->hooks->items[i]->course.unseen)
			return true;
	return false;
}

bool hooks_let_in(const struct agent *agent)
{
	for (size_t i = 0; agent->hooks && i < agent->hooks->count; i++)
		if (agent->hooks->items[i]->lets_in)
			return true;
	return false;
}

const char *hooks_failure(const struct agent *agent)
{
	for (size_t i = 0; agent->hooks && i < agent->hooks->count; i++)
		if (agent->hooks->items[i]->failure[0])
			return agent->hooks->items[i]->failure;
	return "";
}

/* ---- begin and end ---- */

void hooks_open(struct agent *agent)
{
	agent->hooks = mem_new(1, sizeof(*agent->hooks));
	agent->hooks->programs = programs_new(agent->base);
	agent->hooks->dns = hooks_dns_new(agent);
	hooks_record_load(agent, on_record);
}

void hooks_close(struct agent *agent)
{
	struct hooks *hooks = agent->hooks;

	if (!hooks)
		return;
	programs_free(hooks->programs);
	hooks_dns_free(hooks->dns);
	for (size_t i = 0; i < hooks->count; i++)
		hooked_free(hooks->items[i]);
	free(hooks->items);
	free(hooks->apart);
	free(hooks);
	agent->hooks = NULL;
}
