/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <event2/event.h>
#include <netinet/ip.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/io/clock.h"
#include "common/liveness/internal.h"

/* What is likely: both daemons on one host. */
#define BESIDE                                                                                              \
	": a controller beside an agent needs a port of its own, listen: ADDRESS:7445 in controller.yaml, " \
	"and the "                                                                                          \
	"same in controllers: of every agent.yaml"

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct local *local = context;

	(void)fd;
	(void)what;
	liveness_enter(local->liveness);
	liveness_settle(local->liveness);
}

/* Before bulk traffic: CS6 is what network control uses (RFC 4594 section 3.1). That it may not be set is no
 * reason not to run. */
static void set_priority(int fd, uint8_t family)
{
	int tos = IPTOS_CLASS_CS6;

	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_TOS, &tos, sizeof(tos));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &tos, sizeof(tos));
}

static int set_options(int fd, uint8_t family)
{
	int on = 1;

	set_priority(fd, family);
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)) < 0)
		return -errno;
	return 0;
}

static int open_bound(const struct endpoint *endpoint)
{
	struct sockaddr_storage sockaddr;
	socklen_t length = endpoint_to_sockaddr(endpoint, &sockaddr);
	int fd, r;

	if (!addr_is_set(&endpoint->addr))
		return -EAFNOSUPPORT;
	fd = socket(endpoint->addr.family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
	if (fd < 0)
		return -errno;
	r = set_options(fd, endpoint->addr.family);
	if (r == 0 && bind(fd, (struct sockaddr *)&sockaddr, length) < 0)
		r = -errno;
	if (r == 0)
		return fd;
	close(fd);
	return r;
}

int local_open(struct liveness *liveness, size_t index, struct err *err)
{
	struct local *local = &liveness->locals[index];
	struct endpoint endpoint = {.addr = local->config.address, .port = local->config.port};
	char text[ENDPOINT_TEXT_MAX];
	int fd = open_bound(&endpoint);

	if (fd < 0)
		return err_set(err, fd, "cannot listen on %s/udp for liveness: %s%s",
			endpoint_format(&endpoint, text, sizeof(text)), strerror(-fd),
			fd == -EADDRINUSE ? BESIDE : "");
	local->fd = fd;
	local->liveness = liveness;
	local->readable = event_new(liveness->base, fd, EV_READ | EV_PERSIST, on_readable, local);
	event_add(local->readable, NULL);
	return 0;
}

void local_close(struct local *local)
{
	if (local->readable != NULL)
		event_free(local->readable);
	if (local->fd >= 0)
		close(local->fd);
	local->readable = NULL;
	local->fd = -1;
}

static int64_t wall_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

struct inbox {
	struct mmsghdr messages[INBOX_MAX];
	struct iovec vectors[INBOX_MAX];
	struct sockaddr_storage from[INBOX_MAX];
	_Alignas(struct cmsghdr) uint8_t control[INBOX_MAX][CMSG_SPACE(sizeof(struct timespec))];
	uint8_t bytes[INBOX_MAX][PROTO_DATAGRAM_MAX];
};

static void inbox_prepare(struct inbox *inbox)
{
	for (size_t i = 0; i < INBOX_MAX; i++) {
		inbox->vectors[i] =
			(struct iovec){.iov_base = inbox->bytes[i], .iov_len = sizeof(inbox->bytes[i])};
		inbox->messages[i] = (struct mmsghdr){.msg_hdr = {
							      .msg_name = &inbox->from[i],
							      .msg_namelen = sizeof(inbox->from[i]),
							      .msg_iov = &inbox->vectors[i],
							      .msg_iovlen = 1,
							      .msg_control = inbox->control[i],
							      .msg_controllen = sizeof(inbox->control[i]),
						      }};
	}
}

static void take_in(struct liveness *liveness, size_t local, struct inbox *inbox, size_t i)
{
	struct msghdr *message = &inbox->messages[i].msg_hdr;
	struct arrival arrival = {
		.bytes = inbox->bytes[i],
		.size = inbox->messages[i].msg_len,
		.truncated = message->msg_flags & MSG_TRUNC,
		.local = local,
		.received_us = stamp_us(message, &liveness->locals[local].clock),
	};

	if (endpoint_from_sockaddr((struct sockaddr *)&inbox->from[i], &arrival.from) == 0)
		receive(liveness, &arrival);
}

void local_drain(struct liveness *liveness, size_t index)
{
	struct local *local = &liveness->locals[index];
	struct inbox inbox;
	int count;

	stamp_clock_begin(&local->clock);
	do {
		inbox_prepare(&inbox);
		count = recvmmsg(local->fd, inbox.messages, INBOX_MAX, 0, NULL);
		stamp_clock_read(&local->clock, clock_now_us(), wall_us());
		for (int i = 0; i < count; i++)
			take_in(liveness, index, &inbox, (size_t)i);
	} while (count == INBOX_MAX);
}
