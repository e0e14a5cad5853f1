/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_DIFFERENCE_PART_H
#define HOLDFAST_CONTROLLER_FLEET_DIFFERENCE_PART_H

#include <stdbool.h>

#include "common/base/text.h"
#include "proto/desired.h"

/* Inside controller/core/fleet only: how two states are told apart in words. */

/* What is counted one by one: addresses, prefixes, checks. Order matters. */
struct list {
	size_t count, capacity;
	char **items; /* owned */
};
void list_item(struct list *list, const char *item);
void list_addrs(struct list *list, const struct addr *addrs, size_t count);
void list_prefixes(struct list *list, const struct prefix *prefixes, size_t count);
void list_say(const struct list *list, struct text *text); /* "[a, b]", at most a few, then how many more */
void list_clear(struct list *list);

/*
 * What changed: "[a, b] -> [a, c]"; of lists too long for that, only what differs, so that no change hides behind the items
 * that are shown: "+ [c] - [b], 9 stay". False, and nothing said: they are equal.
 */
bool list_say_change(const char *name, const struct list *from, const struct list *to, struct text *text);

/* One thing that is said of a tunnel, endpoint, peer: its name, and its value as text or as a list. */
struct field {
	const char *name;
	void (*render)(const void *thing, struct text *text);
	void (*list)(const void *thing, struct list *list); /* instead of render */
};

/* "~ WHAT: mtu 1420 -> 1400, listen_port 1 -> 2", or nothing when all fields are alike. The number of lines. */
size_t difference_fields(const char *what, const struct field *fields, size_t count, const void *from,
	const void *to, struct text *lines);

/* The parts. Each returns the number of lines it added. */
size_t difference_tunnels(const struct desired *from, const struct desired *to, struct text *lines);
size_t difference_endpoints(const struct desired *from, const struct desired *to, struct text *lines);
size_t difference_groups(const struct desired *from, const struct desired *to, struct text *lines);
size_t difference_peers(const struct desired *from, const struct desired *to, struct text *lines);

#endif
