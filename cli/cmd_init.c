/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdio.h>

#include "cli/command.h"
#include "common/authority/authority.h"
#include "common/io/file.h"

/* An authority outlives the machines it vouches for. */
enum { AUTHORITY_DAYS = 3650 };

int command_init(const struct invocation *invocation)
{
	const char *directory = "/etc/holdfast";
	struct err err;
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option != 'd')
			return command_misused(invocation, NULL);
		directory = optarg;
	}
	if (optind != invocation->argc)
		return command_misused(invocation, "takes no arguments");
	if (file_make_directories(directory, 0755, &err) < 0 ||
		authority_create(directory, AUTHORITY_DAYS, &err) < 0)
		return command_fail(&err);
	printf("%s/ca.pem: the authority; every gateway, controller and operator needs a copy\n", directory);
	printf("%s/ca.key: its key; whoever has it can be anybody: keep it off line, or let the controller sign "
	       "with it (authority: in controller.yaml)\n",
		directory);
	return COMMAND_OK;
}
