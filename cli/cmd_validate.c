/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/fleet.h"

int command_validate(const struct invocation *invocation)
{
	struct fleet_files files;
	struct fleet *fleet;
	struct err err;
	int r;

	if (invocation->argc != 2)
		return command_misused(invocation, "needs one fleet file");
	r = fleet_check(invocation->argv[1], &files, &fleet, &err);
	if (r == -EINVAL)
		return COMMAND_FAILED;
	if (r < 0)
		return command_fail(&err);
	printf("%s: fleet %s is valid: %zu gateways, %zu virtual endpoints, %zu tunnels, %zu peers\n",
		invocation->argv[1], fleet->name, fleet->gateway_count, fleet->endpoint_count,
		fleet->tunnel_count, fleet->peer_count);
	fleet_free(fleet);
	fleet_files_clear(&files);
	return COMMAND_OK;
}
