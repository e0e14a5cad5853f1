/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/checks/checks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "node-agent/io/checks/checks_int.h"

char *checks_what(const struct desired_check *check, char buffer[CHECKS_WHAT_MAX])
{
	static const char *const kinds[] = {[CHECK_PING] = "ping",
		[CHECK_TCP] = "tcp",
		[CHECK_HTTP] = "http",
		[CHECK_PROGRAM] = "program"};
	char target[ENDPOINT_TEXT_MAX] = "";

	if (check->kind == CHECK_PING)
		addr_format(&check->target.addr, target, sizeof(target));
	else if (check->kind != CHECK_PROGRAM)
		endpoint_format(&check->target, target, sizeof(target));
	(void)snprintf(buffer, CHECKS_WHAT_MAX, "%s %s%s%s%s", kinds[check->kind], target, check->path,
		check->interface[0] ? " on " : "", check->interface);
	return buffer;
}

/* ---- time ---- */

static void arm(struct checks *checks)
{
	int64_t deadline_ms = INT64_MAX, left_ms;
	struct timeval after;

	for (size_t i = 0; i < checks->count; i++)
		if (check_deadline(&checks->items[i]->check) < deadline_ms)
			deadline_ms = check_deadline(&checks->items[i]->check);
	if (deadline_ms == INT64_MAX) {
		event_del(checks->timer);
		return;
	}
	left_ms = deadline_ms - clock_now_ms();
	if (left_ms < 0)
		left_ms = 0;
	after = (struct timeval){.tv_sec = left_ms / 1000, .tv_usec = left_ms % 1000 * 1000};
	event_add(checks->timer, &after);
}

static void take_answer(struct checks_item *item, const char *failure)
{
	struct checks *checks = item->checks;
	char what[CHECKS_WHAT_MAX];

	dial_end(item);
	if (failure && failure != item->failure)
		(void)text_copy(item->failure, sizeof(item->failure), failure);
	run_end(item);
	if (check_answer(&item->check, failure == NULL))
		checks->ops.changed(item->endpoint, item->check.down, checks_what(&item->desired, what),
			item->failure, checks->ops.context);
}

void checks_answer(struct checks_item *item, const char *failure)
{
	take_answer(item, failure);
	arm(item->checks);
}

static void ask(struct checks_item *item)
{
	const struct desired_check *desired = &item->desired;
	struct addr source = {0};
	const char *failure = NULL;

	if (desired->kind == CHECK_PROGRAM)
		failure = run_ask(item);
	else if (desired->interface[0] && item->checks->ops.source(desired->interface, &desired->target.addr,
						  &source, item->checks->ops.context) < 0)
		failure = "this gateway has no address of its own there to ask from";
	else if (desired->kind == CHECK_PING)
		failure = ping_ask(item, &source);
	else
		failure = dial_ask(item, &source);
	if (failure)
		take_answer(item, failure);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct checks *checks = context;
	int64_t now_ms = clock_now_ms();

	(void)fd;
	(void)what;
	for (size_t i = 0; i < checks->count; i++) {
		struct checks_item *item = checks->items[i];
		const char *said = item->program ? program_said(item->program) : "";
		char failure[CHECKS_FAILURE_MAX];

		(void)snprintf(failure, sizeof(failure), "no %s within %u ms%s%s",
			item->program ? "end" : "answer", item->check.rule.timeout_ms, said[0] ? ": " : "",
			said);
		if (check_is_late(&item->check, now_ms))
			take_answer(item, failure);
		if (check_ask(&item->check, now_ms))
			ask(item);
	}
	arm(checks);
}

/* ---- which there are ---- */

static void item_free(struct checks_item *item)
{
	if (!item)
		return;
	dial_end(item);
	program_forget(item->program);
	free(item);
}

static bool is_same(const struct desired_check *a, const struct desired_check *b)
{
	return a->kind == b->kind && endpoint_equal(&a->target, &b->target) && !strcmp(a->path, b->path) &&
	       !strcmp(a->interface, b->interface) && a->every_ms == b->every_ms &&
	       a->timeout_ms == b->timeout_ms && a->fall == b->fall && a->rise == b->rise;
}

/* One that went on before, taken out of there; NULL. */
static struct checks_item *take_old(
	struct checks_item **old, size_t count, const char *endpoint, const struct desired_check *desired)
{
	for (size_t i = 0; i < count; i++) {
		struct checks_item *item = old[i];

		if (!item || strcmp(item->endpoint, endpoint) != 0 || !is_same(&item->desired, desired))
			continue;
		old[i] = NULL;
		return item;
	}
	return NULL;
}

static struct checks_item *item_new(
	struct checks *checks, const char *endpoint, const struct desired_check *desired)
{
	struct checks_item *item = mem_new(1, sizeof(*item));
	struct check_rule rule = {.every_ms = desired->every_ms,
		.timeout_ms = desired->timeout_ms,
		.fall = desired->fall,
		.rise = desired->rise};
	uint32_t random;

	item->checks = checks;
	item->desired = *desired;
	item->fd = -1;
	(void)text_copy(item->endpoint, sizeof(item->endpoint), endpoint);
	evutil_secure_rng_get_bytes(&random, sizeof(random));
	check_init(&item->check, &rule, random, clock_now_ms());
	return item;
}

void checks_set(struct checks *checks, const struct desired *desired)
{
	struct checks_item **old = checks->items;
	size_t old_count = checks->count, capacity = 0;

	checks->items = NULL;
	checks->count = 0;
	for (size_t i = 0; desired && i < desired->endpoint_count; i++) {
		const struct desired_endpoint *endpoint = &desired->endpoints[i];

		for (size_t j = 0; j < endpoint->check_count; j++) {
			struct checks_item *item =
				take_old(old, old_count, endpoint->name, &endpoint->checks[j]);

			checks->items = mem_grow(
				checks->items, &capacity, checks->count + 1, sizeof(struct checks_item *));
			checks->items[checks->count++] =
				item ? item : item_new(checks, endpoint->name, &endpoint->checks[j]);
		}
	}
	for (size_t i = 0; i < old_count; i++)
		item_free(old[i]);
	free(old);
	arm(checks);
}

bool checks_failure(const struct checks *checks, const char *endpoint, char ret_why[CHECKS_FAILURE_MAX])
{
	char what[CHECKS_WHAT_MAX];
	struct text text = {0};

	for (size_t i = 0; i < checks->count; i++) {
		const struct checks_item *item = checks->items[i];

		if (strcmp(item->endpoint, endpoint) != 0 || !item->check.down)
			continue;
		text_add(&text, "%s: %s", checks_what(&item->desired, what), item->failure);
		(void)text_copy(ret_why, CHECKS_FAILURE_MAX, text.data);
		text_clear(&text);
		return true;
	}
	return false;
}

int checks_new(
	struct event_base *base, const struct checks_ops *ops, struct checks **ret_checks, struct err *err)
{
	struct checks *checks = mem_new(1, sizeof(*checks));
	int r;

	checks->base = base;
	checks->ops = *ops;
	r = ping_open(checks, err);
	if (r < 0) {
		free(checks);
		return r;
	}
	checks->programs = programs_new(base);
	checks->timer = event_new(base, -1, 0, on_timer, checks);
	*ret_checks = checks;
	return 0;
}

void checks_free(struct checks *checks)
{
	if (!checks)
		return;
	for (size_t i = 0; i < checks->count; i++)
		item_free(checks->items[i]);
	free(checks->items);
	programs_free(checks->programs);
	event_free(checks->timer);
	ping_close(checks);
	free(checks);
}
