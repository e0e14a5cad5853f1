/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "cli/controller.h"
#include "cli/table.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/write.h"

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

static void print_head(const json_t *report, const json_t *first)
{
	int64_t wall_ms = number_of(first, "time_ms");
	time_t seconds = (time_t)(wall_ms / 1000);
	char when[32];
	struct tm local;

	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &local));
	printf("%s, since %s.%03d\n\n", text_of(report, "event"), when, (int)(wall_ms % 1000));
}

static void add_row(struct table *table, const json_t *row)
{
	table_add(table, "%+.1f ms", (double)number_of(row, "after_us") / 1000);
	table_add(table, "%.1f", (double)number_of(row, "uncertain_us") / 1000);
	table_add(table, "%s", text_of(row, "who"));
	table_add(table, "%s", text_of(row, "text"));
}

static void print_report(const json_t *report)
{
	static const char *const heading[] = {"WHEN", "+/- MS", "WHO", "WHAT"};
	const json_t *rows = json_object_get(report, "timeline"), *row;
	struct table table;
	size_t i;

	print_head(report, json_array_get(rows, 0));
	table_init(&table, ARRAY_COUNT(heading));
	for (i = 0; i < ARRAY_COUNT(heading); i++)
		table_add(&table, "%s", heading[i]);
	json_array_foreach(rows, i, row) add_row(&table, row);
	table_print(&table, stdout);
	table_clear(&table);
}

static int fetch_report(
	const struct controller *controller, const char *event, json_t **ret_report, struct err *err)
{
	char path[256];

	for (const char *c = event; *c; c++)
		if (!strchr("@._-", *c) && !text_is_name((char[]){*c, '\0'}, 1))
			return err_set(err, -EINVAL,
				"an event is ENDPOINT@EPOCH, such as vpn@60000001.2, not \"%s\"", event);
	if (snprintf(path, sizeof(path), "/v1/report?event=%s", event) >= (int)sizeof(path))
		return err_set(err, -EINVAL, "an event is ENDPOINT@EPOCH, and not so long");
	return controller_call(controller, "GET", path, NULL, 0, ret_report, err);
}

int command_report(const struct invocation *invocation)
{
	struct controller controller;
	bool as_json = false;
	json_t *report = NULL;
	struct err err;
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option != 'j')
			return command_misused(invocation, NULL);
		as_json = true;
	}
	if (optind + 1 < invocation->argc)
		return command_misused(invocation, "takes one event at most");
	if (controller_find(invocation, &controller, &err) < 0 ||
		fetch_report(&controller, optind < invocation->argc ? invocation->argv[optind] : "", &report,
			&err) < 0)
		return command_fail(&err);
	if (as_json) {
		CLEANUP_FREE char *text = json_pretty(report, NULL);

		puts(text);
	} else {
		print_report(report);
	}
	json_decref(report);
	return COMMAND_OK;
}
