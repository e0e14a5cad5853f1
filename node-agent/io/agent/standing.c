/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/standing.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "node-agent/core/readiness/readiness.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/rtnl/neighbour.h"

enum {
	HOPS_WANTED_MAX = PROTO_ROUTES_MAX + PROTO_ADDRESSES_MAX,
	HOPS_EVERY_MS = 30000, /* the underlay's router may be another */
	MEMBER_HEARD_MS = 1000,
	EVERY_MS = 1000,
	SOON_MS = 200,       /* for a new standby, so that its pool does not wait for the second */
	BEGINNING_MS = 5000, /* so long it is new */
};

struct seat_standing {
	struct readiness readiness;
	int64_t standby_ms;       /* since when; READINESS_NEVER: it is none */
	uint64_t hops_of;         /* the generation that the list of hops is of ... */
	int64_t hops_ms;          /* ... and when it was made */
	int64_t aged_ms;          /* of when the standing's age is */
	struct standing standing; /* endpoint "": not judged yet */
};

/* ---- whom to ask ---- */

static void add_hop(struct readiness_hop *hops, size_t *count, enum readiness_hop_kind kind,
	const char *interface, const struct addr *address)
{
	struct readiness_hop *hop = &hops[(*count)++];

	*hop = (struct readiness_hop){.kind = kind, .address = *address};
	text_copy(hop->interface, sizeof(hop->interface), interface);
}

/* Witnesses first: they are few, and routes may be many. */
static void choose_hops(struct agent_seat *seat, int64_t now_ms)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(seat);
	struct readiness_hop *hops = mem_new(HOPS_WANTED_MAX, sizeof(*hops));
	struct addr witnesses[PROTO_ADDRESSES_MAX];
	size_t count = 0, witness_count = witness_list(seat, witnesses);

	for (size_t i = 0; i < witness_count; i++)
		add_hop(hops, &count, READINESS_WITNESS, endpoint->dial_interface, &witnesses[i]);
	for (size_t i = 0; i < endpoint->route_count; i++)
		if (addr_is_set(&endpoint->routes[i].via))
			add_hop(hops, &count, READINESS_ROUTER, endpoint->routes[i].interface,
				&endpoint->routes[i].via);
	readiness_ask(&seat->standing->readiness, hops, count, now_ms);
	free(hops);
}

static void refresh_hops(struct agent_seat *seat, int64_t now_ms)
{
	struct seat_standing *of = seat->standing;
	uint64_t generation = seat->agent->held.desired->generation;

	if (of->hops_of == generation && now_ms - of->hops_ms < HOPS_EVERY_MS)
		return;
	choose_hops(seat, now_ms);
	of->hops_of = generation;
	of->hops_ms = now_ms;
}

static void ask_hops(struct agent_seat *seat)
{
	const struct readiness *readiness = &seat->standing->readiness;

	for (size_t i = 0; i < readiness->hop_count; i++) {
		const struct readiness_hop *hop = &readiness->hops[i];

		if (hop->kind == READINESS_WITNESS)
			witness_ask_one(seat->agent, hop->interface, &hop->address);
		else
			witness_ask_hop(seat->agent, hop->interface, &hop->address);
	}
}

void standing_answered(struct agent *agent, const struct addr *from, unsigned ifindex)
{
	char name[IF_NAMESIZE] = "";
	int64_t now_ms = clock_now_ms();

	for (size_t i = 0; i < agent->seat_count; i++) {
		struct seat_standing *of = agent->seats[i]->standing;

		if (!of)
			continue;
		if (ifindex && !name[0] && !if_indextoname(ifindex, name))
			return; /* it has gone meanwhile */
		readiness_answered(&of->readiness, from, ifindex ? name : NULL, now_ms);
	}
}

/* ---- what is seen ---- */

static void look_at_link(struct agent *agent, struct readiness_view *view, const char *interface)
{
	struct readiness_link *link;

	if (!interface[0] || view->link_count == READINESS_LINKS_MAX)
		return;
	for (size_t i = 0; i < view->link_count; i++)
		if (!strcmp(view->links[i].name, interface))
			return;
	link = &view->links[view->link_count++];
	text_copy(link->name, sizeof(link->name), interface);
	link->usable = agent_has_carrier(agent, interface);
}

