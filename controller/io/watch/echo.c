/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/watch/echo.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/icmp/icmp.h"
#include "common/io/log.h"
#include "proto/limits.h"

enum { REMEMBERED = 1024 }; /* requests on their way: a power of two, so that sequence numbers may wrap */

struct request {
	uint16_t sequence;
	struct addr to;
	char gateway[PROTO_NAME_MAX + 1];
};

struct echo {
	struct icmp *icmp;
	struct event *events[ICMP_FDS];
	uint16_t sequence;
	struct request requests[REMEMBERED];
	void (*answered)(const char *gateway, void *context);
	void *context;
};

static void take_answer(struct echo *echo, const struct icmp_answer *answer)
{
	struct request *request = &echo->requests[answer->sequence % REMEMBERED];
	if (request->gateway[0] && request->sequence == answer->sequence &&
		addr_equal(&request->to, &answer->from))
		echo->answered(request->gateway, echo->context);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	struct echo *echo = context;
	struct icmp_answer answer;
	(void)fd;
	(void)what;
	while (icmp_read(echo->icmp, &answer) == 1)
		take_answer(echo, &answer);
}

struct echo *echo_new(
	struct event_base *base, void (*answered)(const char *gateway, void *context), void *context)
{
	struct icmp *icmp;
	struct err err = {0};
	int fds[ICMP_FDS];
	if (icmp_open(&icmp, &err) < 0) {
		log_warning("watch", "no-echo-requests",
			log_text("effect", "an agent that is down cannot be told from a dead gateway"),
			log_err(&err));
		return NULL;
	}
	struct echo *echo = mem_new(1, sizeof *echo);
	echo->icmp = icmp;
	echo->answered = answered;
	echo->context = context;
	icmp_fds(icmp, fds);
	for (int i = 0; i < ICMP_FDS; i++) {
		if (fds[i] < 0)
			continue;
		echo->events[i] = event_new(base, fds[i], EV_READ | EV_PERSIST, on_readable, echo);
		event_add(echo->events[i], NULL);
	}
	return echo;
}

void echo_free(struct echo *echo)
{
	if (!echo)
		return;
	for (int i = 0; i < ICMP_FDS; i++)
		if (echo->events[i])
			event_free(echo->events[i]);
	icmp_close(echo->icmp);
	free(echo);
}

void echo_send(struct echo *echo, const char *gateway, const struct addr *address, uint32_t count)
{
	for (uint32_t i = 0; echo && i < count; i++) {
		struct request *request = &echo->requests[++echo->sequence % REMEMBERED];
		request->sequence = echo->sequence;
		request->to = *address;
		text_copy(request->gateway, sizeof request->gateway, gateway);
		int r = icmp_send(echo->icmp, address, NULL, NULL, echo->sequence);
		if (r < 0)
			log_debug("watch", "echo-not-sent", log_text("gateway", gateway), log_errno(r));
	}
}
