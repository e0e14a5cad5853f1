/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/command.h"
#include "common/authority/authority.h"
#include "common/io/file.h"
#include "common/json/write.h"

/* An authority outlives the machines it vouches for. */
enum { AUTHORITY_DAYS = 3650 };

static void print_json(const char *directory)
{
	json_t *json = json_object();

	jput_text_of(json, "authority", "%s/ca.pem", directory);
	jput_text_of(json, "key", "%s/ca.key", directory);
	jput_i64(json, "days", AUTHORITY_DAYS);
	command_print_json(json);
	json_decref(json);
}

static void print(const char *directory)
{
	printf("%s/ca.pem: the authority; every gateway, controller and operator needs a copy\n", directory);
	printf("%s/ca.key: its key; whoever has it can be anybody: keep it off line, or let the controller "
	       "sign "
	       "with it (authority: in controller.yaml)\n",
		directory);
}

int command_init(const struct invocation *invocation)
{
	const char *directory = "/etc/holdfast";
	bool as_json = false;
	struct err err;
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'd')
			directory = optarg;
		else if (option == 'j')
			as_json = true;
		else
			return command_misused(invocation, NULL);
	}
	if (optind != invocation->argc)
		return command_misused(invocation, "takes no arguments");
	if (file_make_directories(directory, 0755, &err) < 0 ||
		authority_create(directory, AUTHORITY_DAYS, &err) < 0)
		return command_fail(&err);
	if (as_json)
		print_json(directory);
	else
		print(directory);
	return COMMAND_OK;
}
