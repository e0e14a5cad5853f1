/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cli/command.h"
#include "cli/controller.h"
#include "cli/screen.h"
#include "cli/status_check.h"
#include "cli/status_text.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/write.h"

enum {
	WATCH_EVERY_MS = 1000,
	WATCH_TIMEOUT_MS = 3000, /* so long the last picture stays while nobody answers */
	CHECK_TIMEOUT_MS = 8000, /* below the 10 s after which monitoring systems give a plugin up */
};

enum status_form { FORM_TEXT, FORM_JSON, FORM_WATCH, FORM_CHECK };

static int ask(const struct invocation *invocation, unsigned timeout_ms, json_t **ret_status, struct err *err)
{
	struct controller controller;
	int r = controller_find(invocation, &controller, err);

	return r < 0 ? r
		     : controller_call(&controller, "GET", "/v1/status", NULL, timeout_ms, ret_status, err);
}

/* ---- a picture that is drawn again ---- */

static void add_time(FILE *out)
{
	time_t now = time(NULL);
	struct tm local;
	char text[32];

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&now, &local));
	fprintf(out, "%s  ", text);
}

/* The caller frees. */
static char *picture(const struct invocation *invocation)
{
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX + 32], *text = NULL;
	json_t *status = NULL;
	struct err err;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		abort(); /* out of memory */
	add_time(out);
	if (ask(invocation, WATCH_TIMEOUT_MS, &status, &err) < 0)
		fprintf(out, "%s\n", err_format(&err, line, sizeof(line)));
	else
		status_print(status, out);
	json_decref(status);
	fclose(out);
	return text;
}

static int watch(const struct invocation *invocation)
{
	struct screen screen;

	if (screen_open(&screen) < 0)
		return command_misused(invocation, "--watch needs a terminal; without one, 'holdfast events "
						   "--follow' tells what changes");
	do {
		CLEANUP_FREE char *text = picture(invocation);

		screen_draw(text);
	} while (screen_wait(WATCH_EVERY_MS));
	screen_close(&screen);
	return COMMAND_OK;
}

/* ---- a plugin ---- */

static int check(const struct invocation *invocation)
{
	char why[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];
	enum status_level level = STATUS_UNKNOWN;
	struct text line = {0};
	json_t *status = NULL;
	struct err err;

	if (ask(invocation, CHECK_TIMEOUT_MS, &status, &err) < 0)
		status_check_unknown(err_format(&err, why, sizeof(why)), &line);
	else
		level = status_check(status, &line);
	puts(line.data);
	text_clear(&line);
	json_decref(status);
	return (int)level;
}

/* ---- once ---- */

static int print_once(const struct invocation *invocation, bool as_json)
{
	json_t *status = NULL;
	struct err err;

	if (ask(invocation, 0, &status, &err) < 0)
		return command_fail(&err);
	if (as_json) {
		CLEANUP_FREE char *text = json_pretty(status, NULL);

		puts(text);
	} else {
		status_print(status, stdout);
	}
	json_decref(status);
	return COMMAND_OK;
}

/* Whatever is wrong, it is read to its end: a --check that comes later decides how this ends. */
static int read_options(const struct invocation *invocation, enum status_form *ret_form, bool *ret_checks)
{
	const char *problem = NULL;
	bool unknown = false;
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		enum status_form form = option == 'j' ? FORM_JSON : option == 'w' ? FORM_WATCH : FORM_CHECK;

		if (option == '?') {
			unknown = true;
			continue;
		}
		if (*ret_form != FORM_TEXT && *ret_form != form)
			problem = "--json, --watch and --check exclude each other";
		*ret_form = form;
		*ret_checks |= form == FORM_CHECK;
	}
	if (!problem && optind != invocation->argc)
		problem = "takes no arguments";
	return unknown || problem ? command_misused(invocation, problem) : COMMAND_OK;
}

int command_status(const struct invocation *invocation)
{
	enum status_form form = FORM_TEXT;
	bool checks = false;
	int wrong = read_options(invocation, &form, &checks);

	if (wrong != COMMAND_OK)
		return checks ? (int)STATUS_UNKNOWN : wrong; /* 2 would be CRITICAL */
	switch (form) {
	case FORM_WATCH:
		return watch(invocation);
	case FORM_CHECK:
		return check(invocation);
	default:
		return print_once(invocation, form == FORM_JSON);
	}
}
