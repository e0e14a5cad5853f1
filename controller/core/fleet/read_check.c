/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/reader.h"

/* Times as people mean them when they say nothing: a dead host is noticed within 3 s, and trusted again after 5. */
enum { EVERY_MS = 1000, TIMEOUT_MS = 500, FALL = 3, RISE = 5 };
enum { EVERY_MIN_MS = 100, TIMEOUT_MIN_MS = 10, TIME_MAX_MS = 3600 * 1000, RUN_MAX = 100 };

static const char *const kinds[] = {
	[CHECK_PING] = "ping", [CHECK_TCP] = "tcp", [CHECK_HTTP] = "http", [CHECK_PROGRAM] = "program"};

static bool read_ping(struct reader *reader, const struct conf_node *node, struct desired_check *check)
{
	return reader_addr(reader, "ping", node, &check->target.addr);
}

/* What ADDRESS:PORT can say and a check cannot mean. */
static bool is_meant(
	struct reader *reader, const char *kind, const struct conf_node *node, const struct endpoint *target)
{
	if (target->scope)
		reader_fail(reader, node,
			"%s: a zone is an interface of one gateway, and another one, or none, on the next: "
			"leave it out and name the role with interface:",
			kind);
	else if (!target->port)
		reader_fail(reader, node, "%s: a port is from 1 to 65535", kind);
	else
		return true;
	return false;
}

static bool read_tcp(struct reader *reader, const struct conf_node *node, struct desired_check *check)
{
	return reader_ok_in(reader, "tcp", conf_as_endpoint(node, &check->target, &reader->err)) &&
	       is_meant(reader, "tcp", node, &check->target);
}

/* http://ADDRESS:PORT/PATH */
static bool read_http(struct reader *reader, const struct conf_node *node, struct desired_check *check)
{
	static const char scheme[] = "http://";
	char host[PROTO_PATH_MAX + 1];
	const char *text, *path;
	struct err err;

	if (!reader_ok_in(reader, "http", conf_as_text(node, PROTO_PATH_MAX, &text, &reader->err)))
		return false;
	path = strncmp(text, scheme, strlen(scheme)) ? NULL : strchr(text + strlen(scheme), '/');
	if (path == NULL || strpbrk(path, " \t\r\n") != NULL) {
		reader_fail(reader, node,
			"http: expected http://ADDRESS:PORT/PATH without blanks, found \"%s\"", text);
		return false;
	}
	(void)text_copy(check->path, sizeof(check->path), path);
	(void)text_copy(host, sizeof(host), text + strlen(scheme));
	host[path - text - (ptrdiff_t)strlen(scheme)] = '\0';
	if (endpoint_parse(host, &check->target, &err) >= 0)
		return is_meant(reader, "http", node, &check->target);
	reader_fail(reader, node, "http: %s", err.text);
	return false;
}

static bool read_program(struct reader *reader, const struct conf_node *node, struct desired_check *check)
{
	return reader_program(reader, node, check->path);
}

static bool read_target(
	struct reader *reader, unsigned kind, const struct conf_node *node, struct desired_check *check)
{
	static bool (*const readers[])(struct reader *, const struct conf_node *, struct desired_check *) = {
		[CHECK_PING] = read_ping,
		[CHECK_TCP] = read_tcp,
		[CHECK_HTTP] = read_http,
		[CHECK_PROGRAM] = read_program};

	check->kind = (enum desired_check_kind)kind;
	return readers[kind](reader, node, check);
}

/* The one key that says what is checked. */
static bool read_kind(struct reader *reader, const struct conf_node *map, struct fleet_check *to)
{
	const struct conf_node *found = NULL;
	unsigned kind = 0;

	for (unsigned i = 0; i < ARRAY_COUNT(kinds); i++) {
		const struct conf_node *node = conf_find(map, kinds[i]);

		if (node && found) {
			reader_fail(reader, node, "a check is one of %s and %s; make two of them",
				kinds[kind], kinds[i]);
			return false;
		}
		if (node) {
			found = node;
			kind = i;
		}
	}
	if (!found) {
		reader_fail(reader, map, "a check needs one of ping, tcp, http, program");
		return false;
	}
	to->place = reader_place(reader, found);
	return read_target(reader, kind, found, &to->check);
}

static void read_times(struct reader *reader, const struct conf_node *map, struct desired_check *check)
{
	int64_t every_ms = EVERY_MS, timeout_ms = TIMEOUT_MS;

	(void)reader_ok(
		reader, conf_get_duration(map, "every", EVERY_MIN_MS, TIME_MAX_MS, &every_ms, &reader->err));
	if (timeout_ms > every_ms)
		timeout_ms = every_ms;
	(void)reader_ok(reader,
		conf_get_duration(map, "timeout", TIMEOUT_MIN_MS, TIME_MAX_MS, &timeout_ms, &reader->err));
	if (timeout_ms > every_ms)
		reader_fail(reader, conf_find(map, "timeout"),
			"timeout: longer than every: one question would still be open when the next is due");
	check->every_ms = (uint32_t)every_ms;
	check->timeout_ms = (uint32_t)timeout_ms;
}

static void read_runs(struct reader *reader, const struct conf_node *map, struct desired_check *check)
{
	uint64_t fall = FALL, rise = RISE;

	(void)reader_ok(reader, conf_get_u64(map, "fall", 1, RUN_MAX, &fall, &reader->err));
	(void)reader_ok(reader, conf_get_u64(map, "rise", 1, RUN_MAX, &rise, &reader->err));
	check->fall = (uint32_t)fall;
	check->rise = (uint32_t)rise;
}

static bool read_check(struct reader *reader, const struct conf_node *map, struct fleet_check *to)
{
	if (!reader_keys(reader, map, KEYS_CHECK) || !read_kind(reader, map, to))
		return false;
	if (conf_find(map, "interface") && !reader_reference(reader, map, "interface", &to->role))
		return false;
	read_times(reader, map, &to->check);
	read_runs(reader, map, &to->check);
	return true;
}

void read_checks(struct reader *reader, const struct conf_node *map, struct fleet_endpoint *endpoint)
{
	const struct conf_node *list = reader_list(reader, map, "checks", PROTO_CHECKS_MAX);

	for (size_t i = 0; i < conf_list_count(list); i++) {
		struct fleet_check *check = &endpoint->checks[endpoint->check_count];

		if (read_check(reader, conf_list_item(list, i), check))
			endpoint->check_count++;
		else
			*check = (struct fleet_check){0};
	}
}
