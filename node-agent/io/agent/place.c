/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/place.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/log.h"
#include "node-agent/core/plan/target.h"
#include "node-agent/core/quick/target.h"
#include "node-agent/io/agent/agent_int.h"

struct place {
	struct place *next;
	struct agent *agent;
	unsigned users;
	char *where;
	char name[NAME_MAX + 1]; /* "": it has no files in /etc/netns */
	struct netns netns;
	struct rtnl *rtnl;
	struct monitor *monitor;
	struct nft *nft; /* NULL: there is no nftables */
	struct nft_watch *watch;
	struct event *monitor_event, *watch_event;
	struct underlay underlay;
};

/* ---- doing something there ---- */

struct errand {
	const struct netns *netns;
	place_work *work;
	void *context;
	int result;
	struct err err;
};

static void *go(void *context)
{
	CLEANUP_NETNS_VISIT struct netns_visit visit = {.back_fd = -1};
	struct errand *errand = context;

	errand->result = netns_enter(errand->netns, &visit, &errand->err);
	if (errand->result >= 0)
		errand->result = errand->work(errand->context, &errand->err);
	return NULL;
}

static int run_errand(struct errand *errand, void *(*start)(void *), struct err *err)
{
	sigset_t all, before;
	pthread_t thread;
	int r;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(&thread, NULL, start, errand);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (r)
		return err_set(err, -r, "cannot start a thread: %s", strerror(r));
	pthread_join(thread, NULL);
	if (errand->result < 0 && err)
		*err = errand->err;
	return errand->result;
}

int place_do(const struct place *place, place_work *work, void *context, struct err *err)
{
	struct errand errand = {.netns = &place->netns, .work = work, .context = context};

	return run_errand(&errand, go, err);
}

/* ---- what is heard ---- */

static bool is_of_us(const struct rtnl_route *route)
{
	return route->protocol == QUICK_PROTOCOL || route->protocol == QUICK_PROTOCOL_HOST ||
	       route->protocol == PLAN_PROTOCOL;
}

static bool may_change_ways(const struct monitor_event *event)
{
	switch (event->kind) {
	case MONITOR_LINK:
	case MONITOR_LINK_GONE:
	case MONITOR_ADDRESS:
	case MONITOR_ADDRESS_GONE:
	case MONITOR_RESYNC:
		return true;
	case MONITOR_ROUTE:
	case MONITOR_ROUTE_GONE:
		return event->route.table != RT_TABLE_LOCAL && !is_of_us(&event->route);
	case MONITOR_RULE:
	case MONITOR_RULE_GONE:
		return event->rule.protocol != QUICK_PROTOCOL;
	}
	return false;
}

static void on_event(const struct monitor_event *event, void *context)
{
	struct place *place = context;

	tunnels_told(place->agent, place, event);
	if (may_change_ways(event))
		underlay_check_soon(&place->underlay);
}

static void on_monitor(evutil_socket_t fd, short what, void *context)
{
	struct place *place = context;
	struct err err = {0};

	(void)fd;
	(void)what;
	if (monitor_read(place->monitor, on_event, place, &err) < 0)
		log_limited(LEVEL_ERROR, "agent", "monitor", place->where,
			log_text("namespace", place->where), log_err(&err));
}

static void on_watch(evutil_socket_t fd, short what, void *context)
{
	struct place *place = context;

	(void)fd;
	(void)what;
	if (nft_watch_read(place->watch) > NFT_NEWS_OTHERS)
		tunnels_firewall_changed(place->agent, place);
}

/* ---- coming and going ---- */

static int open_sockets(struct place *place, struct err *err)
{
	int r = rtnl_open(RTNL_TIMEOUT_MS, &place->rtnl, err);

	if (r >= 0)
		r = monitor_open(&place->monitor, err);
	if (r < 0)
		return r;
	if (nft_open(&place->nft, NULL) >= 0 && nft_watch_open(place->nft, &place->watch, NULL) < 0) {
		nft_close(place->nft);
		place->nft = NULL;
	}
	return 0;
}

