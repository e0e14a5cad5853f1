/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_DEVICE_READER_H
#define HOLDFAST_AGENT_DEVICE_READER_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "node-agent/io/wireguard/wireguard.h"
#include "proto/limits.h"

struct event_base;

/*
 * wg_get() in a thread of its own: wireguard-go takes 70 to 90 ms to tell of 10,000 peers, and a loop that waits for it looks
 * dead to others after 110. Devices are read one after another, each at most once at a time, and two of them at most are in
 * memory: the one being read and the one being handed over.
 *
 * wireguard-go takes no change while it tells: a wg_set() meanwhile waits for the rest of the reading.
 */
struct device_reader;

struct device_read {
	char tunnel[PROTO_INTERFACE_MAX + 1];
	int64_t began_ms, took_us; /* monotonic */
	int result;                /* of wg_open() or wg_get(); negative: the device is empty */
	bool userspace;
	struct wg_device device;
};

/* taken(): on the loop, once for each reading asked for, failed ones too. What it is given ends with it, but for a device that it
 * takes over, leaving an empty one. The reader must not be freed in it. */
typedef void device_taken(struct device_read *read, void *context);

int device_reader_new(struct event_base *base, device_taken *taken, void *context,
	struct device_reader **ret_reader, struct err *err);
/* Waits for the reading under way. What was asked for is forgotten. NULL-safe. */
void device_reader_free(struct device_reader *reader);

/* timeout_ms: of a userspace program (wg_set_timeout()); the kernel has WG_TIMEOUT_MS. false: it is asked for already, or PROTO_TUNNELS_MAX others are. */
bool device_reader_ask(struct device_reader *reader, const char *tunnel, int timeout_ms);
bool device_reader_is_asked(const struct device_reader *reader, const char *tunnel);

#endif
