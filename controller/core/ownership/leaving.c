/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/ownership/internal.h"

const char *leaving_cause(const struct ownership_member *owner)
{
	if (owner->drained)
		return "drain";
	if (owner->leaving)
		return "leaving";
	if (owner->fit_known && !owner->fit)
		return "unfit";
	return owner->impaired[0] ? "impaired" : NULL;
}

static void tell(
	const struct ownership *ownership, size_t member, int64_t now_ms, struct ownership_actions *actions)
{
	const char *endpoint = ownership->config.name, *gateway = ownership_name_of(ownership, member);

	if (!ownership->members[member].leaving) {
		change_event(actions, OWNERSHIP_INFO, "%s may have %s again", gateway, endpoint);
		return;
	}
	change_event(actions, OWNERSHIP_INFO,
		"%s is about to go down: it gets nothing of %s until it is back", gateway, endpoint);
	if (ownership->owner == member && ownership->phase == OWNERSHIP_STABLE &&
		ownership_pick(ownership, member, now_ms) == OWNERSHIP_NOBODY)
		change_event(
			actions, OWNERSHIP_WARNING, "nobody else can take %s from %s", endpoint, gateway);
}

void leaving_hear(struct ownership *ownership, size_t member, bool leaving, int64_t now_ms,
	struct ownership_actions *actions)
{
	if (ownership->members[member].leaving == leaving)
		return;
	ownership->members[member].leaving = leaving;
	if (leaving)
		ownership->move_after_ms = INT64_MIN;
	tell(ownership, member, now_ms, actions);
}
