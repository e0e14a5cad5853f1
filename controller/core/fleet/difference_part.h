/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_DIFFERENCE_PART_H
#define HOLDFAST_CONTROLLER_FLEET_DIFFERENCE_PART_H

#include "common/base/text.h"
#include "proto/desired.h"

/* Inside controller/core/fleet only: how two states are told apart in words. */

/* One thing that is said of a tunnel, endpoint, peer: its name, and its value as text. */
struct field {
	const char *name;
	void (*render)(const void *thing, struct text *text);
};

/* "~ WHAT: mtu 1420 -> 1400, listen_port 1 -> 2", or nothing when all fields render alike. The number of lines. */
size_t difference_fields(const char *what, const struct field *fields, size_t count, const void *from,
	const void *to, struct text *lines);

/* Lists: "[a, b]", at most a few, then how many more. Begin with list = {text}, end with list_end(). */
struct list {
	struct text *text;
	size_t count;
};
void list_item(struct list *list, const char *item);
void list_end(struct list *list);
void list_addrs(struct text *text, const struct addr *addrs, size_t count);
void list_prefixes(struct text *text, const struct prefix *prefixes, size_t count);

/* The parts. Each returns the number of lines it added. */
size_t difference_tunnels(const struct desired *from, const struct desired *to, struct text *lines);
size_t difference_endpoints(const struct desired *from, const struct desired *to, struct text *lines);
size_t difference_groups(const struct desired *from, const struct desired *to, struct text *lines);
size_t difference_peers(const struct desired *from, const struct desired *to, struct text *lines);

#endif
