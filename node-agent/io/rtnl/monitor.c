/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/rtnl/monitor.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "node-agent/io/netlink/datagram.h"
#include "node-agent/io/rtnl/internal.h"

enum {
	MONITOR_BUFFER_BYTES = 65536,
	MONITOR_QUEUE_BYTES = 4 << 20, /* a thousand routes arrive at once when a link comes up */
};

struct monitor {
	struct mnl_socket *socket;
	struct rtnl *names; /* asks for the names that addresses and routes do not carry */
	uint8_t *buffer;
};

/* One call of monitor_read(). */
struct reading {
	struct monitor *monitor;
	monitor_callback *callback;
	void *context;
	int events, messages;
};

static int join(struct mnl_socket *socket)
{
	static const int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
		RTNLGRP_IPV4_ROUTE, RTNLGRP_IPV6_ROUTE, RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE};
	const int queue = MONITOR_QUEUE_BYTES;
	int fd = mnl_socket_get_fd(socket);
	size_t i;

	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &queue, sizeof queue) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &queue, sizeof queue);
	for (i = 0; i < ARRAY_COUNT(groups); i++) {
		int group = groups[i];

		if (mnl_socket_setsockopt(socket, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0)
			return -errno;
	}
	return 0;
}

static int open_socket(struct mnl_socket **ret_socket)
{
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int r;

	if (!socket)
		return -errno;
	r = join(socket);
	if (r < 0) {
		mnl_socket_close(socket);
		return r;
	}
	*ret_socket = socket;
	return 0;
}

int monitor_open(struct monitor **ret_monitor, struct err *err)
{
	struct mnl_socket *socket = NULL;
	struct rtnl *names = NULL;
	struct monitor *monitor;
	int r = open_socket(&socket);

	if (r < 0)
		return err_set(err, r, "cannot listen to the kernel's network events: %s", strerror(-r));
	r = rtnl_open(RTNL_TIMEOUT_MS, &names, err);
	if (r < 0) {
		mnl_socket_close(socket);
		return r;
	}
	monitor = mem_new(1, sizeof *monitor);
	monitor->socket = socket;
	monitor->names = names;
	monitor->buffer = mem_new(1, MONITOR_BUFFER_BYTES);
	*ret_monitor = monitor;
	return 0;
}

void monitor_close(struct monitor *monitor)
{
	if (!monitor)
		return;
	mnl_socket_close(monitor->socket);
	rtnl_close(monitor->names);
	free(monitor->buffer);
	free(monitor);
}

int monitor_fd(const struct monitor *monitor)
{
	return mnl_socket_get_fd(monitor->socket);
}

static void name_device(struct rtnl *names, struct monitor_event *event)
{
	switch (event->kind) {
	case MONITOR_LINK:
	case MONITOR_LINK_GONE:
		/* A name may have come, gone or changed. */
		rtnl_names_forget(names);
		break;
	case MONITOR_ADDRESS:
	case MONITOR_ADDRESS_GONE:
		rtnl_name_of(names, event->address.ifindex, event->address.device);
		break;
	case MONITOR_ROUTE:
	case MONITOR_ROUTE_GONE:
		rtnl_name_of(names, event->route.ifindex, event->route.device);
		break;
	case MONITOR_RULE:
	case MONITOR_RULE_GONE:
	case MONITOR_RESYNC:
		break;
	}
}

static void tell(struct reading *reading, const struct monitor_event *event)
{
	reading->events++;
	reading->callback(event, reading->context);
}

static void take_message(struct reading *reading, const struct nlmsghdr *message)
{
	struct monitor_event event;

	reading->messages++;
	if (monitor_event_parse(message, &event) < 0)
		return;
	name_device(reading->monitor->names, &event);
	tell(reading, &event);
}

/* 1: took something, 0: nothing waits. */
static int read_datagram(struct reading *reading)
{
	struct monitor *monitor = reading->monitor;
	const struct monitor_event resync = {.kind = MONITOR_RESYNC};
	const struct nlmsghdr *message;
	struct netlink_datagram datagram;
	int r = netlink_datagram_receive(
		monitor_fd(monitor), monitor->buffer, MONITOR_BUFFER_BYTES, &datagram);

	if (r == -EAGAIN)
		return 0;
	if (r == -ENOBUFS || r == -EMSGSIZE) {
		tell(reading, &resync);
		return 1;
	}
	if (r < 0)
		return r;
	while ((message = netlink_datagram_next(&datagram)))
		take_message(reading, message);
	return 1;
}

int monitor_read(struct monitor *monitor, monitor_callback *callback, void *context, struct err *err)
{
	struct reading reading = {.monitor = monitor, .callback = callback, .context = context};
	int r = 1;

	rtnl_names_forget(monitor->names);
	while (r > 0 && reading.messages < MONITOR_READ_MAX)
		r = read_datagram(&reading);
	if (r < 0)
		return err_set(err, r, "the kernel's network events: %s", strerror(-r));
	return reading.events;
}
