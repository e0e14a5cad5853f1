/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "node-agent/io/quick/dns.h"
#include "node-agent/io/quick/files.h"
#include "node-agent/io/quick/handover.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/keeping.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/routing.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/undo.h"

bool quick_is_between(const struct quick *quick)
{
	return quick->journal.stage == QUICK_STAGE_ADOPTING || quick->journal.stage == QUICK_STAGE_RELEASING;
}

/* ---- the journal that we would have had ---- */

static int guess_link(struct quick *quick)
{
	struct quick_journal *journal = &quick->journal;
	struct rtnl_link link;
	int r = rtnl_link_get(quick->rtnl, quick->name, &link, quick->err);

	if (r < 0)
		return r;
	quick_journal_clear(journal);
	journal->link = true;
	journal->ifindex = link.ifindex;
	quick_memory_init(&journal->memory, &quick->config, &quick->sidecar);
	return 0;
}

/* wg-quick takes marks from 51820 up; a hook may have chosen another. What src_valid_mark was before, nobody knows. */
static void guess_rest(struct quick *quick, const struct quick_handover *handover)
{
	struct quick_journal *journal = &quick->journal;
	const struct quick_routing *routing = &handover->routing;

	journal->listen_port = routing->view.device->listen_port;
	journal->program = quick->wg && wg_is_userspace(quick->wg);
	journal->firewall = quick_routing_needs_mark(routing);
	journal->parameters[QUICK_VALID_MARK].needed = quick_needs_mark(&routing->facts, AF_INET);
	if (!quick->config.has_fwmark && routing->facts.mark >= QUICK_MARK_FIRST)
		journal->mark = routing->facts.mark;
	if (!quick->config.dns.count)
		return;
	quick_guess_dns(quick);
	if (!journal->dns.text)
		quick_say(quick, QUICK_WARNING, "resolvconf %s: `holdfast up %s` sets the name servers of %s",
			journal->dns.way == QUICK_DNS_NONE ? "is not there" : "knows nothing of it",
			quick->name, quick->path);
}

/* ---- taking it over ---- */

/* For an agent: as it is now, it shall be. */
static int note_for_agent(struct quick *quick)
{
	int r = quick_copy_write(quick);

	return r < 0 ? r : quick_note_left_out(quick);
}

static int finish(struct quick *quick, const struct quick_handover *handover)
{
	quick_handover_settle(quick, handover);
	return quick->options->dry_run ? 0 : quick_journal_write(quick);
}

static int take(struct quick *quick, struct quick_handover *handover)
{
	int r = quick_handover_note(quick, handover, QUICK_STAGE_ADOPTING);

	if (r >= 0)
		r = quick_handover_pass(quick, handover, true);
	if (r >= 0 && !quick->options->dry_run)
		r = note_for_agent(quick);
	return r < 0 ? r : finish(quick, handover);
}

/* Where it had begun before, it is in both hands, and the next command goes on. */
static int take_or_leave(struct quick *quick, struct quick_handover *handover, bool fresh)
{
	int r = take(quick, handover);

	if (r < 0 && fresh && !quick->options->dry_run)
		quick_handover_back_to_them(quick, handover);
	return r;
}

/* A release that was killed had taken them away. */
static int put_dns_back(struct quick *quick)
{
	struct quick_files now;
	int r;

	if ((quick->journal.dns.way != QUICK_DNS_NONE && quick_dns_is_set(quick)) ||
		!quick_files_take_made(quick, &now))
		return 0;
	quick_dns_state_clear(&quick->journal.dns);
	r = quick_set_dns(quick);
	quick_files_leave_made(quick, &now);
	return r;
}

/* What was not handed back to the end is again as `up` made it, and what an agent keeps is that still. */
static int take_back(struct quick *quick, struct quick_handover *handover)
{
	int r = quick_handover_note(quick, handover, QUICK_STAGE_RELEASING);

	if (r >= 0)
		r = quick_handover_pass(quick, handover, true);
	if (r >= 0)
		r = put_dns_back(quick);
	return r < 0 ? r : finish(quick, handover);
}

int quick_take_over(struct quick *quick)
{
	bool fresh = quick->journal.stage == QUICK_STAGE_NONE,
	     released = quick->journal.stage == QUICK_STAGE_RELEASING;
	struct quick_handover handover = {.begun = !fresh};
	int r = quick_lock_routes(quick);

	if (r >= 0)
		r = quick_handover_look(quick, &handover);
	if (r >= 0 && fresh) {
		guess_rest(quick, &handover);
		quick_say_differences(quick, &handover);
	}
	if (r >= 0)
		r = released ? take_back(quick, &handover) : take_or_leave(quick, &handover, fresh);
	quick_unlock_routes(quick);
	quick_handover_clear(&handover);
	return r;
}

/* ---- may it be taken? ---- */

int quick_require_this_link(struct quick *quick)
{
	struct rtnl_link link;
	int r = quick_require_device(quick);

	if (r >= 0)
		r = rtnl_link_get(quick->rtnl, quick->name, &link, quick->err);
	if (r < 0 || !quick->journal.ifindex || quick->journal.ifindex == link.ifindex)
		return r;
	return err_set(quick->err, -EEXIST,
		"`%s' is another than the one that holdfast knows, of which something may be left: take it "
		"down, then "
		"`holdfast down %s`, and bring it up again",
		quick->name, quick->name);
}

int quick_refuse_half(struct quick *quick)
{
	return err_set(quick->err, -EBUSY, "`%s' was left half way: `holdfast down %s` cleans up",
		quick->name, quick->name);
}

/* It is where it is. */
static int require_no_spaces(struct quick *quick)
{
	if (!quick->sidecar.namespace && !quick->sidecar.socket_namespace)
		return 0;
	return err_at(quick->err, -EINVAL, quick->sidecar_path, 0, 0,
		"wg-quick knows no network namespaces, and what runs cannot be moved into one: take `%s' "
		"down, "
		"and "
		"`holdfast up %s`",
		quick->name, quick->name);
}

static int adopt(struct quick *quick)
{
	int r = quick_require_this_link(quick);

	if (r < 0)
		return r;
	switch (quick->journal.stage) {
	case QUICK_STAGE_NONE:
		r = guess_link(quick);
		break;
	case QUICK_STAGE_ADOPTING:
	case QUICK_STAGE_RELEASING:
		break;
	case QUICK_STAGE_UP:
		return err_set(quick->err, -EALREADY, "`%s' is holdfast's already", quick->name);
	case QUICK_STAGE_MAKING:
	case QUICK_STAGE_REMOVING:
		return quick_refuse_half(quick);
	}
	if (r >= 0)
		r = quick_require_not_agents(quick);
	return r < 0 ? r : quick_take_over(quick);
}

int quick_adopt(const struct quick_options *options, struct err *err)
{
	static const struct quick_command command = {
		.load = quick_load, .may = require_no_spaces, .work = adopt};

	return quick_session(options, &command, err);
}
