/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/difference.h"

#include <stdio.h>
#include <string.h>

#include "common/base/duration.h"
#include "common/base/mem.h"
#include "controller/core/fleet/difference_part.h"

enum { LIST_SHOWN_MAX = 8 };

void list_item(struct list *list, const char *item)
{
	if (list->count < LIST_SHOWN_MAX)
		text_add(list->text, "%s%s", list->count ? ", " : "[", item);
	list->count++;
}

void list_end(struct list *list)
{
	if (!list->count)
		text_add(list->text, "none");
	else if (list->count > LIST_SHOWN_MAX)
		text_add(list->text, " and %zu more]", list->count - LIST_SHOWN_MAX);
	else
		text_add(list->text, "]");
}

void list_addrs(struct text *text, const struct addr *addrs, size_t count)
{
	struct list list = {.text = text};
	char buffer[ADDR_TEXT_MAX];

	for (size_t i = 0; i < count; i++)
		list_item(&list, addr_format(&addrs[i], buffer, sizeof(buffer)));
	list_end(&list);
}

void list_prefixes(struct text *text, const struct prefix *prefixes, size_t count)
{
	struct list list = {.text = text};
	char buffer[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < count; i++)
		list_item(&list, prefix_format(&prefixes[i], buffer, sizeof(buffer)));
	list_end(&list);
}

static char *render(const struct field *field, const void *thing)
{
	struct text text = {0};

	field->render(thing, &text);
	return text_take(&text);
}

size_t difference_fields(const char *what, const struct field *fields, size_t count, const void *from,
	const void *to, struct text *lines)
{
	size_t changes = 0;

	for (size_t i = 0; i < count; i++) {
		CLEANUP_FREE char *before = render(&fields[i], from), *after = render(&fields[i], to);

		if (!strcmp(before, after))
			continue;
		if (changes)
			text_add(lines, ", ");
		else
			text_add(lines, "~ %s: ", what);
		text_add(lines, "%s %s -> %s", fields[i].name, before, after);
		changes++;
	}
	if (changes)
		text_add(lines, "\n");
	return changes > 0;
}

static void render_addresses(const void *thing, struct text *text)
{
	const struct desired *desired = thing;

	list_addrs(text, desired->addresses, desired->address_count);
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
	static const struct field fields[] = {
		{"fleet", render_fleet}, {"address", render_addresses}, {"liveness", render_liveness}};
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
