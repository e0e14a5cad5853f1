/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/complete.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "cli/controller.h"
#include "common/base/text.h"

enum {
	ASK_TIMEOUT_MS = 1000, /* nobody waits longer for a Tab */
	KIND_MAX = 256,        /* characters of one word of struct command's operands */
};

#define CONF_DIRECTORY "/etc/wireguard"
#define CONF_END ".conf"

struct completion {
	const char *word; /* what is there of it */
	struct invocation invocation;
};

static void offer(const struct completion *completion, const char *candidate)
{
	if (!strncmp(candidate, completion->word, strlen(completion->word)))
		puts(candidate);
}

static void offer_options(const struct completion *completion, const struct command_option *options)
{
	char text[64];

	for (; options && options->name; options++) {
		snprintf(text, sizeof(text), "--%s", options->name);
		offer(completion, text);
	}
}

/* ---- values ---- */

static void offer_names(const struct completion *completion, const char *list)
{
	struct controller controller;
	json_t *status = NULL, *item;
	struct err err;
	size_t i;

	if (controller_find(&completion->invocation, &controller, &err) < 0 ||
		controller_call(&controller, "GET", "/v1/status", NULL, ASK_TIMEOUT_MS, &status, &err) < 0)
		return;
	json_array_foreach(json_object_get(status, list), i, item)
	{
		const char *name = json_string_value(json_object_get(item, "name"));

		if (name)
			offer(completion, name);
	}
	json_decref(status);
}

/* What wg-quick would find by name; or any file. */
static void offer_interfaces(const struct completion *completion)
{
	DIR *directory = opendir(CONF_DIRECTORY);
	const struct dirent *entry;

	while (directory && (entry = readdir(directory))) {
		size_t length = strlen(entry->d_name), end = strlen(CONF_END);
		char name[sizeof(entry->d_name)];

		if (length <= end || strcmp(entry->d_name + length - end, CONF_END))
			continue;
		text_copy(name, sizeof(name), entry->d_name);
		name[length - end] = '\0';
		offer(completion, name);
	}
	if (directory)
		closedir(directory);
	puts("@file");
}

static void offer_words(const struct completion *completion, char *words)
{
	char *rest = NULL;

	for (char *word = strtok_r(words, "|", &rest); word; word = strtok_r(NULL, "|", &rest))
		offer(completion, word);
}

/* One word of `operands`, or an option's `words`; NULL: nothing is known. */
static void offer_kind(const struct completion *completion, const char *kind)
{
	char words[KIND_MAX];

	if (!kind || !strcmp(kind, "@nothing"))
		return;
	if (!strcmp(kind, "@file"))
		puts("@file");
	else if (!strcmp(kind, "@interface"))
		offer_interfaces(completion);
	else if (!strcmp(kind, "@gateway"))
		offer_names(completion, "gateways");
	else if (!strcmp(kind, "@endpoint"))
		offer_names(completion, "endpoints");
	else if (text_copy(words, sizeof(words), kind))
		offer_words(completion, words);
}

/* The kind of the operand with that number, from 0. */
static void offer_operand(const struct completion *completion, const char *operands, size_t number)
{
	char copy[KIND_MAX], *rest = NULL, *kind;

	if (!operands || !text_copy(copy, sizeof(copy), operands))
		return;
	kind = strtok_r(copy, " ", &rest);
	for (; kind; kind = strtok_r(NULL, " ", &rest)) {
		size_t length = strlen(kind);
		bool repeats = length > 3 && !strcmp(kind + length - 3, "...");

		if (repeats)
			kind[length - 3] = '\0';
		if (repeats || !number--) {
			offer_kind(completion, kind);
			return;
		}
	}
}

/* ---- the line ---- */

static const struct command_option *find_option(const struct command_option *options, const char *word)
{
	for (; options && options->name; options++) {
		if (!strncmp(word, "--", 2) && !strcmp(word + 2, options->name))
			return options;
		if (options->is_short && word[0] == '-' && word[1] == options->letter && !word[2])
			return options;
	}
	return NULL;
}

static void complete_command(
	const struct completion *completion, const struct command *command, int argc, char **argv)
{
	const struct command_option *option;
	size_t operands = 0;

	for (int i = 1; i < argc - 1; i++) {
		option = argv[i][0] == '-' ? find_option(command->options, argv[i]) : NULL;
		if (option && option->value && i == argc - 2) {
			offer_kind(completion, option->words);
			return;
		}
		if (option && option->value)
			i++;
		else if (argv[i][0] != '-')
			operands++;
	}
	if (completion->word[0] == '-') {
		offer_options(completion, command->options);
		offer(completion, "--help");
		return;
	}
	offer_operand(completion, command->operands, operands);
}

static void offer_commands(const struct completion *completion)
{
	if (completion->word[0] == '-')
		offer_options(completion, command_global_options);
	for (size_t i = 0; i < command_count && completion->word[0] != '-'; i++)
		offer(completion, commands[i].name);
}

/* What stands before the command counts: it says whom to ask. */
static void take_global(struct completion *completion, const struct command_option *option, const char *value)
{
	if (!strcmp(option->name, "controller"))
		completion->invocation.controller = value;
	else if (!strcmp(option->name, "config"))
		completion->invocation.config = value;
}

int complete_run(int argc, char **argv)
{
	struct completion completion = {.word = argc > 1 ? argv[argc - 1] : ""};
	const struct command_option *option;
	const struct command *command;
	int i;

	for (i = 1; i < argc - 1 && argv[i][0] == '-'; i++) {
		option = find_option(command_global_options, argv[i]);
		if (!option || !option->value)
			continue;
		if (i + 1 == argc - 1) {
			offer_kind(&completion, option->words);
			return COMMAND_OK;
		}
		take_global(&completion, option, argv[++i]);
	}
	command = i < argc - 1 ? command_find(argv[i]) : NULL;
	if (command)
		complete_command(&completion, command, argc - i, argv + i);
	else if (i >= argc - 1)
		offer_commands(&completion);
	return COMMAND_OK;
}
