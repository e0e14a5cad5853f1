/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"
#include "node-agent/io/rtnl/link.h"

/* The interface's namespace itself: made if it is not there, its loopback set up; and both as they were at the end. */

enum { GONE_TIMEOUT_MS = 1000 }; /* for what is just ending in there */

/* ---- making ---- */

/* A dry run looks at one without a name, which ends with it. */
static int make(struct quick *quick)
{
	struct quick_spaces *spaces = &quick->spaces;
	int r;

	quick_say(quick, QUICK_STEP, "ip netns add %s", spaces->name);
	if (quick->options->dry_run)
		return netns_open_fresh(&spaces->target, quick->err);
	r = netns_make(spaces->name, quick->err);
	return r < 0 ? r : netns_open(spaces->name, &spaces->target, quick->err);
}

static int make_and_enter(struct quick *quick)
{
	int r = make(quick);

	if (r < 0)
		return r;
	rtnl_close(quick->rtnl);
	rtnl_close(quick->spaces.birth_rtnl);
	quick->rtnl = quick->spaces.birth_rtnl = NULL;
	quick->spaces.missing = false;
	r = quick_spaces_settle(quick);
	if (r >= 0)
		quick_spaces_note(quick);
	return r >= 0 && !quick->options->dry_run ? quick_journal_write(quick) : r;
}

static int set_loopback(struct quick *quick, bool up)
{
	struct rtnl_link_change change = {.name = "lo", .set = up ? RTNL_LINK_UP : RTNL_LINK_DOWN};

	quick_say(quick, QUICK_STEP, "ip link set lo %s", up ? "up" : "down");
	return quick->options->dry_run ? 0 : rtnl_link_change(quick->rtnl, &change, quick->err);
}

static int raise_loopback(struct quick *quick)
{
	struct rtnl_link link;
	int r = rtnl_link_get(quick->rtnl, "lo", &link, quick->err);

	if (r < 0 || link.up)
		return r;
	quick->journal.loopback = true;
	if (!quick->options->dry_run)
		r = quick_journal_write(quick);
	return r < 0 ? r : set_loopback(quick, true);
}

int quick_make_namespace(struct quick *quick)
{
	int r = quick->spaces.missing ? make_and_enter(quick) : 0;

	if (r < 0 || !quick->sidecar.namespace || !quick_is_elsewhere(quick))
		return r;
	return raise_loopback(quick);
}

/* ---- undoing ---- */

int quick_undo_loopback(struct quick *quick)
{
	int r;

	if (!quick->journal.loopback || quick->spaces.missing)
		return 0;
	r = quick_lock_routes(quick);
	if (r < 0)
		return r;
	if (quick->options->dry_run || !quick_journal_hand_over_space(quick, QUICK_SPACE_LOOPBACK))
		r = set_loopback(quick, false);
	quick_unlock_routes(quick);
	return r;
}

/* Links that the kernel puts into each new one (sit0 and its like) are down. */
static bool has_link_up(struct quick *quick, char name[IFNAMSIZ])
{
	CLEANUP_FREE struct rtnl_link *links = NULL;
	size_t count = 0;

	if (rtnl_link_list(quick->rtnl, NULL, &links, &count, NULL) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (links[i].up && strcmp(links[i].name, "lo") != 0) {
			text_copy(name, IFNAMSIZ, links[i].name);
			return true;
		}
	return false;
}

/* A program that ends takes a moment: its socket goes first. */
static bool is_inhabited(struct quick *quick, pid_t *ret_pid, char command[NETNS_COMMAND_MAX])
{
	int left_ms = GONE_TIMEOUT_MS;

	while (netns_inhabitant(&quick->spaces.target, ret_pid, command)) {
		if (left_ms <= 0)
			return true;
		(void)quick_check_signal(quick, 10);
		left_ms -= 10;
	}
	return false;
}

static bool is_used(struct quick *quick)
{
	char command[NETNS_COMMAND_MAX], link[IFNAMSIZ];
	pid_t pid;

	if (has_link_up(quick, link)) {
		quick_say(quick, QUICK_WARNING,
			"network namespace %s is kept, for %s is up in it: `ip netns delete %s` removes it",
			quick->spaces.name, link, quick->spaces.name);
		return true;
	}
	if (!is_inhabited(quick, &pid, command))
		return false;
	quick_say(quick, QUICK_WARNING,
		"network namespace %s is kept, for process %ld (%s) lives in it: `ip netns delete %s` "
		"removes it",
		quick->spaces.name, (long)pid, command, quick->spaces.name);
	return true;
}

/* Somebody else took it away, or one that was killed did not finish it. */
static int remove_rest(struct quick *quick)
{
	struct netns other = NETNS_NONE;
	int r = netns_open(quick->spaces.name, &other, NULL);

	netns_close(&other);
	return r == -EINVAL && !quick->options->dry_run ? netns_delete(quick->spaces.name, quick->err) : 0;
}

/* The name may be another's by now: then ours ends by itself. */
static bool has_its_name(struct quick *quick)
{
	CLEANUP_NETNS struct netns named = NETNS_NONE;

	return netns_open(quick->spaces.name, &named, NULL) >= 0 && netns_same(&named, &quick->spaces.target);
}

static int remove_own(struct quick *quick)
{
	if (!has_its_name(quick))
		return 0;
	if (quick->options->dry_run) {
		quick_say(quick, QUICK_STEP, "ip netns delete %s", quick->spaces.name);
		return 0;
	}
	if (quick_journal_hand_over_space(quick, QUICK_SPACE_MADE) || is_used(quick))
		return 0;
	quick_say(quick, QUICK_STEP, "ip netns delete %s", quick->spaces.name);
	netns_leave(&quick->spaces.visit); /* it ends with the last that is in it */
	return netns_delete(quick->spaces.name, quick->err);
}

int quick_remove_namespace(struct quick *quick)
{
	struct err before = *quick->err;
	int r;

	if (!quick->journal.made_target)
		return 0;
	quick->undoing = true;
	r = quick_lock_routes(quick);
	if (r >= 0)
		r = quick->spaces.missing ? remove_rest(quick) : remove_own(quick);
	quick_unlock_routes(quick);
	quick->undoing = false;
	if (r >= 0) {
		*quick->err = before;
		if (!quick->options->dry_run)
			quick_journal_remove(quick);
	}
	return r;
}
