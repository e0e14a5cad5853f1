/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "common/base/mem.h"
#include "proto/desired_json.h"

enum { TIME_MAX_MS = 3600 * 1000, RUN_MAX = 100 };

static const char *const kinds[] = {
	[CHECK_PING] = "ping", [CHECK_TCP] = "tcp", [CHECK_HTTP] = "http", [CHECK_PROGRAM] = "program"};

static void put_check(json_t *to, const struct desired_check *check)
{
	json_t *object = jput_object(to, NULL);

	jput_text(object, "kind", kinds[check->kind]);
	if (check->kind != CHECK_PROGRAM) {
		jput_addr(object, "address", &check->target.addr);
		jput_u64(object, "port", check->target.port);
	}
	if (check->path[0])
		jput_text(object, "path", check->path);
	if (check->interface[0])
		jput_text(object, "interface", check->interface);
	jput_u64(object, "every_ms", check->every_ms);
	jput_u64(object, "timeout_ms", check->timeout_ms);
	jput_u64(object, "fall", check->fall);
	jput_u64(object, "rise", check->rise);
}

/* Left out where there are none. */
void desired_checks_put(json_t *to, const struct desired_endpoint *endpoint)
{
	json_t *array = endpoint->check_count ? jput_array(to, "checks") : NULL;

	for (size_t i = 0; i < endpoint->check_count; i++)
		put_check(array, &endpoint->checks[i]);
}

static int get_u32(
	const struct jnode *from, const char *name, uint32_t min, uint32_t max, uint32_t *to, struct err *err)
{
	uint64_t value;
	int r = jnode_u64(from, name, JSON_REQUIRED, min, max, &value, err);

	if (!r)
		*to = (uint32_t)value;
	return r;
}

static int get_target(const struct jnode *from, struct desired_check *check, struct err *err)
{
	enum json_need need = check->kind == CHECK_PROGRAM ? JSON_OPTIONAL : JSON_REQUIRED;
	uint64_t port = 0;
	int r;

	if ((r = jnode_addr(from, "address", need, &check->target.addr, err)) ||
		(r = jnode_u64(from, "port", need, 0, UINT16_MAX, &port, err)) ||
		(r = jnode_text(from, "path", JSON_OPTIONAL, check->path, sizeof(check->path), err)) ||
		(r = jnode_name(
			 from, "interface", JSON_OPTIONAL, check->interface, sizeof(check->interface), err)))
		return r;
	check->target.port = (uint16_t)port;
	if (addr_is_set(&check->target.addr) != (check->kind != CHECK_PROGRAM))
		return jnode_fail(from, err, -EINVAL, "a program with an address");
	if ((check->kind == CHECK_TCP || check->kind == CHECK_HTTP) != (port != 0))
		return jnode_fail(
			from, err, -EINVAL, "a port of something else than tcp and http, or none of these");
	if ((check->kind == CHECK_HTTP || check->kind == CHECK_PROGRAM) != (check->path[0] == '/'))
		return jnode_fail(from, err, -EINVAL,
			"a path of something else than http and program, or none of these");
	return 0;
}

static int get_check(const struct jnode *from, struct desired_check *check, struct err *err)
{
	unsigned kind;
	int r = jnode_word(from, "kind", JSON_REQUIRED, kinds, ARRAY_COUNT(kinds), &kind, err);

	if (r)
		return r;
	check->kind = (enum desired_check_kind)kind;
	if ((r = get_target(from, check, err)) ||
		(r = get_u32(from, "every_ms", 1, TIME_MAX_MS, &check->every_ms, err)) ||
		(r = get_u32(from, "timeout_ms", 1, TIME_MAX_MS, &check->timeout_ms, err)) ||
		(r = get_u32(from, "fall", 1, RUN_MAX, &check->fall, err)))
		return r;
	return get_u32(from, "rise", 1, RUN_MAX, &check->rise, err);
}

int desired_checks_get(const struct jnode *from, struct desired_endpoint *endpoint, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "checks", JSON_OPTIONAL, PROTO_CHECKS_MAX, &array, err);

	if (r || !array.json)
		return r;
	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct jnode item = jnode_item(&array, i);

		r = get_check(&item, &endpoint->checks[endpoint->check_count++], err);
	}
	return r;
}
