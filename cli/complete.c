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
	if (!strcmp(kind, "@file") || !strcmp(kind, "@another-file"))
		puts(kind);
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
		if (!strcmp(kind, "@file...")) {
			offer_kind(completion, "@another-file");
			return;
		}
		if (!number--) {
			offer_kind(completion, kind);
			return;
		}
	}
}

/* ---- the line ---- */

/* "-" is a file or a token, from standard input. */
static bool is_option(const char *word)
{
	return word[0] == '-' && word[1];
}

/* As getopt_long(3) does: the name may be cut short where only one begins so, and its value may be behind '='. */
static const struct command_option *find_long(const struct command_option *options, const char *name)
{
	size_t length = strcspn(name, "="), candidates = 0;
	const struct command_option *found = NULL;

	for (; options && options->name; options++) {
		if (strncmp(name, options->name, length))
			continue;
		if (!options->name[length])
			return options;
		found = options;
		candidates++;
	}
	return length && candidates == 1 ? found : NULL;
}

static const struct command_option *find_option(const struct command_option *options, const char *word)
{
	if (!strncmp(word, "--", 2))
		return find_long(options, word + 2);
	for (; options && options->name; options++)
		if (options->is_short && word[1] == options->letter && !word[2])
			return options;
	return NULL;
}

/* NULL: it has none, or the next word is it. */
static const char *value_of(const char *word)
{
	const char *equals = strchr(word, '=');

	return !strncmp(word, "--", 2) && equals ? equals + 1 : NULL;
}

/* What stands between a command, or the program, and the last word. */
struct line {
	const struct command_option *wants; /* the last word is its value; NULL: none */
	int count;                          /* of words that were read */
	size_t operands;                    /* among them */
	bool no_options;                    /* a "--" was there */
};

/* A global option's value says whom to ask. */
static void take_value(struct completion *completion, const struct command_option *option, const char *value)
{
	if (!strcmp(option->name, "controller"))
		completion->invocation.controller = value;
	else if (!strcmp(option->name, "config"))
		completion->invocation.config = value;
}

static struct line read_line(struct completion *completion, const struct command_option *options,
	bool ends_with_operand, int count, char **words)
{
	struct line line = {0};

	for (; line.count < count; line.count++) {
		const char *word = words[line.count];
		const struct command_option *option;

		if (line.no_options || !is_option(word)) {
			if (ends_with_operand)
				break;
			line.operands++;
			continue;
		}
		if (!strcmp(word, "--")) {
			line.no_options = true;
			continue;
		}
		option = find_option(options, word);
		if (!option || !option->value)
			continue;
		if (!value_of(word) && line.count + 1 == count)
			line.wants = option;
		else if (ends_with_operand)
			take_value(
				completion, option, value_of(word) ? value_of(word) : words[line.count + 1]);
		if (!value_of(word))
			line.count++;
	}
	return line;
}

/* The last word as an option, or the value of one. False: it is neither. */
static bool offer_as_option(
	struct completion *completion, const struct line *line, const struct command_option *options)
{
	const struct command_option *option;

	if (line->wants) {
		offer_kind(completion, line->wants->words);
		return true;
	}
	if (line->no_options || completion->word[0] != '-')
		return false;
	if (value_of(completion->word)) {
		option = find_option(options, completion->word);
		completion->word = value_of(completion->word);
		offer_kind(completion, option && option->value ? option->words : NULL);
		return true;
	}
	offer_options(completion, options);
	if (options != command_global_options)
		offer(completion, "--help");
	return true;
}

/* argv[0] is its name; the last word is what is there of the next. */
static void complete_command(
	struct completion *completion, const struct command *command, int argc, char **argv)
{
	struct line line = read_line(completion, command->options, false, argc - 2, argv + 1);

	if (!offer_as_option(completion, &line, command->options))
		offer_operand(completion, command->operands, line.operands);
}

static void offer_commands(const struct completion *completion)
{
	for (size_t i = 0; i < command_count; i++)
		offer(completion, commands[i].name);
}

int complete_run(int argc, char **argv)
{
	struct completion completion = {.word = argc > 1 ? argv[argc - 1] : ""};
	int before = argc > 1 ? argc - 2 : 0;
	struct line line = read_line(&completion, command_global_options, true, before, argv + 1);
	const struct command *command;

	if (line.count < before) {
		command = command_find(argv[1 + line.count]);
		if (command)
			complete_command(&completion, command, argc - 1 - line.count, argv + 1 + line.count);
	} else if (!offer_as_option(&completion, &line, command_global_options)) {
		offer_commands(&completion);
	}
	return COMMAND_OK;
}