static void look_at_links(struct agent_seat *seat, struct readiness_view *view)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(seat);

	look_at_link(seat->agent, view, endpoint->dial_interface);
	for (size_t i = 0; i < endpoint->inside_count; i++)
		look_at_link(seat->agent, view, endpoint->inside[i].interface);
	for (size_t i = 0; i < endpoint->route_count; i++)
		look_at_link(seat->agent, view, endpoint->routes[i].interface);
}

static void look_at_pool(const struct agent_seat *seat, struct readiness_view *view, int64_t now_ms)
{
	const struct succession *pool = &seat->succession;

	view->generation = seat->agent->held.desired->generation;
	view->floor = seat->agent->floor.known;
	view->floor_confirmed = seat->agent->floor.confirmed;
	view->owner = "";
	for (size_t i = 0; i < pool->member_count; i++) {
		const struct succession_member *member = &pool->members[i];
		bool heard =
			member->heard_ms != SUCCESSION_NEVER && now_ms - member->heard_ms < MEMBER_HEARD_MS;

		if (i != pool->owner) {
			view->witnesses += heard;
		} else if (heard) {
			view->owner = member->name;
			view->owner_generation = member->generation;
		}
	}
}

static const struct desired_partner *find_partner(const struct agent *agent, const char *name)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; i < desired->partner_count; i++)
		if (!desired->partners[i].is_controller && !strcmp(desired->partners[i].name, name))
			return &desired->partners[i];
	return NULL;
}

/* Steering sends a frame to its address, which the kernel knows from the beats. */
static bool is_neighbour(struct agent_seat *seat, const char *member)
{
	struct agent *agent = seat->agent;
	const struct desired_partner *partner = find_partner(agent, member);
	uint8_t mac[RTNL_MAC_BYTES];
	struct rtnl_link link;

	if (!partner || rtnl_link_get(reconcile_rtnl(agent->reconcile),
				agent_seat_endpoint(seat)->dial_interface, &link, NULL) < 0)
		return false;
	for (size_t i = 0; i < partner->address_count; i++)
		if (rtnl_neighbour_get(reconcile_rtnl(agent->reconcile), link.ifindex, &partner->addresses[i],
			    mac, NULL) == 0)
			return true;
	return false;
}

static void look_at_all(struct agent_seat *seat, struct readiness_view *view, int64_t now_ms)
{
	struct agent *agent = seat->agent;

	view->standby_ms = seat->standing->standby_ms;
	view->compared_ms = agent->compared_ms;
	view->difference = agent->fit ? "" : agent->failure;
	view->exclusive = agent_seat_endpoint(seat)->isolation == ISOLATION_FENCE;
	view->forgets = seat->seat.forgets;
	view->mirrors = agent->flows != NULL;
	view->mirrored_ms = flows_mirrored_ms(seat, &view->mirror_why);
	look_at_links(seat, view);
	look_at_pool(seat, view, now_ms);
	view->owner_is_neighbour = view->owner[0] && is_neighbour(seat, view->owner);
}

/* ---- the verdict ---- */

static void tell_change(struct agent_seat *seat, const struct standing *before)
{
	const struct standing *standing = &seat->standing->standing;

	if (before->endpoint[0] && before->ready == standing->ready)
		return;
	if (standing->ready)
		journal_add(&seat->agent->journal, "ready", standing->endpoint, "could take it over");
	else if (before->endpoint[0]) /* a beginning is no news */
		journal_add(
			&seat->agent->journal, "not-ready", standing->endpoint, "%s", standing->reasons[0]);
	control_report_now(seat->agent->control);
}

static void judge(struct agent_seat *seat, int64_t now_ms)
{
	struct seat_standing *of = seat->standing;
	struct readiness_view *view = mem_new(1, sizeof(*view));
	struct standing *before = mem_new(1, sizeof(*before));

	*before = of->standing;
	look_at_all(seat, view, now_ms);
	readiness_judge(&of->readiness, view, now_ms, &of->standing);
	text_copy(of->standing.endpoint, sizeof(of->standing.endpoint), seat->seat.config.endpoint);
	of->aged_ms = now_ms;
	tell_change(seat, before);
	free(before);
	free(view);
}

