/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/reconcile/given.h"

#include <string.h>

#include "common/base/text.h"

static const struct given *find(const struct given_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i].name, name))
			return &list->items[i];
	return NULL;
}

static void forget(struct given *given)
{
	wg_device_clear(&given->device);
	given->device = (struct wg_device){0};
	given->present = false;
}

/* But not that they were changed: a reading from before that may be under way. */
static void forget_all(struct given_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].changed_ms > list->changed_ms)
			list->changed_ms = list->items[i].changed_ms;
	given_clear(list);
}

static struct given *get(struct given_list *list, const char *name)
{
	const struct given *known = find(list, name);
	struct given *given;

	if (known)
		return &list->items[known - list->items];
	if (list->count == PROTO_TUNNELS_MAX)
		forget_all(list); /* of tunnels that have gone, some of them */
	given = &list->items[list->count++];
	*given = (struct given){.changed_ms = list->changed_ms};
	text_copy(given->name, sizeof(given->name), name);
	return given;
}

/* In the same millisecond: it may have been before or after. */
bool given_put(struct given_list *list, const char *name, struct wg_device *device, int64_t began_ms)
{
	struct given *given = get(list, name);

	forget(given);
	if (began_ms <= given->changed_ms) {
		wg_device_clear(device);
		*device = (struct wg_device){0};
		return false;
	}
	given->device = *device;
	given->began_ms = began_ms;
	given->present = true;
	*device = (struct wg_device){0};
	return true;
}

void given_changed(struct given_list *list, const char *name, const struct wg_change *change, int64_t now_ms)
{
	struct given *given = get(list, name);

	given->changed_ms = now_ms;
	if (given->present && (!change || !wg_device_apply(&given->device, change)))
		forget(given);
}

bool given_is_there(const struct given_list *list, const char *name, int64_t now_ms)
{
	const struct given *given = find(list, name);

	return given && given->present && now_ms - given->began_ms <= GIVEN_AGE_MAX_MS;
}

bool given_take(struct given_list *list, const char *name, int64_t now_ms, struct wg_device *ret_device)
{
	bool fresh = given_is_there(list, name, now_ms);
	struct given *given = get(list, name);

	if (fresh) {
		*ret_device = given->device;
		given->device = (struct wg_device){0};
	}
	forget(given);
	return fresh;
}

void given_clear(struct given_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		forget(&list->items[i]);
	list->count = 0;
}
