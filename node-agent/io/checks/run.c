/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/io/checks/checks_int.h"

/* A program of the user's: its exit status is the answer. */

enum { VARIABLE_MAX = 32 + PROTO_NAME_MAX };

static const char *start_it(struct checks_item *item);

/* One that was late has told nothing by its end; the question after it, asked meanwhile, begins now. */
static void on_ended(const char *failure, void *context)
{
	struct checks_item *item = context;
	bool late = item->program_late;

	item->program = NULL;
	item->program_late = false;
	if (!item->check.open)
		return;
	if (late)
		failure = start_it(item);
	if (!late || failure)
		checks_answer(item, failure);
}

static const char *start_it(struct checks_item *item)
{
	struct checks *checks = item->checks;
	char gateway[VARIABLE_MAX], endpoint[VARIABLE_MAX], interface[VARIABLE_MAX];
	const char *const environment[] = {CHECKS_PATH, gateway, endpoint, interface, NULL};
	struct program_start start = {.path = item->desired.path,
		.environment = environment,
		.deadline_ms = item->desired.timeout_ms};
	struct err err = {0};

	if (!checks->ops.allowed(item->desired.path, checks->ops.context))
		return "this gateway's agent.yaml does not allow it: see programs:";
	(void)snprintf(gateway, sizeof(gateway), "HOLDFAST_GATEWAY=%s", checks->ops.gateway);
	(void)snprintf(endpoint, sizeof(endpoint), "HOLDFAST_ENDPOINT=%s", item->endpoint);
	(void)snprintf(interface, sizeof(interface), "HOLDFAST_INTERFACE=%s", item->desired.interface);
	if (program_start(checks->programs, &start, on_ended, item, &item->program, &err) >= 0)
		return NULL;
	(void)text_copy(item->failure, sizeof(item->failure), err.text);
	return item->failure;
}

const char *run_ask(struct checks_item *item)
{
	return item->program ? NULL : start_it(item);
}

void run_end(struct checks_item *item)
{
	if (!item->program)
		return;
	item->program_late = true;
	program_kill(item->program, "late");
}
