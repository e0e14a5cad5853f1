/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/config/config.h"
#include "node-agent/io/quick/handover.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/state/state.h"

/* What belongs to the fleet, the agent makes what the fleet file says, whatever anybody does to it by hand. It is asked for
 * nothing here: it may be stopped. */
static const char CONFIG[] = "/etc/holdfast/agent.yaml", STATE[] = "/var/lib/holdfast";

static bool has_agents_route(struct quick *quick)
{
	struct rtnl_route_filter filter = {.ifindex = quick->journal.ifindex, .protocol = PLAN_PROTOCOL};
	CLEANUP_FREE struct rtnl_route *routes = NULL;
	size_t count;

	return rtnl_route_list(quick->rtnl, &filter, &routes, &count, NULL) >= 0 && count > 0;
}

static void choose_state(char directory[PATH_MAX])
{
	struct config *config;

	text_copy(directory, PATH_MAX, STATE);
	if (config_load(CONFIG, &config, NULL) < 0)
		return;
	text_copy(directory, PATH_MAX, config->state);
	config_free(config);
}

/* In the generation that the agent holds. */
static bool is_desired(const struct quick *quick)
{
	struct desired *desired;
	char directory[PATH_MAX];
	bool found = false;

	choose_state(directory);
	if (state_load_desired(directory, &desired, NULL) < 0)
		return false;
	for (size_t i = 0; i < desired->tunnel_count; i++)
		found |= !strcmp(desired->tunnels[i].name, quick->name);
	desired_free(desired);
	return found;
}

int quick_require_not_agents(struct quick *quick)
{
	if (!is_desired(quick) && !has_agents_route(quick))
		return 0;
	return err_set(quick->err, -EPERM,
		"`%s' is a tunnel of the fleet: holdfast-agent looks after it, as the fleet file says",
		quick->name);
}
