/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/repeat/repeat.h"

enum {
	POLL_MIN_MS = 5, /* between two looks at the devices while handshakes are out */
	POLL_SHARE = 4,  /* a program tells us for a quarter of its time: many peers are polled less often */
	POLL_MAX_MS = 250,
	MESSAGE_MAX = 16,  /* actions in one message */
	TURN_MS = 10,      /* of the loop, before others get theirs */
	SETTLED_MS = 2000, /* after that only stragglers are out, and nobody counts milliseconds */
};

struct takeover_run {
	struct agent_seat *seat;
	struct wake *wake;
	struct repeat *repeat; /* NULL: nothing is repeated */
	struct event *timer;
	int64_t wake_ms;                 /* when waking began: the order came before */
	int64_t wake_wall_ms;            /* the same by the wall clock, which is what devices stamp with */
	int64_t polled_ms, poll_cost_us; /* the last one: when it began or was read, what it took */
	struct wake_actions actions;     /* what the last step wanted ... */
	size_t done;                     /* ... and how many of them are */
};

static uint64_t stamp_of(const struct wg_peer *peer)
{
	return (uint64_t)peer->handshake_s * UINT64_C(1000000000) + peer->handshake_ns;
}

struct gather {
	struct agent *agent;
	struct wake *wake;
	const char *tunnel;
};

static void gather_one(void *context, const struct sessions_entry *entry)
{
	struct gather *gather = context;
	const struct desired_peer *configured;
	struct wake_peer wake = {0};

	if (strcmp(entry->tunnel, gather->tunnel))
		return;
	configured = agent_find_peer(gather->agent->held.desired, entry->tunnel, &entry->public_key);
	if (!configured)
		return;
	text_copy(wake.tunnel, sizeof(wake.tunnel), entry->tunnel);
	wake.public_key = entry->public_key;
	wake.endpoint = entry->endpoint;
	wake.keepalive_s = configured->keepalive_s;
	wake.handshake_ms = entry->handshake_ms;
	wake.active_ms = entry->active_ms;
	wake_add(gather->wake, &wake);
}

/* The devices are not asked what handshakes they remember: reading 1,000 peers takes longer than the round trip
 * to a client. Handshakes are told from older ones by their time, see poll_devices(). */
static void gather_sessions(struct takeover_run *run)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(run->seat);
	struct gather gather = {.agent = run->seat->agent, .wake = run->wake};

	for (size_t i = 0; i < endpoint->tunnel_count; i++) {
		gather.tunnel = endpoint->tunnels[i];
		sessions_each_since(gather.agent->sessions, 0, gather_one, &gather);
	}
}

/* When waking began, by the wall clock that stamps handshakes now: it may have been set back since, and what completed
 * after that has an earlier stamp. */
static int64_t woken_wall_ms(const struct takeover_run *run, int64_t now_ms)
{
	int64_t by_now_ms = clock_wall_ms() - (now_ms - run->wake_ms);

	return by_now_ms < run->wake_wall_ms ? by_now_ms : run->wake_wall_ms;
}

static void take_handshakes(struct takeover_run *run, const struct wg_device *device)
{
	int64_t now_ms = clock_now_ms(), since_ms = woken_wall_ms(run, now_ms);

	for (size_t i = 0; i < device->peer_count; i++) {
		const struct wg_peer *peer = &device->peers[i];

		if (peer->handshake_s * 1000 + peer->handshake_ns / 1000000 >= since_ms &&
			wake_handshake(run->wake, device->name, &peer->public_key, stamp_of(peer), now_ms))
			moments_back(run->seat, device->name, &peer->public_key,
				wake_result(run->wake, now_ms).back);
	}
}

/* Has anybody come back by itself, or by us? The devices are read in a thread, see takeover_take_read(). */
static void poll_devices(struct takeover_run *run)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(run->seat);

	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		owner_ask(run->seat->agent, endpoint->tunnels[i]);
	run->polled_ms = clock_now_ms();
	run->poll_cost_us = 0;
}

