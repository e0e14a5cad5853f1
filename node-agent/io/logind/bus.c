/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/logind/bus.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/io/clock.h"

enum { MESSAGES_A_TURN = 16 };

struct bus {
	sd_bus *connection;
	struct bus_ops ops;
	void *context;
	struct event_base *base;
	struct event *event; /* of the descriptor; NULL: not waited for */
	struct event *timer;
	short waited; /* EV_READ, EV_WRITE */
};

static void on_event(evutil_socket_t fd, short what, void *context);

static int wait_for(struct bus *bus, int poll_events)
{
	short wanted = (short)((poll_events & POLLIN ? EV_READ : 0) | (poll_events & POLLOUT ? EV_WRITE : 0));
	int fd = sd_bus_get_fd(bus->connection);

	if (fd < 0)
		return fd;
	if (bus->event && bus->waited == wanted && event_get_fd(bus->event) == fd)
		return 0;
	if (bus->event)
		event_free(bus->event);
	bus->waited = wanted;
	bus->event = event_new(bus->base, fd, (short)(wanted | EV_PERSIST), on_event, bus);
	event_add(bus->event, NULL);
	return 0;
}

/* sd-bus tells an absolute time of CLOCK_MONOTONIC in µs; 0 is at once, UINT64_MAX never. */
static int wait_until(struct bus *bus)
{
	uint64_t until_us, now_us = (uint64_t)clock_now_us(), wait_us;
	int r = sd_bus_get_timeout(bus->connection, &until_us);

	if (r < 0)
		return r;
	event_del(bus->timer);
	if (until_us == UINT64_MAX)
		return 0;
	wait_us = until_us > now_us ? until_us - now_us : 0;
	event_add(bus->timer, &(struct timeval){.tv_sec = (time_t)(wait_us / 1000000),
				      .tv_usec = (suseconds_t)(wait_us % 1000000)});
	return 0;
}

static int wait_on(struct bus *bus)
{
	int r = sd_bus_get_events(bus->connection);

	if (r >= 0)
		r = wait_for(bus, r);
	return r < 0 ? r : wait_until(bus);
}

static void on_event(evutil_socket_t fd, short what, void *context)
{
	struct bus *bus = context;
	int r = 1;

	(void)fd;
	(void)what;
	for (int i = 0; r > 0 && i < MESSAGES_A_TURN; i++)
		r = sd_bus_process(bus->connection, NULL);
	if (r >= 0)
		r = wait_on(bus);
	if (r < 0)
		bus->ops.lost(bus->context, r);
}

int bus_open(struct event_base *base, const struct bus_ops *ops, void *context, struct bus **ret_bus)
{
	sd_bus *connection;
	struct bus *bus;
	int r = sd_bus_open_system(&connection);

	if (r < 0)
		return r;
	bus = mem_new(1, sizeof(*bus));
	bus->connection = connection;
	bus->ops = *ops;
	bus->context = context;
	bus->base = base;
	bus->timer = evtimer_new(base, on_event, bus);
	bus_schedule(bus);
	*ret_bus = bus;
	return 0;
}

void bus_free(struct bus *bus)
{
	if (!bus)
		return;
	if (bus->event)
		event_free(bus->event);
	event_free(bus->timer);
	sd_bus_close(bus->connection);
	sd_bus_unref(bus->connection);
	free(bus);
}

sd_bus *bus_get(const struct bus *bus)
{
	return bus->connection;
}

void bus_schedule(struct bus *bus)
{
	event_add(bus->timer, &(struct timeval){0});
}
