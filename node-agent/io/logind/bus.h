/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_LOGIND_BUS_H
#define HOLDFAST_AGENT_LOGIND_BUS_H

#include <systemd/sd-bus.h>

struct event_base;

/* The system bus in libevent's loop. */
struct bus;

struct bus_ops {
	void (*lost)(void *context, int r); /* -errno; the bus is to be freed, from here if you like */
};

/* -errno: there is none. */
int bus_open(struct event_base *base, const struct bus_ops *ops, void *context, struct bus **ret_bus);
void bus_free(struct bus *bus); /* callbacks of calls under way are not called any more; NULL-safe */
sd_bus *bus_get(const struct bus *bus);
/* After every call that sends: what is queued is sent when the loop gets its turn. */
void bus_schedule(struct bus *bus);

#endif
