/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <getopt.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <time.h>

#include "cli/command.h"
#include "cli/controller.h"
#include "common/base/duration.h"
#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/json/write.h"

enum {
	FOLLOW_WAIT_S = 30,
	FOLLOW_TIMEOUT_MS = (FOLLOW_WAIT_S + 10) * 1000,
	FOLLOW_LEAST_MS = 1000, /* between two questions that brought nothing */
	PAGE_EVENTS = 1000,
};

struct events_request {
	bool follow, as_json;
	int64_t since_wall_ms; /* older ones are not shown */
};

static void print_event(const struct events_request *request, const json_t *event)
{
	int64_t wall_ms = json_integer_value(json_object_get(event, "time_ms"));
	time_t seconds = (time_t)(wall_ms / 1000);
	char when[32];
	struct tm local;

	if (wall_ms < request->since_wall_ms)
		return;
	if (request->as_json) {
		CLEANUP_FREE char *line = json_compact(event, NULL);

		puts(line);
		return;
	}
	strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", localtime_r(&seconds, &local));
	printf("%s.%03d  %-12s  %s", when, (int)(wall_ms % 1000),
		json_string_value(json_object_get(event, "event")),
		json_string_value(json_object_get(event, "text")));
	if (json_object_get(event, "id")) /* for holdfast report */
		printf("  [%s]", json_string_value(json_object_get(event, "id")));
	putchar('\n');
}

/* Prints one page; *after moves on. Returns how many there were, or -errno. */
static int64_t print_page(const struct controller *controller, const struct events_request *request,
	int64_t *after, unsigned wait_s, struct err *err)
{
	char path[128];
	json_t *answer = NULL, *event;
	size_t i, count;
	int r;

	snprintf(path, sizeof(path), "/v1/events?after=%" PRId64 "&wait=%u", *after, wait_s);
	r = controller_call(controller, "GET", path, NULL, FOLLOW_TIMEOUT_MS, &answer, err);
	if (r < 0)
		return r;
	json_array_foreach(json_object_get(answer, "events"), i, event) print_event(request, event);
	count = json_array_size(json_object_get(answer, "events"));
	*after = json_integer_value(json_object_get(answer, "next"));
	json_decref(answer);
	fflush(stdout);
	return (int64_t)count;
}

/* A controller holds the question until there is something; an agent does not, and has better things to do than to
 * answer all the time. */
static int64_t print_next_page(const struct controller *controller, const struct events_request *request,
	int64_t *after, struct err *err)
{
	int64_t began_ms = clock_now_ms(), count, rest_ms;

	count = print_page(controller, request, after, FOLLOW_WAIT_S, err);
	rest_ms = began_ms + FOLLOW_LEAST_MS - clock_now_ms();
	if (count == 0 && rest_ms > 0)
		(void)poll(NULL, 0, (int)rest_ms);
	return count;
}

static int print_events(
	const struct controller *controller, const struct events_request *request, struct err *err)
{
	int64_t after = 0, count;

	do
		count = print_page(controller, request, &after, 0, err);
	while (count == PAGE_EVENTS);
	while (count >= 0 && request->follow && !ferror(stdout))
		count = print_next_page(controller, request, &after, err);
	return count < 0 ? (int)count : 0;
}

static int read_options(const struct invocation *invocation, struct events_request *request)
{
	struct err err;
	int64_t ago_ms;
	int option;

	while ((option = command_next_option(invocation)) != -1) {
		if (option == 'f')
			request->follow = true;
		else if (option == 'j')
			request->as_json = true;
		else if (option != 's')
			return command_misused(invocation, NULL);
		else if (duration_parse(optarg, &ago_ms, &err) < 0)
			return command_misused(invocation, err.text);
		else
			request->since_wall_ms = clock_wall_ms() - ago_ms;
	}
	if (optind != invocation->argc)
		return command_misused(invocation, "takes no arguments");
	return COMMAND_OK;
}

int command_events(const struct invocation *invocation)
{
	struct events_request request = {0};
	struct controller controller;
	struct err err;
	int wrong = read_options(invocation, &request);

	if (wrong != COMMAND_OK)
		return wrong;
	if (controller_find(invocation, &controller, &err) < 0 ||
		print_events(&controller, &request, &err) < 0)
		return command_fail(&err);
	return COMMAND_OK;
}
