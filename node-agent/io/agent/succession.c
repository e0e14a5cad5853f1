/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"

/*
 * FAILOVER rule 8: the decision is core/succession's. Here it hears what this gateway hears, asks whom it wants asked,
 * and what it takes is taken as if a controller had ordered it.
 */

static struct succession_view look(const struct agent_seat *seat)
{
	const struct agent *agent = seat->agent;

	return (struct succession_view){.highest = seat->seat.disk.highest,
		.generation = agent->held.desired->generation,
		.floor = agent->floor.known,
		.frozen = agent->frozen,
		.ready = !agent->stranger && !leave_is_leaving(&agent->leave) &&
			 seat_is_ready(&seat->seat, clock_now_ms())};
}

static void schedule(struct agent_seat *seat)
{
	struct succession_view view = look(seat);
	int64_t now_ms = clock_now_ms(), deadline_ms = succession_deadline(&seat->succession, &view, now_ms);
	int64_t wait_ms = deadline_ms > now_ms ? deadline_ms - now_ms : 0;
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

	if (deadline_ms == INT64_MAX)
		event_del(seat->succession_timer);
	else
		event_add(seat->succession_timer, &wait);
}

/* ---- what it wants done ---- */

/* Without a sender (RFC 5227, RFC 4861 section 7.2.2): nobody's neighbour table may learn from a question. Where nobody
 * can be asked, nobody's silence is worth anything. */
static void probe(struct agent_seat *seat)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(seat);
	int r = 0;

	for (size_t i = 0; i < endpoint->dial_count && r >= 0; i++)
		r = probe_send(seat->agent->probe, endpoint->dial_interface, &endpoint->dial[i], NULL);
	if (r >= 0)
		return;
	log_limited(LEVEL_WARNING, "seat", "address-not-probed", seat->seat.config.endpoint,
		log_text("endpoint", seat->seat.config.endpoint), log_errno(r));
	agent_succession_step(seat, (struct succession_event){.kind = SUCCESSION_EVENT_ANSWERED});
}

static void claim(struct agent_seat *seat, const struct epoch *epoch)
{
	seat->claim = seat->seat.disk.claimed = *epoch;
	seat->claim_number = agent_save_seats(seat->agent);
}

static void take(struct agent_seat *seat, const struct succession_action *action)
{
	struct order order = {.epoch = action->epoch, .detect_ms = action->detect_ms};
	struct seat_event event = {.kind = SEAT_EVENT_ORDER, .order = &order};
	char epoch[EPOCH_TEXT_MAX];

	text_copy(order.endpoint, sizeof(order.endpoint), seat->seat.config.endpoint);
	text_copy(order.owner, sizeof(order.owner), seat->seat.config.gateway);
	text_copy(order.from, sizeof(order.from), action->from);
	text_copy(order.cause, sizeof(order.cause), "no-controller");
	seat->ordered_ms = clock_now_ms();
	moments_decided(seat->agent, &order);
	agent_seat_step(seat, &event);
	journal_add(&seat->agent->journal, "succession", order.endpoint,
		"%s goes from %s to %s under %s: %s is dead, and no controller answers (noticed in %u ms)%s",
		order.endpoint, order.from, order.owner, epoch_format(&order.epoch, epoch), order.from,
		order.detect_ms, agent_seat_serves(seat) ? "" : "; it could not be taken");
	control_report_now(seat->agent->control);
}

static void act(struct agent_seat *seat, const struct succession_action *action)
{
	switch (action->kind) {
	case SUCCESSION_ACTION_ASK_LEADER:
		control_ask(seat->agent->control);
		return;
	case SUCCESSION_ACTION_ASK_WITNESS:
		witness_ask(seat);
		return;
	case SUCCESSION_ACTION_PROBE:
		probe(seat);
		return;
	case SUCCESSION_ACTION_PERSIST:
		claim(seat, &action->epoch);
		return;
	case SUCCESSION_ACTION_TAKE:
		take(seat, action);
		return;
	}
}

void agent_succession_step(struct agent_seat *seat, struct succession_event event)
{
	struct succession_actions actions = {0};
	unsigned step = ++seat->succession_steps;

	event.view = look(seat);
	succession_step(&seat->succession, &event, clock_now_ms(), &actions);
	for (size_t i = 0; i < actions.count; i++) {
		if (actions.items[i].kind == SUCCESSION_ACTION_TAKE && seat->succession_steps != step)
			continue; /* an action before it has brought an event, which may speak against it */
		act(seat, &actions.items[i]);
	}
	schedule(seat);
}

/* ---- what it hears ---- */

void agent_successions_stalled(struct agent *agent)
{
	for (size_t i = 0; i < agent->seat_count; i++)
		agent_succession_step(
			agent->seats[i], (struct succession_event){.kind = SUCCESSION_EVENT_STALLED});
}

