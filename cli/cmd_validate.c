/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/fleet.h"

static void print_count(size_t count, const char *noun, const char *after)
{
	printf("%zu %s%s%s", count, noun, count == 1 ? "" : "s", after);
}

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
	printf("%s: fleet %s is valid: ", invocation->argv[1], fleet->name);
	print_count(fleet->gateway_count, "gateway", ", ");
	print_count(fleet->endpoint_count, "virtual endpoint", ", ");
	print_count(fleet->tunnel_count, "tunnel", ", ");
	print_count(fleet->peer_count, "peer", "\n");
	fleet_free(fleet);
	fleet_files_clear(&files);
	return COMMAND_OK;
}
