/* SPDX-License-Identifier: GPL-2.0-or-later */
/* history: the generations; the files of one; with --audit, who asked for what. */
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/command.h"
#include "cli/controller.h"
#include "cli/generation_files.h"
#include "cli/table.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/write.h"

enum { PAGE = 1000, FILES_TIMEOUT_MS = 60000 };

struct history_request {
	bool audit, as_json;
	uint64_t number; /* of one generation; 0: of all */
	const char *out; /* the directory that its files go to; NULL: they are only listed */
};

static const char *text_of(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}

static int64_t number_of(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

/* All pages of a list: appended. */
static int take_all(const struct controller *controller, const char *path, const char *name, json_t *list,
	struct err *err)
{
	int64_t after = 0;
	size_t count;

	do {
		char page[128];
		json_t *answer = NULL;
		int r;

		snprintf(page, sizeof(page), "%s?after=%" PRId64 "&limit=%d", path, after, PAGE);
		r = controller_call(controller, "GET", page, NULL, 0, &answer, err);
		if (r < 0)
			return r;
		count = json_array_size(json_object_get(answer, name));
		json_array_extend(list, json_object_get(answer, name));
		after = number_of(answer, "next");
		json_decref(answer);
	} while (count == PAGE);
	return 0;
}

static void add_time(struct table *table, int64_t wall_ms)
{
	time_t seconds = (time_t)(wall_ms / 1000);
	char when[32];
	struct tm local;

	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &local));
	table_add(table, "%s", when);
}

static void add_generation(struct table *table, const json_t *generation)
{
	const json_t *peers = json_object_get(generation, "peers");

	table_add(table, "%" PRId64, number_of(generation, "generation"));
	add_time(table, number_of(generation, "applied_ms"));
	table_add(table, "%s", text_of(generation, "applied_by"));
	table_add(table, "+%" PRId64 " ~%" PRId64 " -%" PRId64, number_of(peers, "added"),
		number_of(peers, "changed"), number_of(peers, "removed"));
	table_add(table, "%" PRId64, number_of(generation, "other"));
	table_add(table, "%s", text_of(generation, "what"));
}

/* "done", or what became of it. */
static void add_outcome(struct table *table, const json_t *row)
{
	int64_t status = number_of(row, "status");
	bool done = status >= 200 && status < 300;

	if (done)
		table_add(table, "done");
	else if (*text_of(row, "detail"))
		table_add(table, "%s%s", status ? "refused: " : "", text_of(row, "detail"));
	else
		table_add(table, "refused (%" PRId64 ")", status);
}

static void add_row(struct table *table, const json_t *row)
{
	add_time(table, number_of(row, "time_ms"));
	table_add(table, "%s", text_of(row, "who"));
	table_add(table, "%s%s%s", text_of(row, "what"), *text_of(row, "target") ? " " : "",
		text_of(row, "target"));
	table_add(table, "%" PRId64, number_of(row, "generation"));
	add_outcome(table, row);
}

static void print_list(const json_t *list, const char *const heading[], size_t columns,
	void (*add)(struct table *table, const json_t *item))
{
	struct table table;
	size_t i;
	json_t *item;

	table_init(&table, columns);
	for (i = 0; i < columns; i++)
		table_add(&table, "%s", heading[i]);
	json_array_foreach(list, i, item) add(&table, item);
	table_print(&table, stdout);
	table_clear(&table);
}

static void print_human(const json_t *list, bool audit)
{
	static const char *const generations[] = {"GENERATION", "WHEN", "WHO", "PEERS", "OTHER", "WHAT"},
				 *const rows[] = {"WHEN", "WHO", "WHAT", "GENERATION", "OUTCOME"};

	if (audit)
		print_list(list, rows, ARRAY_COUNT(rows), add_row);
	else
		print_list(list, generations, ARRAY_COUNT(generations), add_generation);
}

static int list_all(const struct invocation *invocation, bool audit, bool as_json)
{
	const char *name = audit ? "audit" : "generations";
	json_t *root = json_object(), *list = jput_array(root, name);
	struct controller controller;
	int status = COMMAND_OK;
	struct err err;

	if (controller_find(invocation, &controller, &err) < 0 ||
		take_all(&controller, audit ? "/v1/audit" : "/v1/history", name, list, &err) < 0) {
		status = command_fail(&err);
	} else if (as_json) {
		CLEANUP_FREE char *text = json_pretty(root, NULL);

		puts(text);
	} else {
		print_human(list, audit);
	}
	json_decref(root);
	return status;
}

static void tell_written(const struct history_request *request, json_t *paths)
{
	const char *first = json_string_value(json_array_get(paths, 0));
	size_t others = json_array_size(paths) - 1;

	if (request->as_json) {
		json_t *json = json_object();

		jput_u64(json, "generation", request->number);
		json_object_set(json, "files", paths);
		command_print_json(json);
		json_decref(json);
		return;
	}
	printf("%s: written", first);
	if (others)
		printf(", and %zu file%s that it includes", others, others == 1 ? "" : "s");
	printf("; 'holdfast plan %s' compares it with what is in force\n", first);
}

static int write_files(const struct history_request *request, const json_t *answer, struct err *err)
{
	json_t *paths = NULL;
	int r = generation_files_write(answer, request->out, &paths, err);

	if (r < 0)
		return r;
	tell_written(request, paths);
	json_decref(paths);
	return 0;
}

static int show_one(const struct invocation *invocation, const struct history_request *request)
{
	struct controller controller;
	json_t *answer = NULL;
	char path[64];
	struct err err;
	int r = controller_find(invocation, &controller, &err);

	snprintf(path, sizeof(path), "/v1/history/%" PRIu64, request->number);
	if (r >= 0)
		r = controller_call(&controller, "GET", path, NULL, FILES_TIMEOUT_MS, &answer, &err);
	if (r < 0)
		return command_fail(&err);
	if (request->out)
		r = write_files(request, answer, &err);
	else if (request->as_json)
		command_print_json(answer);
	else
		generation_files_print(answer);
	json_decref(answer);
	return r < 0 ? command_fail(&err) : COMMAND_OK;
}

static bool read_options(const struct invocation *invocation, struct history_request *request)
{
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'j')
			request->as_json = true;
		else if (option == 'a')
			request->audit = true;
		else if (option == 'o')
			request->out = optarg;
		else
			return false;
	}
	return true;
}

int command_history(const struct invocation *invocation)
{
	struct history_request request = {0};
	int operands;

	if (!read_options(invocation, &request))
		return command_misused(invocation, NULL);
	operands = invocation->argc - optind;
	if (operands > 1 || (operands == 1 && (request.audit || text_to_u64(invocation->argv[optind], 1,
									INT64_MAX, &request.number) < 0)))
		return command_misused(
			invocation, "takes the number of one generation, or none; with --audit none");
	if (request.out && !request.number)
		return command_misused(invocation, "--out needs the number of a generation");
	return request.number ? show_one(invocation, &request)
			      : list_all(invocation, request.audit, request.as_json);
}
