/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/parameter.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/rtnl/sysctl.h"

/* Parameters of the kernel that are one for all tunnels of the namespace. All are switches, which we only ever set to 1. */

static const char *const keys[QUICK_PARAMETERS] = {
	[QUICK_VALID_MARK] = "net/ipv4/conf/all/src_valid_mark",
	[QUICK_FORWARD4] = "net/ipv4/ip_forward",
	[QUICK_FORWARD6] = "net/ipv6/conf/all/forwarding",
};

const char *quick_parameter_key(enum quick_parameter parameter)
{
	return keys[parameter];
}

void quick_parameters_observe(struct plan_world *world)
{
	char value[SYSCTL_VALUE_MAX];

	for (unsigned i = 0; i < QUICK_PARAMETERS; i++)
		if (sysctl_read(keys[i], value, sizeof(value), NULL) >= 0)
			plan_world_sysctl(world, keys[i], value);
}

void quick_parameters_note(struct quick *quick, const struct plan_world *wanted)
{
	for (unsigned i = 0; i < QUICK_PARAMETERS; i++) {
		struct quick_parameter_note *note = &quick->journal.parameters[i];
		char value[SYSCTL_VALUE_MAX] = "";

		note->needed = plan_world_find_sysctl(wanted, keys[i]) != NULL;
		if (note->needed && !note->before[0] &&
			sysctl_read(keys[i], value, sizeof(value), NULL) >= 0 && strcmp(value, "1") != 0)
			text_copy(note->before, sizeof(note->before), value);
	}
}

/* wg-quick's tunnels, and the agent's, have no journal: their rules tell. */
static bool others_route_by_mark(struct quick *quick)
{
	CLEANUP_FREE struct quick_rule *rules = NULL;
	size_t count = 0;
	bool found = false;

	(void)quick_list_rules(quick, AF_INET, &rules, &count);
	for (size_t i = 0; i < count; i++) {
		const struct plan_rule *rule = &rules[i].rule;

		found |= rule->invert && rule->has_fwmark && rule->fwmark == rule->table &&
			 !quick_has_journalled(quick, rule);
	}
	return found;
}

/* Only if it is as we left it, and nobody else needs it. */
static int give_back(struct quick *quick, enum quick_parameter parameter)
{
	const char *key = keys[parameter], *before = quick->journal.parameters[parameter].before;
	char now[SYSCTL_VALUE_MAX];

	if (!quick->options->dry_run && quick_journal_hand_over(quick, parameter, before))
		return 0;
	if (parameter == QUICK_VALID_MARK && others_route_by_mark(quick)) {
		quick_say(quick, QUICK_WARNING, "%s stays 1, which another tunnel needs; it was %s", key,
			before);
		return 0;
	}
	quick_say(quick, QUICK_STEP, "sysctl -w %s=%s", key, before);
	if (quick->options->dry_run || sysctl_read(key, now, sizeof(now), NULL) < 0 || strcmp(now, "1") != 0)
		return 0;
	return sysctl_ensure(key, before, NULL, quick->err);
}

/* From then on it is not ours to give back again: that is written before another tunnel can find it otherwise. */
static int give_back_and_forget(struct quick *quick, enum quick_parameter parameter)
{
	int r = quick_lock_routes(quick);

	if (r >= 0)
		r = give_back(quick, parameter);
	if (r < 0)
		return r;
	quick->journal.parameters[parameter].before[0] = '\0';
	return quick->options->dry_run ? 0 : quick_journal_write(quick);
}

unsigned quick_parameters_unneeded(const struct quick_journal *journal)
{
	unsigned which = 0;

	for (unsigned i = 0; i < QUICK_PARAMETERS; i++)
		which |= journal->parameters[i].needed ? 0 : 1u << i;
	return which;
}

int quick_parameters_give_back(struct quick *quick, unsigned which)
{
	int first = 0;

	for (unsigned i = 0; i < QUICK_PARAMETERS; i++) {
		int r = 0;

		if (which & 1u << i && quick->journal.parameters[i].before[0])
			r = give_back_and_forget(quick, i);
		if (r < 0 && first >= 0)
			first = r;
	}
	return first;
}

static int take_again(struct quick *quick, enum quick_parameter parameter)
{
	struct quick_parameter_note *note = &quick->journal.parameters[parameter];
	char now[SYSCTL_VALUE_MAX];
	int r = 0;

	if (sysctl_read(keys[parameter], now, sizeof(now), NULL) < 0 || !strcmp(now, "1"))
		return 0;
	if (!note->before[0])
		text_copy(note->before, sizeof(note->before), now);
	quick_say(quick, QUICK_STEP, "sysctl -w %s=1", keys[parameter]);
	if (quick->options->dry_run)
		return 0;
	r = quick_journal_write(quick);
	return r < 0 ? r : sysctl_ensure(keys[parameter], "1", NULL, quick->err);
}

int quick_parameters_take_again(struct quick *quick, unsigned which)
{
	int r = 0;

	for (unsigned i = 0; r >= 0 && i < QUICK_PARAMETERS; i++)
		if (which & 1u << i && quick->journal.parameters[i].needed)
			r = take_again(quick, i);
	return r;
}