/* Looked at from now on: what was seen of the kernel before may have been an owner's. */
static void begin(struct agent_seat *seat, int64_t now_ms)
{
	seat->standing = mem_new(1, sizeof(*seat->standing));
	seat->standing->standby_ms = now_ms;
	readiness_init(&seat->standing->readiness);
	agent_look_soon(seat->agent);
}

static void look_at_seat(struct agent_seat *seat, int64_t now_ms)
{
	if (seat->seat.role != SEAT_STANDBY) {
		standing_free(seat);
		return;
	}
	if (!seat->standing)
		begin(seat, now_ms);
	refresh_hops(seat, now_ms);
	judge(seat, now_ms);
	ask_hops(seat); /* answers are there when it is judged next */
}

/* A standby that is new and lacks something yet is looked at sooner. */
static bool is_beginning(const struct agent *agent, int64_t now_ms)
{
	for (size_t i = 0; i < agent->seat_count; i++) {
		const struct seat_standing *of = agent->seats[i]->standing;

		if (of && !of->standing.ready && now_ms - of->standby_ms < BEGINNING_MS)
			return true;
	}
	return false;
}

static void schedule(struct agent *agent, int wait_ms)
{
	event_add(agent->standing,
		&(struct timeval){.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000});
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;
	int64_t now_ms = clock_now_ms();

	(void)fd;
	(void)what;
	for (size_t i = 0; agent->held.desired && i < agent->seat_count; i++)
		look_at_seat(agent->seats[i], now_ms);
	schedule(agent, is_beginning(agent, now_ms) ? SOON_MS : EVERY_MS);
}

void standing_open(struct agent *agent)
{
	agent->standing = evtimer_new(agent->base, on_timer, agent);
	schedule(agent, SOON_MS);
}

void standing_close(struct agent *agent)
{
	if (agent->standing)
		event_free(agent->standing);
	agent->standing = NULL;
}

void standing_begin(struct agent *agent)
{
	if (!agent->standing)
		return;
	for (size_t i = 0; i < agent->seat_count; i++)
		if (agent->seats[i]->seat.role == SEAT_STANDBY && !agent->seats[i]->standing)
			begin(agent->seats[i], clock_now_ms());
	schedule(agent, SOON_MS);
}

const struct standing *standing_of(const struct agent_seat *seat)
{
	struct seat_standing *of = seat->standing;
	int64_t now_ms = clock_now_ms();

	if (!of || !of->standing.endpoint[0] || seat->seat.role != SEAT_STANDBY)
		return NULL;
	if (of->standing.proved_ago_ms != STANDING_NEVER)
		of->standing.proved_ago_ms += (uint32_t)(now_ms - of->aged_ms);
	of->aged_ms = now_ms;
	return &of->standing;
}

static void fill_unknown(const struct agent_seat *seat, struct standing *standing)
{
	*standing = (struct standing){.proved_ago_ms = STANDING_NEVER, .reason_count = 1};
	text_copy(standing->endpoint, sizeof(standing->endpoint), seat->seat.config.endpoint);
	text_copy(standing->reasons[0], sizeof(standing->reasons[0]), "it has not been looked at yet");
}

void standing_fill(const struct agent *agent, struct report *report)
{
	for (size_t i = 0; i < agent->seat_count; i++) {
		const struct agent_seat *seat = agent->seats[i];
		const struct standing *standing = standing_of(seat);

		if (standing)
			report->standings[report->standing_count++] = *standing;
		else if (seat->seat.role == SEAT_STANDBY)
			fill_unknown(seat, &report->standings[report->standing_count++]);
	}
}

void standing_diagnose(const struct agent *agent, struct health *health)
{
	for (size_t i = 0; i < agent->seat_count; i++) {
		const struct standing *standing = standing_of(agent->seats[i]);

		for (size_t j = 0; standing && !standing->ready && j < standing->reason_count; j++)
			health_warning(health, "%s could not be taken over as it should: %s",
				standing->endpoint, standing->reasons[j]);
	}
}

void standing_free(struct agent_seat *seat)
{
	free(seat->standing);
	seat->standing = NULL;
}
