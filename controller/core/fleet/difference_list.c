/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/core/fleet/difference_part.h"

enum { LIST_SHOWN_MAX = 8 };

void list_item(struct list *list, const char *item)
{
	list->items = mem_grow(list->items, &list->capacity, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = mem_text(item);
}

void list_addrs(struct list *list, const struct addr *addrs, size_t count)
{
	char buffer[ADDR_TEXT_MAX];

	for (size_t i = 0; i < count; i++)
		list_item(list, addr_format(&addrs[i], buffer, sizeof(buffer)));
}

void list_prefixes(struct list *list, const struct prefix *prefixes, size_t count)
{
	char buffer[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < count; i++)
		list_item(list, prefix_format(&prefixes[i], buffer, sizeof(buffer)));
}

void list_clear(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct list){0};
}

static void say_first(const struct list *list, size_t shown, struct text *text)
{
	if (!list->count) {
		text_add(text, "none");
		return;
	}
	for (size_t i = 0; i < list->count && i < shown; i++)
		text_add(text, "%s%s", i ? ", " : "[", list->items[i]);
	if (list->count > shown)
		text_add(text, " and %zu more", list->count - shown);
	text_add(text, "]");
}

void list_say(const struct list *list, struct text *text)
{
	say_first(list, LIST_SHOWN_MAX, text);
}

static bool is_equal(const struct list *a, const struct list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

static int compare(const void *left, const void *right)
{
	return strcmp(*(char *const *)left, *(char *const *)right);
}

/* A list's items in the order of their text. The items stay the list's. */
static char **sorted(const struct list *list)
{
	char **items = mem_new(list->count + 1, sizeof(*items));

	if (list->count)
		memcpy(items, list->items, list->count * sizeof(*items));
	qsort(items, list->count, sizeof(*items), compare);
	return items;
}

/* What of `list` is not in `other`, in the order of `list`. */
static void find_missing(const struct list *list, const struct list *other, struct list *ret_missing)
{
	CLEANUP_FREE char **items = sorted(other);

	for (size_t i = 0; i < list->count; i++)
		if (!bsearch(&list->items[i], items, other->count, sizeof(*items), compare))
			list_item(ret_missing, list->items[i]);
}

static void say_items(const char *sign, const struct list *items, struct text *text)
{
	if (!items->count)
		return;
	text_add(text, " %s ", sign);
	list_say(items, text);
}

/* Nothing came or went: then it is their order, which only the whole lists show. */
static void say_whole(const struct list *from, const struct list *to, struct text *text)
{
	text_add(text, " ");
	say_first(from, from->count, text);
	text_add(text, " -> ");
	say_first(to, to->count, text);
}

bool list_say_change(const char *name, const struct list *from, const struct list *to, struct text *text)
{
	struct list added = {0}, removed = {0};

	if (is_equal(from, to))
		return false;
	text_add(text, "%s", name);
	find_missing(to, from, &added);
	find_missing(from, to, &removed);
	if ((from->count <= LIST_SHOWN_MAX && to->count <= LIST_SHOWN_MAX) ||
		(!added.count && !removed.count)) {
		say_whole(from, to, text);
	} else {
		say_items("+", &added, text);
		say_items("-", &removed, text);
		text_add(text, ", %zu stay", to->count - added.count);
	}
	list_clear(&added);
	list_clear(&removed);
	return true;
}
