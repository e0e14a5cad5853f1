/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "node-agent/io/checks/checks_int.h"

const char *ping_ask(struct checks_item *item, const struct addr *source)
{
	const struct desired_check *desired = &item->desired;
	int r;

	item->sequence = ++item->checks->sequence;
	r = icmp_send(item->checks->icmp, &desired->target.addr, desired->interface, source, item->sequence);
	return r < 0 ? strerror(-r) : NULL;
}

/* A late answer to a question that is closed already has another number. */
static void take_answer(struct checks *checks, const struct icmp_answer *answer)
{
	for (size_t i = 0; i < checks->count; i++) {
		struct checks_item *item = checks->items[i];

		if (item->desired.kind == CHECK_PING && item->check.open &&
			item->sequence == answer->sequence &&
			addr_equal(&item->desired.target.addr, &answer->from)) {
			checks_answer(item, NULL);
			return;
		}
	}
}

static void on_icmp(evutil_socket_t fd, short what, void *context)
{
	struct checks *checks = context;
	struct icmp_answer answer;

	(void)fd;
	(void)what;
	while (icmp_read(checks->icmp, &answer) > 0)
		take_answer(checks, &answer);
}

int ping_open(struct checks *checks, struct err *err)
{
	int fds[ICMP_FDS];
	int r = icmp_open(&checks->icmp, err);

	if (r < 0)
		return r;
	icmp_fds(checks->icmp, fds);
	for (size_t i = 0; i < ICMP_FDS; i++) {
		if (fds[i] < 0)
			continue;
		checks->icmp_events[i] =
			event_new(checks->base, fds[i], EV_READ | EV_PERSIST, on_icmp, checks);
		event_add(checks->icmp_events[i], NULL);
	}
	return 0;
}

void ping_close(struct checks *checks)
{
	for (size_t i = 0; i < ICMP_FDS; i++) {
		if (checks->icmp_events[i])
			event_free(checks->icmp_events[i]);
		checks->icmp_events[i] = NULL;
	}
	icmp_close(checks->icmp);
	checks->icmp = NULL;
}
