/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/difference.h"

#include <stdio.h>
#include <string.h>

#include "common/base/duration.h"
#include "common/base/mem.h"
#include "controller/core/fleet/difference_part.h"

static char *render(const struct field *field, const void *thing)
{
	struct text text = {0};

	field->render(thing, &text);
	return text_take(&text);
}

/* "mtu 1420 -> 1400". False, and nothing said: it is the same. */
static bool say_field(const struct field *field, const void *from, const void *to, struct text *text)
{
	CLEANUP_FREE char *before = render(field, from), *after = render(field, to);

	if (!strcmp(before, after))
		return false;
	text_add(text, "%s %s -> %s", field->name, before, after);
	return true;
}

static bool say_list_field(const struct field *field, const void *from, const void *to, struct text *text)
{
	struct list before = {0}, after = {0};
	bool differs;

	field->list(from, &before);
	field->list(to, &after);
	differs = list_say_change(field->name, &before, &after, text);
	list_clear(&before);
	list_clear(&after);
	return differs;
}

size_t difference_fields(const char *what, const struct field *fields, size_t count, const void *from,
	const void *to, struct text *lines)
{
	size_t changes = 0;

	for (size_t i = 0; i < count; i++) {
		struct text change = {0};
		bool differs = fields[i].list ? say_list_field(&fields[i], from, to, &change)
					      : say_field(&fields[i], from, to, &change);

		if (differs && !changes++)
			text_add(lines, "~ %s: %s", what, change.data);
		else if (differs)
			text_add(lines, ", %s", change.data);
		text_clear(&change);
	}
	if (changes)
		text_add(lines, "\n");
	return changes > 0;
}

static void own_addresses(const void *thing, struct list *list)
{
	const struct desired *desired = thing;

	list_addrs(list, desired->addresses, desired->address_count);
}

static void render_liveness(const void *thing, struct text *text)
{
	char buffer[32];

	text_add(text, "%s",
		duration_format(((const struct desired *)thing)->liveness_ms, buffer, sizeof(buffer)));
}

static void render_fleet(const void *thing, struct text *text)
{
	text_add(text, "%s", ((const struct desired *)thing)->fleet);
}

static const struct desired nothing;

size_t fleet_difference_but_peers(const struct desired *from, const struct desired *to, struct text *lines)
{
	static const struct field fields[] = {{"fleet", .render = render_fleet},
		{"address", .list = own_addresses}, {"liveness", .render = render_liveness}};
	char what[PROTO_NAME_MAX + 16];
	size_t count = 0;

	if (from && to) {
		(void)snprintf(what, sizeof(what), "gateway %s", to->gateway);
		count += difference_fields(what, fields, ARRAY_COUNT(fields), from, to, lines);
	}
	from = from ? from : &nothing;
	to = to ? to : &nothing;
	count += difference_tunnels(from, to, lines);
	count += difference_endpoints(from, to, lines);
	count += difference_groups(from, to, lines);
	return count;
}

size_t fleet_difference(const struct desired *from, const struct desired *to, struct text *lines)
{
	size_t count = fleet_difference_but_peers(from, to, lines);

	return count + difference_peers(from ? from : &nothing, to ? to : &nothing, lines);
}
