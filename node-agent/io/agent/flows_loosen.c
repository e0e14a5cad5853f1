/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>

#include "common/io/log.h"
#include "node-agent/io/agent/flows_int.h"

/*
 * What a client sends by its new session comes to the LAN through the guest, and what answers it goes through the host: this kernel
 * sees one direction of a connection, and would take what acknowledges the other for invalid. That lasts as long as one client
 * is waited for.
 */
enum {
	LOOSEN_FIRST_MS = 50,  /* a move for which nobody is waited has ended by then */
	LOOSEN_AGAIN_MS = 100, /* for those that have begun since */
};

static size_t take_tcp(const struct flow_page *page, struct flow *ret_flows)
{
	size_t count = 0;

	for (size_t i = 0; i < page->count; i++)
		if (!page->items[i].gone && page->items[i].flow.protocol == FLOW_TCP)
			ret_flows[count++] = page->items[i].flow;
	return count;
}

/* True if there are more. */
static bool loosen_some(struct seat_flows *of)
{
	struct flow flows[CONNTRACK_BATCH_MAX];
	struct flow_page page;
	bool more;
	int r;

	flow_log_page(of->log, of->loosened_run, of->loosened, CONNTRACK_BATCH_MAX, &page);
	r = conntrack_loosen(of->seat->agent->flows->conntrack, flows, take_tcp(&page, flows));
	if (r < 0)
		log_limited(LEVEL_WARNING, "flows", "not-loosened", of->seat->seat.config.endpoint,
			log_text("endpoint", of->seat->seat.config.endpoint), log_errno(r));
	of->loosened_run = page.run;
	of->loosened = page.last;
	more = page.more;
	flow_page_clear(&page);
	return more;
}

static void on_loosen(evutil_socket_t fd, short what, void *context)
{
	struct seat_flows *of = context;
	struct timeval wait = {0};

	(void)fd;
	(void)what;
	if (of->seat->seat.role != SEAT_HOSTING) {
		flows_loosen_end(of);
		return;
	}
	if (!loosen_some(of))
		wait.tv_usec = LOOSEN_AGAIN_MS * 1000;
	event_add(of->loosen, &wait);
}

/* In steps, since the loop has others to serve: the role is not what it is to be yet, either. */
void flows_loosen(struct agent_seat *seat)
{
	struct seat_flows *of = seat->flows;
	const struct timeval wait = {.tv_usec = LOOSEN_FIRST_MS * 1000};

	if (!of || !of->log || of->loosen)
		return;
	of->loosened_run = of->loosened = 0;
	of->loosen = evtimer_new(seat->agent->base, on_loosen, of);
	event_add(of->loosen, &wait);
}

void flows_loosen_end(struct seat_flows *of)
{
	if (of->loosen)
		event_free(of->loosen);
	of->loosen = NULL;
}
