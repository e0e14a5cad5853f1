/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/quick.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/write.h"
#include "node-agent/core/quick/redact.h"

/* What the one command of this process has told so far. NULL: text is asked for. */
static json_t *told;

/* ---- for people ---- */

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

static const char *command_of_hook(const char *hook)
{
	return strstr(hook, " = ") + strlen(" = ");
}

static void say(enum quick_word word, const char *text)
{
	switch (word) {
	case QUICK_NAME:
	case QUICK_FILE:
		return;
	case QUICK_STEP:
		say_steps(text);
		return;
	case QUICK_HOOK:
		say_steps(command_of_hook(text));
		return;
	case QUICK_WARNING:
		fprintf(stderr, "Warning: %s\n", text);
		return;
	case QUICK_OUTPUT:
		fputs(text, stdout);
		return;
	}
}

/* ---- as JSON: never a secret ---- */

static void note_steps(const char *steps)
{
	json_t *list = json_object_get(told, "steps");
	size_t length;

	do {
		length = strcspn(steps, "\n");
		jput_text_of(list, NULL, "%.*s", (int)length, steps);
		steps += length;
	} while (*steps++);
}

static void note_output(const char *output)
{
	CLEANUP_FREE char *open = quick_redact(output, strlen(output));

	jput_text(told, "text", open);
}

static void note(enum quick_word word, const char *text)
{
	switch (word) {
	case QUICK_NAME:
		jput_text(told, "interface", text);
		return;
	case QUICK_FILE:
		jput_text(told, "file", text);
		return;
	case QUICK_STEP:
		note_steps(text);
		return;
	case QUICK_HOOK: /* which, not what */
		jput_text_of(json_object_get(told, "steps"), NULL, "%.*s", (int)strcspn(text, " "), text);
		return;
	case QUICK_WARNING:
		jput_text(json_object_get(told, "warnings"), NULL, text);
		return;
	case QUICK_OUTPUT:
		note_output(text);
		return;
	}
}

static void say_and_note(enum quick_word word, const char *text)
{
	note(word, text);
	if (word != QUICK_OUTPUT)
		say(word, text);
}

/* What hooks and programs print goes to standard error meanwhile: it is no part of the object. NULL: *err says why. */
static FILE *take_stdout(struct err *err)
{
	int fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	if (fd >= 0 && dup2(STDERR_FILENO, STDOUT_FILENO) >= 0)
		return fdopen(fd, "w");
	err_set(err, -errno, "standard output: %s", strerror(errno));
	return NULL;
}

static void print_told(FILE *out)
{
	CLEANUP_FREE char *text = json_pretty(told, NULL);

	fprintf(out, "%s\n", text);
}

/* ---- a command ---- */

struct quick_request {
	struct quick_options options;
	bool as_json;
};

static int read_options(const struct invocation *invocation, struct quick_request *ret_request)
{
	struct quick_request request = {.options = {.run_directory = "/run/holdfast", .say = say}};
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'n')
			request.options.dry_run = true;
		else if (option == 'r')
			request.options.run_directory = optarg;
		else if (option == 'j')
			request.as_json = true;
		else
			return command_misused(invocation, NULL);
	}
	if (optind + 1 != invocation->argc)
		return command_misused(invocation, "needs an interface or a file");
	request.options.argument = invocation->argv[optind];
	*ret_request = request;
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

/* Nothing is printed of what failed, as with all other commands. */
static int run_as_json(
	struct quick_options options, int (*run)(const struct quick_options *options, struct err *err))
{
	struct err err = {0};
	FILE *out = take_stdout(&err);
	int status;

	if (!out)
		return command_fail(&err);
	options.say = say_and_note;
	told = json_object();
	jput_bool(told, "dry_run", options.dry_run);
	jput_array(told, "steps");
	jput_array(told, "warnings");
	status = run_with(&options, run);
	if (!status)
		print_told(out);
	json_decref(told);
	fclose(out);
	return status;
}

static int run_request(
	const struct quick_request *request, int (*run)(const struct quick_options *options, struct err *err))
{
	return request->as_json ? run_as_json(request->options, run) : run_with(&request->options, run);
}

/* wg-quick knows one status for all that is wrong. */
int quick_command(
	const struct invocation *invocation, int (*run)(const struct quick_options *options, struct err *err))
{
	struct quick_request request;

	return read_options(invocation, &request) ? COMMAND_FAILED : run_request(&request, run);
}

int quick_command_of_ours(
	const struct invocation *invocation, int (*run)(const struct quick_options *options, struct err *err))
{
	struct quick_request request;

	if (read_options(invocation, &request))
		return COMMAND_MISUSED;
	return run_request(&request, run) ? COMMAND_FAILED : COMMAND_OK;
}
