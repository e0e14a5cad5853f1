/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/api/follow.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <utlist.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/http_server.h"
#include "controller/io/api/access.h"

struct follower {
	struct follow *follow;
	struct http_request *request;
	struct event *timeout;
	uint64_t after;
	struct follower *prev, *next; /* utlist */
};

struct follow {
	struct event_base *base;
	const struct config *config;
	struct journal *journal;
	struct follower *followers;
};

static void follower_free(struct follower *follower)
{
	DL_DELETE(follower->follow->followers, follower);
	event_free(follower->timeout);
	free(follower);
}

static void answer(struct follow *follow, struct http_request *request, uint64_t after)
{
	http_reply_json(request, 200, journal_answer(follow->journal, after, FOLLOW_ANSWER_MAX));
}

static void answer_follower(struct follower *follower)
{
	struct http_request *request = follower->request;
	struct follow *follow = follower->follow;
	uint64_t after = follower->after;
	follower_free(follower);
	answer(follow, request, after);
}

static void on_timeout(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	answer_follower(context);
}

static void on_gone(struct http_request *request, void *context)
{
	(void)request;
	follower_free(context);
}

/* The answers go out with the next turn of the loop: whoever has just added an event has an order to send first. */
static void on_added(void *context)
{
	struct follow *follow = context;
	for (struct follower *follower = follow->followers; follower; follower = follower->next)
		event_active(follower->timeout, EV_TIMEOUT, 0);
}

static void hold(struct follow *follow, struct http_request *request, uint64_t after, uint64_t wait_s)
{
	struct follower *follower = mem_new(1, sizeof *follower);
	follower->follow = follow;
	follower->request = request;
	follower->after = after;
	follower->timeout = evtimer_new(follow->base, on_timeout, follower);
	evtimer_add(follower->timeout, &(struct timeval){.tv_sec = (time_t)wait_s});
	DL_PREPEND(follow->followers, follower);
	http_request_hold(request, on_gone, follower);
}

/* "12", "-3" (before the last three), or absent. */
static int parse_after(const struct journal *journal, const char *text, uint64_t *ret_after)
{
	uint64_t count;
	*ret_after = 0;
	if (!text || !*text)
		return 0;
	if (*text != '-')
		return text_to_u64(text, 0, INT64_MAX, ret_after);
	int r = text_to_u64(text + 1, 0, STORE_EVENTS_KEPT, &count);
	if (r >= 0)
		*ret_after = count ? journal_before_last(journal, count) : journal_newest(journal);
	return r;
}

static void handle_events(struct http_request *request, void *context)
{
	struct follow *follow = context;
	const char *wait = http_request_query(request, "wait");
	char who[STORE_WHO_MAX + 1];
	uint64_t after, wait_s = 0;
	if (!access_allowed(request, follow->config, who))
		return;
	if (parse_after(follow->journal, http_request_query(request, "after"), &after) < 0 ||
		(wait && text_to_u64(wait, 0, FOLLOW_WAIT_MAX_S, &wait_s) < 0)) {
		http_reply_problem(request, 400, "expected ?after=SEQ (or -N) and wait=SECONDS (at most %d)",
			FOLLOW_WAIT_MAX_S);
		return;
	}
	if (after > journal_newest(follow->journal))
		after = journal_newest(follow->journal);
	if (wait_s && after >= journal_newest(follow->journal))
		hold(follow, request, after, wait_s);
	else
		answer(follow, request, after);
}

struct follow *follow_new(struct event_base *base, const struct config *config, struct journal *journal)
{
	struct follow *follow = mem_new(1, sizeof *follow);
	follow->base = base;
	follow->config = config;
	follow->journal = journal;
	journal_watch(journal, on_added, follow);
	return follow;
}

void follow_serve(struct follow *follow, struct http_server *server)
{
	http_server_route(server, &(struct http_route){.methods = HTTP_GET,
					  .path = "/v1/events",
					  .handle = handle_events,
					  .context = follow});
}

void follow_free(struct follow *follow)
{
	if (!follow)
		return;
	while (follow->followers)
		follower_free(follow->followers);
	journal_watch(follow->journal, NULL, NULL);
	free(follow);
}
