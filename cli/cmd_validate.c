/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

#include "cli/command.h"
#include "cli/fleet.h"
#include "common/json/write.h"

static void print_count(size_t count, const char *noun, const char *after)
{
	printf("%zu %s%s%s", count, noun, count == 1 ? "" : "s", after);
}

static void print(const char *file, const struct fleet *fleet)
{
	printf("%s: fleet %s is valid: ", file, fleet->name);
	print_count(fleet->gateway_count, "gateway", ", ");
	print_count(fleet->endpoint_count, "virtual endpoint", ", ");
	print_count(fleet->tunnel_count, "tunnel", ", ");
	print_count(fleet->peer_count, "peer", "\n");
}

static int validate(const char *file)
{
	struct fleet_files files;
	struct fleet *fleet;
	struct err err;
	int r = fleet_check(file, &files, &fleet, &err);

	if (r == -EINVAL)
		return COMMAND_FAILED;
	if (r < 0)
		return command_fail(&err);
	print(file, fleet);
	fleet_free(fleet);
	fleet_files_clear(&files);
	return COMMAND_OK;
}

static void put_counts(json_t *json, const struct fleet *fleet)
{
	jput_text(json, "fleet", fleet->name);
	jput_u64(json, "gateways", fleet->gateway_count);
	jput_u64(json, "virtual_endpoints", fleet->endpoint_count);
	jput_u64(json, "tunnels", fleet->tunnel_count);
	jput_u64(json, "peers", fleet->peer_count);
}

/* What is wrong with it is the answer, and goes to where the answer goes; only what kept us from reading does not. */
static int validate_as_json(const char *file)
{
	struct diagnostics diagnostics;
	struct fleet_files files;
	struct fleet *fleet = NULL;
	struct err err;
	json_t *json;
	int r = fleet_examine(file, &files, &fleet, &diagnostics, &err);

	if (r < 0 && r != -EINVAL) {
		diagnostics_clear(&diagnostics);
		return command_fail(&err);
	}
	json = json_object();
	jput_text(json, "file", file);
	fleet_put_diagnostics(json, &diagnostics);
	if (!r)
		put_counts(json, fleet);
	command_print_json(json);
	json_decref(json);
	diagnostics_clear(&diagnostics);
	if (r < 0)
		return COMMAND_FAILED;
	fleet_free(fleet);
	fleet_files_clear(&files);
	return COMMAND_OK;
}

int command_validate(const struct invocation *invocation)
{
	bool as_json;
	int wrong = command_read_json(invocation, &as_json);

	if (wrong != COMMAND_OK)
		return wrong;
	if (invocation->argc - optind != 1)
		return command_misused(invocation, "needs one fleet file");
	return as_json ? validate_as_json(invocation->argv[optind]) : validate(invocation->argv[optind]);
}
