/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/takeover_int.h"

enum {
	POLL_MIN_MS = 5, /* between two looks at the devices while handshakes are out */
	POLL_SHARE = 4,  /* a program tells us for a quarter of its time: many peers are polled less often */
	POLL_MAX_MS = 250,
	SETTLED_MS = 2000, /* after that only stragglers are out, and nobody counts milliseconds */
	SILENT_MS = 25, /* before who hangs is looked at again; repair/silence.h says when it may be asked */
};

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
 * to a client. Handshakes are told from older ones by their time, see takeover_take_handshakes(). */
static void gather_sessions(struct takeover_run *run)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(run->seat);
	struct gather gather = {.agent = run->seat->agent, .wake = run->wake};

	for (size_t i = 0; i < endpoint->tunnel_count; i++) {
		gather.tunnel = endpoint->tunnels[i];
		sessions_each_since(gather.agent->sessions, 0, gather_one, &gather);
	}
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
	if (takeover_is_being_read(run))
		return now_ms + POLL_MAX_MS;
	if (takeover_is_silent(run))
		return now_ms + SILENT_MS;
	if (takeover_has_actions(run))
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

/* Not while the device is read: what the look finds may be a reason against what was wanted before it. Nor while it hangs. */
static void act(struct takeover_run *run)
{
	if (!takeover_has_actions(run)) {
		run->done = 0;
		wake_step(run->wake, clock_now_ms(), &run->actions);
	}
	takeover_do_some(run);
}

static void step(struct takeover_run *run)
{
	struct agent_seat *seat = run->seat;
	bool was_over = seat->result.over;

	if (!takeover_is_being_read(run) && !takeover_is_silent(run))
		act(run);
	takeover_take_result(run);
	if (seat->result.over && !was_over)
		takeover_tell_over(seat);
	if (seat->takeover != run)
		return; /* what was told ended it */
	if (!takeover_has_actions(run) && wake_deadline(run->wake) == INT64_MAX &&
		!repeat_is_waiting(run->repeat))
		finish(run->seat);
	else
		schedule(run);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct takeover_run *run = context;

	(void)fd;
	(void)what;
	if (!run->seat->result.over && !takeover_has_actions(run) && !takeover_is_being_read(run) &&
		clock_now_ms() - run->polled_ms >= poll_interval_ms(run, clock_now_ms()))
		takeover_ask_devices(run);
	step(run);
}

void takeover_take_read(struct agent_seat *seat, const struct device_read *read)
{
	struct takeover_run *run = seat->takeover;

	run->polled_ms = clock_now_ms();
	run->poll_cost_us += read->took_us;
	if (read->result >= 0) {
		takeover_take_handshakes(run, &read->device);
		wake_looked(run->wake, read->tunnel, read->began_ms);
		wake_answers(run->wake, read->tunnel, run->polled_ms);
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

void takeover_start(struct agent_seat *seat)
{
	struct takeover_run *run = mem_new(1, sizeof(*run));

	takeover_end(seat);
	seat->takeover = run;
	seat->pulled = false;
	seat->agent->takeovers += agent_seat_serves(seat);
	takeover_begin_result(seat);
	run->seat = seat;
	run->is_guests = !agent_seat_serves(seat);
	run->wake_ms = run->polled_ms = clock_now_ms();
	run->wake_wall_ms = clock_wall_ms();
	run->timer = event_new(seat->agent->base, -1, 0, on_timer, run);
	run->wake = wake_new(run->wake_ms, seat->agent->boot ^ (uint64_t)run->wake_ms);
	gather_sessions(run);
	if (wake_result(run->wake, run->wake_ms).sessions)
		open_repeat(run);
	step(run);
}

/* Somebody has not answered yet. Who has is not woken once more: that would show no handshake, and cost the session. */
static void go_on_waking(struct takeover_run *run)
{
	struct agent_seat *seat = run->seat;

	run->is_guests = false;
	seat->agent->takeovers++;
	takeover_begin_result(seat);
	gather_sessions(run); /* who was not known when it became a guest */
	if (!run->repeat && wake_result(run->wake, clock_now_ms()).sessions)
		open_repeat(run);
	step(run);
}

void takeover_go_on(struct agent_seat *seat)
{
	struct takeover before = seat->result;

	if (!seat->pulled && seat->takeover && seat->takeover->is_guests) {
		go_on_waking(seat->takeover);
		return;
	}
	if (!seat->pulled) {
		takeover_start(seat);
		return;
	}
	seat->pulled = false;
	seat->agent->takeovers++;
	takeover_begin_result(seat);
	seat->result.sessions = before.sessions;
	seat->result.back = before.back;
	seat->result.over = true;
	takeover_log_result(seat);
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
