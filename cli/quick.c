/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/quick.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "common/base/text.h"

/* Standard error is not buffered: each call writes. */
static void say_steps(const char *steps)
{
	struct text text = {0};
	size_t length;

	do {
		length = strcspn(steps, "\n");
		text_add_bytes(&text, "[#] ", strlen("[#] "));
		text_add_bytes(&text, steps, length);
		text_add_bytes(&text, "\n", 1);
		steps += length;
	} while (*steps++);
	fputs(text.data, stderr);
	text_clear(&text);
}

static void say(enum quick_word word, const char *text)
{
	switch (word) {
	case QUICK_STEP:
		say_steps(text);
		return;
	case QUICK_WARNING:
		fprintf(stderr, "Warning: %s\n", text);
		return;
	case QUICK_OUTPUT:
		fputs(text, stdout);
		return;
	}
}

static int read_options(const struct invocation *invocation, struct quick_options *ret_options)
{
	struct quick_options quick = {.run_directory = "/run/holdfast", .say = say};
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'n')
			quick.dry_run = true;
		else if (option == 'r')
			quick.run_directory = optarg;
		else
			return command_misused(invocation, NULL);
	}
	if (optind + 1 != invocation->argc)
		return command_misused(invocation, "needs an interface or a file");
	quick.argument = invocation->argv[optind];
	*ret_options = quick;
	return COMMAND_OK;
}

static int run_with(
	const struct quick_options *options, int (*run)(const struct quick_options *options, struct err *err))
{
	struct err err = {0};
	int status = run(options, &err);

	if (status)
		command_fail(&err);
	return status;
}

/* wg-quick knows one status for all that is wrong. */
int quick_command(
	const struct invocation *invocation, int (*run)(const struct quick_options *options, struct err *err))
{
	struct quick_options options;

	return read_options(invocation, &options) ? COMMAND_FAILED : run_with(&options, run);
}

int quick_command_of_ours(
	const struct invocation *invocation, int (*run)(const struct quick_options *options, struct err *err))
{
	struct quick_options options;

	if (read_options(invocation, &options))
		return COMMAND_MISUSED;
	return run_with(&options, run) ? COMMAND_FAILED : COMMAND_OK;
}
