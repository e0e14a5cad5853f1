/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/firewall.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/parameter.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"
#include "node-agent/io/quick/undo.h"
#include "node-agent/io/reconcile/convert.h"
#include "node-agent/io/rtnl/rule.h"
#include "node-agent/io/wireguard/implementation.h"
#include "node-agent/io/wireguard/userspace.h"

static int undo_rules(struct quick *quick)
{
	struct quick_journal *journal = &quick->journal;
	char text[PLAN_TEXT_MAX];
	int first = 0;

	for (size_t i = 0; i < journal->rule_count && !quick->spaces.missing; i++) {
		struct plan_op op = {.kind = PLAN_RULE_DELETE, .rule = journal->rules[i]};
		struct rtnl_rule rule = convert_rule(&journal->rules[i]);
		int r = 0;

		rule.protocol = QUICK_PROTOCOL;
		quick_say(quick, QUICK_STEP, "%s", plan_op_format(&op, text));
		if (!quick->options->dry_run)
			r = rtnl_rule_request(quick->rtnl, RTNL_DISCARD, &rule, quick->err);
		rule.protocol = 0; /* any */
		if (r >= 0 && journal->foreign && !quick->options->dry_run)
			r = rtnl_rule_request(quick->rtnl, RTNL_DISCARD, &rule, quick->err);
		if (r < 0 && !first)
			first = r;
	}
	return first;
}

/* Where a program made it, for one that was killed before it could be moved. */
static int undo_link_in_birth(struct quick *quick)
{
	CLEANUP_NETNS_VISIT struct netns_visit visit = {.back_fd = -1};
	int r = quick_visit_birth(quick, &visit);

	if (r >= 0)
		r = wg_remove(quick->name, WG_CREATE_TIMEOUT_MS, quick->err);
	return r == -ENODEV ? 0 : r;
}

/* It went with its namespace, and then its program does. */
static int undo_lost_link(struct quick *quick)
{
	int r = 0;

	if (quick->options->dry_run)
		return 0;
	if (quick->journal.in_birth && !quick->spaces.birth_missing)
		r = undo_link_in_birth(quick);
	if (r >= 0 && quick->journal.program && userspace_wait_gone(quick->name, WG_CREATE_TIMEOUT_MS) < 0)
		return err_set(quick->err, -ETIMEDOUT,
			"the network namespace of %s was deleted, but something holds it, and the program of "
			"%s still runs: end that",
			quick->name, quick->name);
	return r;
}

/* A link of the name that is not the one we made is somebody else's. */
static int undo_link(struct quick *quick)
{
	struct rtnl_link link;
	int r;

	if (!quick->journal.link)
		return 0;
	if (quick->spaces.missing)
		return undo_lost_link(quick);
	r = rtnl_link_get(quick->rtnl, quick->name, &link, quick->err);
	if (r < 0 && r != -ENODEV)
		return r; /* whose it is, nobody knows */
	if (r < 0 && quick->journal.in_birth && !quick->options->dry_run && !quick->spaces.birth_missing)
		return undo_link_in_birth(quick);
	if (r >= 0 && quick->journal.ifindex && link.ifindex != quick->journal.ifindex)
		return 0;
	if (r >= 0)
		quick_say(quick, QUICK_STEP, "ip link delete dev %s", quick->name);
	if (quick->options->dry_run)
		return 0;
	wg_close(quick->wg);
	quick->wg = NULL;
	r = wg_remove_made(quick->name, quick->journal.ifindex, WG_CREATE_TIMEOUT_MS, quick->err);
	return r == -ENODEV ? 0 : r;
}

static int undo_parameters(struct quick *quick)
{
	int r = quick->spaces.missing ? 0 : quick_parameters_give_back(quick, QUICK_ALL_PARAMETERS);

	quick_unlock_routes(quick);
	return r;
}

/* From now on no other tunnel gives us anything; what they gave is ours to undo. */
static int note_removing(struct quick *quick)
{
	quick->journal.stage = QUICK_STAGE_REMOVING;
	return quick_journal_write(quick);
}

int quick_undo(struct quick *quick)
{
	static int (*const steps[])(struct quick * quick) = {quick_unset_dns, undo_rules, undo_link,
		quick_undo_host_routes, quick_undo_firewall, undo_parameters, quick_undo_loopback};
	struct err first_err = {0};
	int first = 0;

	quick->undoing = true;
	if (!quick->options->dry_run) {
		first = note_removing(quick);
		first_err = *quick->err;
		if (first == -EAGAIN) { /* an agent that waits for nobody: it comes again */
			quick->undoing = false;
			return first;
		}
	}
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int r = steps[i](quick);

		if (r < 0 && first >= 0) {
			first = r;
			first_err = *quick->err;
		}
	}
	quick->undoing = false;
	if (first < 0)
		*quick->err = first_err; /* the journal stays, for the next try */
	else if (!quick->options->dry_run && !quick->journal.made_target)
		quick_journal_remove(quick);
	return first;
}

void quick_roll_back(struct quick *quick)
{
	struct err why = *quick->err;
	int status = quick->status, signal = quick->signal;
	char text[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];

	if (quick_undo(quick) < 0 || quick_remove_namespace(quick) < 0)
		quick_say(quick, QUICK_WARNING, "not all could be undone: %s; `holdfast down %s` tries again",
			err_format(quick->err, text, sizeof(text)), quick->name);
	*quick->err = why;
	quick->status = status;
	quick->signal = signal;
}