struct finding {
	struct place *place;
	const struct quick_kept_space *space;
};

/* Even finding it means to look into it. */
static int find_and_open(struct finding *finding, struct err *err)
{
	CLEANUP_NETNS_VISIT struct netns_visit visit = {.back_fd = -1};
	struct place *place = finding->place;
	int r = netns_open(finding->space->where, &place->netns, err);

	if (r >= 0 && !place_is(place, finding->space))
		r = err_set(err, -ENOENT, "%s is another network namespace by now", finding->space->where);
	if (r >= 0)
		r = netns_enter(&place->netns, &visit, err);
	return r < 0 ? r : open_sockets(place, err);
}

static void *find(void *context)
{
	struct errand *errand = context;

	errand->result = find_and_open(errand->context, &errand->err);
	return NULL;
}

static void listen_to(struct place *place)
{
	struct event_base *base = place->agent->base;

	underlay_open(&place->underlay, place->agent, place, place->rtnl);
	place->monitor_event =
		event_new(base, monitor_fd(place->monitor), EV_READ | EV_PERSIST, on_monitor, place);
	event_add(place->monitor_event, NULL);
	if (!place->watch)
		return;
	place->watch_event =
		event_new(base, nft_watch_fd(place->watch), EV_READ | EV_PERSIST, on_watch, place);
	event_add(place->watch_event, NULL);
}

static void free_place(struct place *place)
{
	struct event *events[] = {place->monitor_event, place->watch_event};

	for (size_t i = 0; i < ARRAY_COUNT(events); i++)
		if (events[i])
			event_free(events[i]);
	underlay_close(&place->underlay);
	monitor_close(place->monitor);
	nft_watch_close(place->watch);
	nft_close(place->nft);
	rtnl_close(place->rtnl);
	netns_close(&place->netns);
	free(place->where);
	free(place);
}

static int open_place(
	struct agent *agent, const struct quick_kept_space *space, struct place **ret_place, struct err *err)
{
	struct place *place = mem_new(1, sizeof(*place));
	struct finding finding = {place, space};
	struct errand errand = {.context = &finding};
	int r;

	*place = (struct place){.agent = agent, .netns = NETNS_NONE, .where = mem_text(space->where)};
	if (!netns_name(space->where, place->name))
		place->name[0] = '\0';
	r = run_errand(&errand, find, err);
	if (r < 0) {
		free_place(place);
		return r;
	}
	listen_to(place);
	*ret_place = place;
	return 0;
}

int place_visit(
	struct agent *agent, const struct quick_kept_space *space, struct place **ret_place, struct err *err)
{
	struct place *place = agent->places;
	int r = 0;

	while (place && (!place_is(place, space) || !place_is_found(place)))
		place = place->next;
	if (!place) {
		r = open_place(agent, space, &place, err);
		if (r < 0)
			return r;
		place->next = agent->places;
		agent->places = place;
	}
	place->users++;
	*ret_place = place;
	return 0;
}

void place_leave(struct place *place)
{
	struct place **at;

	if (!place || --place->users)
		return;
	for (at = &place->agent->places; *at != place;)
		at = &(*at)->next;
	*at = place->next;
	free_place(place);
}

bool place_is(const struct place *place, const struct quick_kept_space *space)
{
	const struct netns wanted = {.fd = -1, .inode = space->inode, .cookie = space->cookie};

	return netns_same(&place->netns, &wanted);
}

bool place_is_found(const struct place *place)
{
	return netns_leads_to(place->where, &place->netns);
}

struct underlay *place_underlay(struct place *place)
{
	return &place->underlay;
}

struct resolver_place place_of_resolver(const struct place *place)
{
	return (struct resolver_place){&place->netns, place->name[0] ? place->name : NULL};
}
