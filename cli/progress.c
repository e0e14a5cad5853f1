/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/progress.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/vigil.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/worker.h"

enum { LOOK_EVERY_MS = 500, LOOK_UNSEEN_EVERY_MS = 5000, LINE_MAX_BYTES = 160 };

/* The call itself is made in a thread. */
struct call {
	const struct controller *controller;
	int64_t generation;
	const char *method, *path;
	const json_t *body;
	json_t **ret_json;
	struct err *err;
	atomic_bool is_given_up;
	atomic_uint_least64_t sent, size; /* bytes of the request */
	int r;
};

static bool goes_on(uint64_t sent, uint64_t size, void *context)
{
	struct call *call = context;

	atomic_store(&call->size, size);
	atomic_store(&call->sent, sent);
	return !atomic_load(&call->is_given_up);
}

static void make_call(void *job)
{
	struct call *call = job;

	call->r = controller_call_while(call->controller, call->generation, call->method, call->path,
		call->body, goes_on, call, call->ret_json, call->err);
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

/* What changed since the last line. */
static void tell(const json_t *apply, char last[LINE_MAX_BYTES])
{
	char line[LINE_MAX_BYTES];

	describe(apply, line);
	if (!*line || !strcmp(line, last))
		return;
	fprintf(stderr, "%s\n", line);
	(void)text_copy(last, LINE_MAX_BYTES, line);
}

/* The generation of the apply that is under way; 0: none. That the status cannot be had is no reason to say anything: the call
 * itself will. */
static int64_t look(const struct controller *controller, bool aloud, char last[LINE_MAX_BYTES])
{
	json_t *status = NULL;
	int64_t generation;
	struct err err;

	if (controller_call(controller, "GET", "/v1/status", NULL, 0, &status, &err) < 0)
		return 0;
	generation = json_integer_value(json_object_get(json_object_get(status, "apply"), "generation"));
	if (aloud)
		tell(json_object_get(status, "apply"), last);
	json_decref(status);
	return generation;
}

/* The size is known only once the call has begun. */
static void note_sent(struct vigil *vigil, struct call *call)
{
	uint64_t size = atomic_load(&call->size);

	if (size)
		vigil_sent(vigil, atomic_load(&call->sent), size, clock_now_ms());
}

/* A signal is no reason to wait less: whoever stops looking would wait for the call without a limit. */
static bool is_done(const struct worker *worker, int within_ms)
{
	struct pollfd done = {.fd = worker_fd(worker), .events = POLLIN};

	return poll(&done, 1, within_ms) > 0;
}

static void wait_for(struct worker *worker, struct call *call)
{
	bool aloud = isatty(STDERR_FILENO);
	char last[LINE_MAX_BYTES] = "";
	struct vigil vigil;

	vigil_begin(&vigil, clock_now_ms());
	while (!is_done(worker, aloud ? LOOK_EVERY_MS : LOOK_UNSEEN_EVERY_MS)) {
		note_sent(&vigil, call); /* before the look: what that shows comes after it */
		vigil_look(&vigil, look(call->controller, aloud, last), clock_now_ms());
		if (vigil_is_over(&vigil, clock_now_ms()))
			atomic_store(&call->is_given_up, true);
	}
}

int progress_call(const struct controller *controller, int64_t generation, const char *method,
	const char *path, const json_t *body, json_t **ret_json, struct err *err)
{
	struct call call = {.controller = controller,
		.generation = generation,
		.method = method,
		.path = path,
		.body = body,
		.ret_json = ret_json,
		.err = err};
	struct worker *worker;
	int r = worker_new(make_call, &worker, err);

	if (r < 0)
		return r;
	(void)worker_give(worker, &call);
	wait_for(worker, &call);
	(void)worker_free(worker);
	if (call.r == -ECANCELED)
		return err_at(err, -ETIMEDOUT,
			*controller->unix_socket ? controller->unix_socket : controller->url, 0, 0,
			"no answer, and no sign for %d s that the change goes on: 'holdfast status' shows "
			"one that is "
			"under way, 'holdfast history' whether it is in force",
			VIGIL_MS / 1000);
	return call.r;
}