/* wireguard-go takes no change while it tells, and a message now would make the loop wait for the rest of it. */
static bool is_being_read(const struct takeover_run *run)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(run->seat);

	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		if (device_reader_is_asked(run->seat->agent->reader, endpoint->tunnels[i]))
			return true;
	return false;
}

/* One message for the actions of one tunnel; a peer that is made anew is in it twice. */
struct message {
	struct wg_peer_change *changes;
	size_t count;
};

static void add_action(struct agent *agent, struct message *message, const struct wake_action *action)
{
	struct wg_peer_change change = {.public_key = action->peer->public_key,
		.flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_KEEPALIVE,
		.endpoint = action->peer->endpoint,
		.keepalive_s = action->keepalive_s};

	switch (action->kind) {
	case WAKE_POKE:
		change.flags |= WG_PEER_SET_ENDPOINT;
		message->changes[message->count++] = change;
		return;
	case WAKE_RECREATE:
		message->count += agent_recreate_peer(agent, action->peer->tunnel, &action->peer->public_key,
			&action->peer->endpoint, action->keepalive_s, &message->changes[message->count]);
		return;
	case WAKE_RESTORE:
		message->changes[message->count++] = change;
		return;
	}
}

static void send_message(struct agent *agent, const char *tunnel, const struct message *message)
{
	struct err err = {0};

	if (agent_set_peers(agent, tunnel, message->changes, message->count, &err) < 0)
		log_error("takeover", "wake-failed", log_text("tunnel", tunnel), log_err(&err));
}

/* A message of those actions of the list that are for one tunnel, from index `from` on, at most MESSAGE_MAX. */
static void do_tunnel(struct takeover_run *run, const char *tunnel, size_t from, size_t to)
{
	struct wg_peer_change changes[2 * MESSAGE_MAX] = {0};
	struct message message = {.changes = changes};

	for (size_t i = from; i < to; i++)
		if (!strcmp(run->actions.items[i].peer->tunnel, tunnel))
			add_action(run->seat->agent, &message, &run->actions.items[i]);
	send_message(run->seat->agent, tunnel, &message);
	mem_wipe(changes, sizeof(changes));
}

/* Small messages, and the loop gets its turn in between: making 256 peers anew takes wireguard-go 0.1 s. */
static void do_some_actions(struct takeover_run *run)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(run->seat);
	int64_t until_ms = clock_now_ms() + TURN_MS;

	while (run->done < run->actions.count && clock_now_ms() < until_ms) {
		size_t to = run->done + MESSAGE_MAX;

		if (to > run->actions.count)
			to = run->actions.count;
		for (size_t i = 0; i < endpoint->tunnel_count; i++)
			do_tunnel(run, endpoint->tunnels[i], run->done, to);
		run->done = to;
	}
}

static bool has_actions(const struct takeover_run *run)
{
	return run->done < run->actions.count;
}

/* From the order to a moment that is told from the begin of waking. A guest's clients are back before it is ordered to serve. */
static uint32_t since_order_ms(const struct takeover_run *run, int64_t since_wake_ms)
{
	int64_t since_ms = run->wake_ms - run->seat->ordered_ms + since_wake_ms;

	return since_ms < 0 ? 0 : (uint32_t)since_ms;
}

/* The result, and whether it says something new that is worth a report at once. */
static void take_result(struct takeover_run *run)
{
	struct agent_seat *seat = run->seat;
	struct wake_result result = wake_result(run->wake, clock_now_ms());
	bool first = result.back > 0 && seat->result.back == 0;

	seat->result.sessions = result.sessions;
	seat->result.back = result.back;
	seat->result.first_ms = result.first_ms < 0 ? 0 : since_order_ms(run, result.first_ms);
	seat->result.took_ms = since_order_ms(run, result.took_ms);
	seat->result.over = result.over;
	if (!first && !result.over)
		return;
	seat->result_told = false;
	control_report_now(seat->agent->control);
}

