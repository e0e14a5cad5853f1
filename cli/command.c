/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

const struct command commands[] = {
	{"init", "[--dir DIR]", "make an authority that signs certificates", command_init},
	{"cert", "gateway|controller|operator NAME [--dir DIR] [--out DIR] [--days N]",
		"make a certificate and its key", command_cert},
	{"up", "[--dry-run] [--run DIR] INTERFACE|FILE.conf", "bring a tunnel up, as wg-quick does",
		command_up},
	{"down", "[--dry-run] [--run DIR] INTERFACE|FILE.conf", "take it down again", command_down},
	{"save", "[--dry-run] [--run DIR] INTERFACE|FILE.conf",
		"write what the tunnel has become into its file", command_save},
	{"strip", "INTERFACE|FILE.conf", "what of its file is wg's", command_strip},
	{"adopt", "[--dry-run] [--run DIR] INTERFACE|FILE.conf",
		"take over a tunnel that wg-quick brought up", command_adopt},
	{"release", "[--dry-run] [--run DIR] INTERFACE|FILE.conf", "hand a tunnel back to wg-quick",
		command_release},
	{"validate", "FILE", "check a fleet file, naming every error", command_validate},
	{"apply", "FILE [--json]", "make the gateways what a fleet file says", command_apply},
	{"status", "[--json]", "who owns what, and who could take over", command_status},
	{"move", "ENDPOINT GATEWAY", "move a virtual endpoint", command_move},
	{"drain", "GATEWAY", "empty a gateway, and keep it empty", command_drain},
	{"resume", "GATEWAY", "let a drained gateway own endpoints again", command_resume},
	{"drill", "[ENDPOINT] [--to GATEWAY] [--json]",
		"move there and back, and tell what was lost; 1 if anything was", command_drill},
	{"freeze", "", "no moves but those that people ask for", command_freeze},
	{"thaw", "", "let endpoints move by themselves again", command_thaw},
	{"events", "[--follow] [--json] [--since DURATION]", "what happened, when and why", command_events},
	{"report", "[EVENT] [--json]",
		"the timeline of a takeover or move, such as vpn@60000001.2, or the last", command_report},
	{"explain", "PEER ADDRESS [--in INTERFACE [--from ADDRESS]] [--tcp PORT|--udp PORT] [--json]",
		"the way of a packet to a peer, and the first thing that says no", command_explain},
};
const size_t command_count = ARRAY_COUNT(commands);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++)
		if (!strcmp(commands[i].name, name))
			return &commands[i];
	return NULL;
}

int command_fail(const struct err *err)
{
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];

	fprintf(stderr, "holdfast: %s\n", err_format(err, line, sizeof(line)));
	return COMMAND_FAILED;
}

int command_misused(const struct invocation *invocation, const char *problem)
{
	const struct command *command = command_find(invocation->argv[0]);

	if (problem)
		fprintf(stderr, "holdfast %s: %s\n", invocation->argv[0], problem);
	fprintf(stderr, "usage: holdfast %s%s%s\n", command->name, *command->arguments ? " " : "",
		command->arguments);
	return COMMAND_MISUSED;
}
