/* SPDX-License-Identifier: GPL-2.0-or-later */
/* holdfast: the command line that people use. */
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/complete.h"
#include "cli/manual.h"
#include "cli/status_check.h"
#include "common/base/text.h"

enum { COMMANDS_MAX = 128 };

static void print_help(FILE *out)
{
	fputs("usage: holdfast [--controller URL|unix:PATH] [--config client.yaml] COMMAND ...\n\n", out);
	for (size_t i = 0; i < command_count; i++) {
		fprintf(out, "  %-9s %s\n", commands[i].name, commands[i].summary);
		if (*commands[i].arguments)
			fprintf(out, "            %s\n", commands[i].arguments);
	}
	fputs("\n'holdfast COMMAND --help' tells of a command's options, 'man holdfast' of everything.\n"
	      "The controller is found by --controller, $HOLDFAST_CONTROLLER, "
	      "~/.config/holdfast/client.yaml,\n"
	      "/etc/holdfast/client.yaml; for root also by the socket in /run/holdfast.\n"
	      "Exit status: 0 done, 1 failed, 2 used wrongly; up, down, save and strip end as wg-quick "
	      "does.\n",
		out);
}

/* What runs `status --check` takes 2 for CRITICAL. */
static int misused(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--check"))
			return STATUS_UNKNOWN;
	return COMMAND_MISUSED;
}

static void say_unknown_command(const char *name)
{
	const char *names[COMMANDS_MAX], *nearest;
	size_t count = 0;

	for (size_t i = 0; i < command_count && i < COMMANDS_MAX; i++)
		names[count++] = commands[i].name;
	nearest = text_nearest(name, names, count);
	if (nearest)
		fprintf(stderr, "holdfast: unknown command \"%s\"; did you mean \"%s\"?\n", name, nearest);
	else
		fprintf(stderr, "holdfast: unknown command \"%s\"; 'holdfast --help' lists them\n", name);
}

/* For the build: see manual.h. */
static int print_manual(const char *page)
{
	if (page && !strcmp(page, "fleet"))
		manual_print_fleet(stdout);
	else
		manual_print(stdout);
	return COMMAND_OK;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"controller", required_argument, NULL, 'c'},
		{"config", required_argument, NULL, 'f'},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'v'},
		{0},
	};
	struct invocation invocation = {0};
	const struct command *command;
	int option;

	signal(SIGPIPE, SIG_IGN);
	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			invocation.controller = optarg;
			break;
		case 'f':
			invocation.config = optarg;
			break;
		case 'h':
			print_help(stdout);
			return COMMAND_OK;
		case 'v':
			puts("holdfast " HOLDFAST_VERSION);
			return COMMAND_OK;
		default:
			fputs("'holdfast --help' says more\n", stderr);
			return misused(argc, argv);
		}
	}
	if (optind == argc) {
		print_help(stderr);
		return misused(argc, argv);
	}
	if (!strcmp(argv[optind], COMPLETE_COMMAND))
		return complete_run(argc - optind, argv + optind);
	if (!strcmp(argv[optind], MANUAL_COMMAND))
		return print_manual(argv[optind + 1]);
	command = command_find(argv[optind]);
	if (!command) {
		say_unknown_command(argv[optind]);
		return misused(argc, argv);
	}
	invocation.argc = argc - optind;
	invocation.argv = argv + optind;
	if (command_asks_for_help(&invocation)) {
		command_help(command, stdout);
		return COMMAND_OK;
	}
	optind = 0; /* the command reads its own options from the start: getopt(3), NOTES */
	return command->run(&invocation);
}