static void log_result(struct agent_seat *seat)
{
	const struct takeover *result = &seat->result;
	struct repeat_counters repeated = repeat_counters(seat->takeover ? seat->takeover->repeat : NULL);
	char epoch[EPOCH_TEXT_MAX];

	seat->agent->last_takeover_ms = result->took_ms;
	moments_note(seat, MOMENT_OVER, "", "%" PRIu32 " of %" PRIu32 " clients are back", result->back,
		result->sessions);
	log_notice("takeover", "takeover", log_text("endpoint", result->endpoint),
		log_text("epoch", epoch_format(&result->epoch, epoch)), log_text("from", result->from),
		log_text("cause", result->cause), log_u64("detect_ms", result->detect_ms),
		log_u64("sessions", result->sessions), log_u64("back", result->back),
		log_u64("first_ms", result->first_ms), log_u64("took_ms", result->took_ms),
		log_u64("repeated", repeated.repeated), log_u64("not_repeated", repeated.left_out));
	journal_note(&seat->agent->journal, "takeover", result->endpoint,
		"from %s (%s): %" PRIu32 " of %" PRIu32 " sessions back, first after %" PRIu32
		" ms, took %" PRIu32 " ms",
		result->from[0] ? result->from : "nobody", result->cause, result->back, result->sessions,
		result->first_ms, result->took_ms);
}

static int64_t poll_interval_ms(const struct takeover_run *run, int64_t now_ms)
{
	int64_t interval_ms = run->poll_cost_us * POLL_SHARE / 1000;

	if (now_ms - run->wake_ms > SETTLED_MS || interval_ms > POLL_MAX_MS)
		return POLL_MAX_MS;
	return interval_ms < POLL_MIN_MS ? POLL_MIN_MS : interval_ms;
}

static int64_t next_step_ms(const struct takeover_run *run, int64_t now_ms)
{
	int64_t next_ms = wake_deadline(run->wake);
	int64_t poll_ms = run->polled_ms + poll_interval_ms(run, now_ms);

	/* Its end is the next step, unless the tunnel left the endpoint. */
	if (is_being_read(run))
		return now_ms + POLL_MAX_MS;
	if (has_actions(run))
		return now_ms;
	if (next_ms == INT64_MAX && run->seat->result.over)
		return now_ms + POLL_MIN_MS; /* repeating ends by itself, soon */
	return !run->seat->result.over && poll_ms < next_ms ? poll_ms : next_ms;
}

static void schedule(struct takeover_run *run)
{
	int64_t now_ms = clock_now_ms(), wait_ms = next_step_ms(run, now_ms) - now_ms;
	struct timeval wait = {0};

	if (wait_ms > 0)
		wait = (struct timeval){.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};
	event_add(run->timer, &wait);
}

/* Over, and nothing to restore: keepalives are as configured again. */
static void finish(struct agent_seat *seat)
{
	takeover_end(seat);
	agent_look_soon(seat->agent);
}

/* A guest's handshakes are part of a takeover that is yet to come. */
static void tell_over(struct agent_seat *seat)
{
	struct seat_event pulled = {.kind = SEAT_EVENT_PULLED};

	if (agent_seat_serves(seat)) {
		log_result(seat);
		return;
	}
	seat->pulled = seat->result.back == seat->result.sessions;
	log_info("takeover", "pulled", log_text("endpoint", seat->seat.config.endpoint),
		log_u64("sessions", seat->result.sessions), log_u64("back", seat->result.back));
	agent_seat_step(seat, &pulled);
}

/* Not while the device is read: what the look finds may be a reason against what was wanted before it. */
static void act(struct takeover_run *run)
{
	if (!has_actions(run)) {
		run->done = 0;
		wake_step(run->wake, clock_now_ms(), &run->actions);
	}
	do_some_actions(run);
}

static void step(struct takeover_run *run)
{
	struct agent_seat *seat = run->seat;
	bool was_over = seat->result.over;

	if (!is_being_read(run))
		act(run);
	take_result(run);
	if (seat->result.over && !was_over)
		tell_over(seat);
	if (seat->takeover != run)
		return; /* what was told ended it */
	if (!has_actions(run) && wake_deadline(run->wake) == INT64_MAX && !repeat_is_waiting(run->repeat))
		finish(run->seat);
	else
		schedule(run);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct takeover_run *run = context;

	(void)fd;
	(void)what;
	if (!run->seat->result.over && !has_actions(run) && !is_being_read(run) &&
		clock_now_ms() - run->polled_ms >= poll_interval_ms(run, clock_now_ms()))
		poll_devices(run);
	step(run);
}

