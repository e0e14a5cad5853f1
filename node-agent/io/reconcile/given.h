/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_GIVEN_H
#define HOLDFAST_AGENT_GIVEN_H

#include <stdbool.h>
#include <stdint.h>

#include "node-agent/io/wireguard/wireguard.h"
#include "proto/limits.h"

/*
 * Devices as another thread has read them, for the next look to take, so that the loop need not wait for a program that tells of
 * 10,000 peers. What the loop changes meanwhile is changed in what was read as well; a reading that began before a change is none.
 * Zeroed: nothing is known. Times are monotonic.
 */
enum { GIVEN_AGE_MAX_MS = 2000 }; /* older: who knows what others have done to it */

struct given {
	char name[PROTO_INTERFACE_MAX + 1];
	bool present;
	int64_t began_ms, changed_ms; /* of the reading, and of the last change */
	struct wg_device device;
};

struct given_list {
	size_t count;
	int64_t changed_ms; /* the last change of those that had to make room; 0: none had */
	struct given items[PROTO_TUNNELS_MAX];
};

/* Takes *device over, whatever comes of it. false: it was changed since the reading began. */
bool given_put(struct given_list *list, const char *name, struct wg_device *device, int64_t began_ms);
/* change: what was done to it, successfully; NULL: who knows what. */
void given_changed(struct given_list *list, const char *name, const struct wg_change *change, int64_t now_ms);
bool given_is_there(const struct given_list *list, const char *name, int64_t now_ms);
/* false: nothing that is fresh. The caller clears *ret_device. */
bool given_take(struct given_list *list, const char *name, int64_t now_ms, struct wg_device *ret_device);
void given_clear(struct given_list *list);

#endif
