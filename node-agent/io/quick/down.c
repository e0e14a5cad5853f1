/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/quick/child.h"
#include "node-agent/io/quick/files.h"
#include "node-agent/io/quick/handover.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"
#include "node-agent/io/quick/undo.h"

/* Only -ENODEV says that it is not: any other failure says nothing of it. */
static int find_device(struct quick *quick, bool *ret_there)
{
	struct rtnl_link link;
	int r = -ENODEV;

	if (!quick->spaces.missing)
		r = rtnl_link_get(quick->rtnl, quick->name, &link, quick->err);
	if (r >= 0)
		r = wg_open(quick->name, WG_TIMEOUT_MS, &quick->wg, quick->err);
	*ret_there = r >= 0;
	return r == -ENODEV ? 0 : r;
}

static int is_no_device(struct quick *quick)
{
	return err_set(quick->err, -ENODEV, "`%s' is not a WireGuard interface", quick->name);
}

int quick_require_device(struct quick *quick)
{
	bool there;
	int r = find_device(quick, &there);

	return r < 0 || there ? r : is_no_device(quick);
}

/* It works, whoever's hands it is in. */
static bool is_whole(const struct quick *quick)
{
	return quick->journal.stage == QUICK_STAGE_UP || quick_is_between(quick);
}

/* A namespace of ours goes when the last hook has run in it, whatever came of that. */
static int finish(struct quick *quick, bool was_up)
{
	int r = was_up ? quick_hooks(quick, QUICK_POST_DOWN) : 0;
	int removed = quick_remove_namespace(quick);

	return r < 0 ? r : removed;
}

/* Its program died, or somebody deleted the link, or a command was killed half way: what is left goes. */
static int clean_up(struct quick *quick)
{
	bool was_up = is_whole(quick);
	int r;

	quick_say(quick, QUICK_WARNING, "%s is gone or was left half way: cleaning up", quick->name);
	r = quick_undo(quick);
	return r < 0 ? r : finish(quick, was_up);
}

static int take_down(struct quick *quick)
{
	int r = quick_hooks(quick, QUICK_PRE_DOWN);

	if (r >= 0)
		r = quick_check_signal(quick, 0);
	if (r >= 0 && quick->config.save_config)
		r = quick_save_config(quick);
	if (r >= 0)
		r = quick_undo(quick);
	return r < 0 ? r : finish(quick, true);
}

static int down(struct quick *quick)
{
	bool there, ours = is_whole(quick);
	int r = find_device(quick, &there);

	if (r < 0)
		return r;
	if (there && quick->journal.stage == QUICK_STAGE_NONE) {
		r = quick_guess_journal(quick);
		return r < 0 ? r : take_down(quick);
	}
	if (!there && quick->journal.stage == QUICK_STAGE_NONE)
		return is_no_device(quick);
	if (!there || (quick->journal.stage != QUICK_STAGE_NONE && !ours))
		return clean_up(quick);
	return take_down(quick);
}

int quick_down(const struct quick_options *options, struct err *err)
{
	static const struct quick_command command = {.load = quick_load_for_down, .work = down};

	return quick_session(options, &command, err);
}