void takeover_take_read(struct agent_seat *seat, const struct device_read *read)
{
	struct takeover_run *run = seat->takeover;

	run->polled_ms = clock_now_ms();
	run->poll_cost_us += read->took_us;
	if (read->result >= 0) {
		take_handshakes(run, &read->device);
		wake_looked(run->wake, read->tunnel, read->began_ms);
	}
	step(run);
}

static bool may_speak(void *seat)
{
	return agent_seat_left_ms(seat) > 0;
}

static uint16_t listen_port(const struct desired *desired, const char *tunnel)
{
	for (size_t i = 0; i < desired->tunnel_count; i++)
		if (!strcmp(desired->tunnels[i].name, tunnel))
			return desired->tunnels[i].listen_port;
	return 0;
}

/* Initiations that nothing answers go out again. Without it they would only be late. */
static void open_repeat(struct takeover_run *run)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(run->seat);
	struct agent *agent = run->seat->agent;
	uint16_t ports[PROTO_TUNNELS_MAX];
	struct err err = {0};

	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		ports[i] = listen_port(agent->held.desired, endpoint->tunnels[i]);
	if (repeat_open(agent->base, endpoint->dial_interface, ports, endpoint->tunnel_count, may_speak,
		    run->seat, &run->repeat, &err) < 0)
		log_info("takeover", "no-repetition", log_err(&err));
}

static void start_result(struct agent_seat *seat)
{
	const struct order *order = &seat->seat.order;

	seat->result = (struct takeover){.epoch = seat->seat.epoch, .detect_ms = order->detect_ms};
	if (!agent_seat_serves(seat))
		return; /* nothing to tell of yet */
	text_copy(seat->result.endpoint, sizeof(seat->result.endpoint), seat->seat.config.endpoint);
	text_copy(seat->result.from, sizeof(seat->result.from), order->from);
	text_copy(seat->result.cause, sizeof(seat->result.cause), order->cause);
}

void takeover_start(struct agent_seat *seat)
{
	struct takeover_run *run = mem_new(1, sizeof(*run));

	takeover_end(seat);
	seat->takeover = run;
	seat->pulled = false;
	seat->agent->takeovers += agent_seat_serves(seat);
	start_result(seat);
	run->seat = seat;
	run->wake_ms = run->polled_ms = clock_now_ms();
	run->wake_wall_ms = clock_wall_ms();
	run->timer = event_new(seat->agent->base, -1, 0, on_timer, run);
	run->wake = wake_new(run->wake_ms, seat->agent->boot ^ (uint64_t)run->wake_ms);
	gather_sessions(run);
	if (wake_result(run->wake, run->wake_ms).sessions)
		open_repeat(run);
	step(run);
}

void takeover_go_on(struct agent_seat *seat)
{
	struct takeover before = seat->result;

	if (!seat->pulled) {
		takeover_start(seat);
		return;
	}
	seat->pulled = false;
	seat->agent->takeovers++;
	start_result(seat);
	seat->result.sessions = before.sessions;
	seat->result.back = before.back;
	seat->result.over = true;
	log_result(seat);
	control_report_now(seat->agent->control);
}

void takeover_end(struct agent_seat *seat)
{
	struct takeover_run *run = seat->takeover;

	if (!run)
		return;
	seat->takeover = NULL;
	repeat_close(run->repeat);
	event_free(run->timer);
	wake_free(run->wake);
	free(run);
}

void takeover_refresh(struct agent_seat *seat, const struct desired *before)
{
	const struct desired *now = seat->agent->held.desired;

	if (!seat->takeover || !before)
		return;
	for (size_t i = 0; i < before->peer_count; i++) {
		const struct desired_peer *peer = &before->peers[i];

		if (!agent_find_peer(now, peer->tunnel, &peer->public_key))
			wake_remove(seat->takeover->wake, peer->tunnel, &peer->public_key);
	}
}
