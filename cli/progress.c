/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/progress.h"

#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/io/worker.h"

enum { LOOK_EVERY_MS = 500, LINE_MAX_BYTES = 160 };

/* The call itself is made in a thread. */
struct call {
	const struct controller *controller;
	int64_t generation;
	const char *method, *path;
	const json_t *body;
	unsigned timeout_ms;
	json_t **ret_json;
	struct err *err;
	int r;
};

static void make_call(void *job)
{
	struct call *call = job;

	call->r = controller_call_at(call->controller, call->generation, call->method, call->path, call->body,
		call->timeout_ms, call->ret_json, call->err);
}

/* "": nothing is under way. */
static void describe(const json_t *apply, char line[LINE_MAX_BYTES])
{
	const char *phase = json_string_value(json_object_get(apply, "phase"));
	int64_t gateways = json_integer_value(json_object_get(apply, "gateways"));

	line[0] = '\0';
	if (!phase)
		return;
	if (gateways)
		snprintf(line, LINE_MAX_BYTES,
			"generation %" PRId64 ": %s, %" PRId64 " of %" PRId64 " gateways",
			(int64_t)json_integer_value(json_object_get(apply, "generation")), phase,
			(int64_t)json_integer_value(json_object_get(apply, "ready")), gateways);
	else
		snprintf(line, LINE_MAX_BYTES, "generation %" PRId64 ": %s",
			(int64_t)json_integer_value(json_object_get(apply, "generation")), phase);
}

/* That the status cannot be had is no reason to say anything: the call itself will. */
static void tell(const struct controller *controller, char last[LINE_MAX_BYTES])
{
	char line[LINE_MAX_BYTES];
	json_t *status = NULL;
	struct err err;

	if (controller_call(controller, "GET", "/v1/status", NULL, 0, &status, &err) < 0)
		return;
	describe(json_object_get(status, "apply"), line);
	json_decref(status);
	if (!*line || !strcmp(line, last))
		return;
	fprintf(stderr, "%s\n", line);
	(void)text_copy(last, LINE_MAX_BYTES, line);
}

static void wait_for(struct worker *worker, const struct controller *controller)
{
	struct pollfd done = {.fd = worker_fd(worker), .events = POLLIN};
	char last[LINE_MAX_BYTES] = "";

	while (poll(&done, 1, LOOK_EVERY_MS) == 0)
		tell(controller, last);
}

int progress_call(const struct controller *controller, int64_t generation, const char *method,
	const char *path, const json_t *body, unsigned timeout_ms, json_t **ret_json, struct err *err)
{
	struct call call = {controller, generation, method, path, body, timeout_ms, ret_json, err, 0};
	struct worker *worker;
	int r;

	if (!isatty(STDERR_FILENO)) {
		make_call(&call);
		return call.r;
	}
	r = worker_new(make_call, &worker, err);
	if (r < 0)
		return r;
	(void)worker_give(worker, &call);
	wait_for(worker, controller);
	(void)worker_free(worker);
	return call.r;
}