void agent_leader_heard(struct agent *agent, int64_t at_ms)
{
	struct succession_event event = {.kind = SUCCESSION_EVENT_LEADER, .at_ms = at_ms};

	if (at_ms > agent->leader_ms)
		agent->leader_ms = at_ms;
	for (size_t i = 0; i < agent->seat_count; i++)
		agent_succession_step(agent->seats[i], event);
}

void agent_frozen_heard(struct agent *agent, bool frozen)
{
	if (agent->frozen == frozen)
		return;
	agent->frozen = frozen;
	log_notice("seat", frozen ? "frozen" : "thawed",
		log_text("what", frozen ? "nothing is taken without a controller" : "as ever"));
	for (size_t i = 0; i < agent->seat_count; i++)
		agent_succession_step(
			agent->seats[i], (struct succession_event){.kind = SUCCESSION_EVENT_TICK});
}

bool agent_has_leader(const struct agent *agent)
{
	return clock_now_ms() - agent->leader_ms < SUCCESSION_LEADER_MS;
}

void agent_succession_heard(struct agent_seat *seat, const char *from, const struct datagram_beat *beat,
	const struct seat_state *state)
{
	agent_succession_step(seat, (struct succession_event){.kind = SUCCESSION_EVENT_HEARD,
					    .from = from,
					    .heard = state,
					    .leader_contact = beat->leader_contact,
					    .generation = beat->generation});
}

static bool is_dialled(const struct agent_seat *seat, const struct addr *address)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(seat);

	for (size_t i = 0; i < endpoint->dial_count; i++)
		if (addr_equal(&endpoint->dial[i], address))
			return true;
	return false;
}

void agent_succession_answered(struct agent *agent, const struct probe_answer *answer)
{
	char address[ADDR_TEXT_MAX];

	for (size_t i = 0; i < agent->seat_count; i++) {
		struct agent_seat *seat = agent->seats[i];

		if (!is_dialled(seat, &answer->address) ||
			!witness_is_dial_interface(seat, answer->interface))
			continue;
		log_limited(LEVEL_INFO, "seat", "address-answered", seat->seat.config.endpoint,
			log_text("endpoint", seat->seat.config.endpoint),
			log_text("address", addr_format(&answer->address, address, sizeof(address))));
		agent_succession_step(seat, (struct succession_event){.kind = SUCCESSION_EVENT_ANSWERED});
	}
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	agent_succession_step(context, (struct succession_event){.kind = SUCCESSION_EVENT_TICK});
}

static void on_written(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;
	uint64_t written = state_writer_written(agent->writer);

	(void)fd;
	(void)what;
	for (size_t i = 0; i < agent->seat_count; i++) {
		struct agent_seat *seat = agent->seats[i];
		struct succession_event event = {.kind = SUCCESSION_EVENT_PERSISTED, .epoch = seat->claim};

		if (!seat->claim_number || seat->claim_number > written)
			continue;
		seat->claim_number = 0;
		agent_succession_step(seat, event);
	}
}

/* ---- its life ---- */

static void configure(const struct agent_seat *seat, struct succession_config *config)
{
	const struct desired *desired = seat->agent->held.desired;
	const struct desired_endpoint *endpoint = agent_seat_endpoint(seat);

	*config = (struct succession_config){
		.timing = timing_from_interval(desired->liveness_ms), .member_count = endpoint->pool_count};
	text_copy(config->gateway, sizeof(config->gateway), seat->agent->config->gateway);
	memcpy(config->members, endpoint->pool, sizeof(config->members));
}

void agent_succession_begin(struct agent_seat *seat)
{
	const struct seat_disk *disk = state_find_seat(&seat->agent->disk, seat->seat.config.endpoint);
	struct succession_config config;
	struct epoch none = {0};

	configure(seat, &config);
	seat->succession_timer = event_new(seat->agent->base, -1, 0, on_timer, seat);
	succession_init(&seat->succession, &config, disk ? &disk->claimed : &none, clock_now_ms());
}

void agent_succession_refresh(struct agent_seat *seat)
{
	struct succession_config config;

	configure(seat, &config);
	succession_configure(&seat->succession, &config);
	schedule(seat);
}

void agent_succession_end(struct agent_seat *seat)
{
	event_free(seat->succession_timer);
}

void agent_succession_open(struct agent *agent)
{
	agent->written = event_new(
		agent->base, state_writer_fd(agent->writer), EV_READ | EV_PERSIST, on_written, agent);
	event_add(agent->written, NULL);
}

void agent_succession_close(struct agent *agent)
{
	if (agent->written)
		event_free(agent->written);
}
