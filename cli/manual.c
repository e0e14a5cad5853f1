/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/manual.h"

#include <ctype.h>

#include "cli/command.h"
#include "controller/core/fleet/keys.h"

/* Text on a line of its own may not begin with a macro's '.' or '\''; a '-' of an option is one that can be copied. */
static void put(const char *text, FILE *out)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
	}
}

/* A sentence: with its capital and full stop. */
static void put_sentence(const char *text, FILE *out)
{
	char first[] = {(char)toupper((unsigned char)*text), '\0'};

	put(first, out);
	put(text + 1, out);
	fputs(".\n", out);
}

/* On the line of a macro: quoted, since some words of a usage are names of macros. */
static void put_argument(const char *text, FILE *out)
{
	fputc('"', out);
	for (; *text; text++)
		if (*text == '"')
			fputs("\"\"", out);
		else if (*text == '-')
			fputs("\\-", out);
		else
			fputc(*text, out);
	fputc('"', out);
}

static void put_option(const struct command_option *option, FILE *out)
{
	fputs(".It ", out);
	if (option->is_short)
		fprintf(out, "Fl %c , ", option->letter);
	fputs("Fl \\-", out);
	put(option->name, out);
	if (option->value)
		fprintf(out, " Ar %s", option->value);
	fputc('\n', out);
	put_sentence(option->help, out);
}

static void put_options(const struct command_option *options, FILE *out)
{
	if (!options)
		return;
	fputs(".Bl -tag -width Ds\n", out);
	for (; options->name; options++)
		put_option(options, out);
	fputs(".El\n", out);
}

void manual_print(FILE *out)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < command_count; i++) {
		fprintf(out, ".It Cm %s", commands[i].name);
		if (*commands[i].arguments) {
			fputs(" No ", out);
			put_argument(commands[i].arguments, out);
		}
		fputc('\n', out);
		put_sentence(commands[i].summary, out);
		put_options(commands[i].options, out);
	}
	fputs(".El\n", out);
}

void manual_print_fleet(FILE *out)
{
	fputs(".Bl -tag -width Ds\n", out);
	for (size_t i = 0; i < FLEET_MAPPINGS; i++) {
		fputs(".It Li ", out);
		put_argument(*fleet_keys[i].where ? fleet_keys[i].where : "(the file itself)", out);
		fputc('\n', out);
		for (const char *const *key = fleet_keys[i].known; *key; key++) {
			fputs(".Li ", out);
			put_argument(*key, out);
			fputs(key[1] ? " ,\n" : "\n", out);
		}
	}
	fputs(".El\n", out);
}
