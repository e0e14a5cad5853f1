/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cluster/budget.h"
#include "tests/sim/world.h"

static int64_t now_us(const struct world *world)
{
	return world->now * 1000;
}

void watcher_start(struct world *world, size_t host)
{
	struct host *h = &world->hosts[host];

	for (size_t i = 0; i < HOSTS; i++) {
		struct watched *other = &h->others[i];
		*other = (struct watched){.used = i != host && host_exists(world, i) &&
						  !(host_controls(host) && host_controls(i))};
		other->watch = other->used && !host_controls(i);
		contact_init(&other->contact, &world->timing, h->boot);
		verdict_init(&other->verdict, &world->timing, world->now);
	}
}

static void post(struct world *world, size_t from, size_t to, struct message *message)
{
	struct watched *other = &world->hosts[from].others[to];

	message->kind = MSG_DATAGRAM;
	message->from = from;
	message->to = to;
	message->head.boot = world->hosts[from].boot;
	message->head.seq = ++other->seq;
	message->head.time_us = (uint64_t)now_us(world);
	network_send(world, message);
}

static void post_with_echo(struct world *world, size_t from, size_t to, struct message *message)
{
	message->head.echo = contact_echo(&world->hosts[from].others[to].contact, now_us(world));
	post(world, from, to, message);
}

static void send_beat(struct world *world, size_t host, size_t to)
{
	struct message beat = {.head = {.kind = DATAGRAM_BEAT}};

	if (!host_controls(host))
		seat_state_fill(&world->hosts[host].seat, world->now, &beat.seat);
	floor_fill(world, host, &beat);
	beat.frozen = host_controls(host) && world->hosts[host].frozen;
	beat.leader_contact = !host_controls(host) && successor_has_leader(world, host);
	post_with_echo(world, host, to, &beat);
}

void watcher_beat(struct world *world, size_t host)
{
	world->hosts[host].next_beat_ms = world->now + 45 + (int64_t)world_random(world, 11);
	for (size_t i = 0; i < HOSTS; i++)
		if (world->hosts[host].others[i].used)
			send_beat(world, host, i);
}

static bool in_contact(const struct world *world, size_t host, size_t with)
{
	return contact_is_made(&world->hosts[host].others[with].contact, now_us(world));
}

static bool is_silent(const struct world *world, const struct watched *other)
{
	bool down = other->verdict.kind == VERDICT_DEAD || other->verdict.kind == VERDICT_AGENT_DOWN;

	if (other->contact.heard_us == CONTACT_NEVER ||
		(down && world->now - other->verdict.since_ms >= 1000))
		return false;
	return now_us(world) - other->contact.heard_us >= world->timing.together_ms * INT64_C(1000);
}

static struct verdict_view look(const struct world *world, size_t host, size_t about)
{
	const struct host *h = &world->hosts[host];
	struct verdict_view view = {.other_heard_ms = VERDICT_NEVER};

	if (!host_controls(host) && h->seat.witness_ms != SEAT_NEVER)
		view.other_heard_ms = h->seat.witness_ms;
	view.blind = !host_controls(host) && !seat_underlay_is_ok(&h->seat, world->now);
	view.wait_ms = contact_wait_ms(&h->others[about].contact);
	view.probes = BUDGET_PROBES;
	for (size_t i = 0; i < HOSTS; i++) {
		const struct watched *other = &h->others[i];
		if (!other->used)
			continue;
		view.watched += other->watch;
		view.silent += other->watch && is_silent(world, other);
		if (i == about)
			continue;
		view.observers += in_contact(world, host, i);
		if (other->contact.heard_us != CONTACT_NEVER &&
			other->contact.heard_us / 1000 > view.other_heard_ms)
			view.other_heard_ms = other->contact.heard_us / 1000;
	}
	return view;
}

static void send_silence(struct world *world, size_t host, size_t suspect, bool result)
{
	struct message message = {.head = {.kind = DATAGRAM_SILENCE}, .suspect = suspect};
	bool blind = !host_controls(host) && !seat_underlay_is_ok(&world->hosts[host].seat, world->now);

	verdict_report(
		&world->hosts[host].others[suspect].verdict, result, blind, world->now, &message.silence);
	for (size_t i = 0; i < HOSTS; i++)
		if (i != suspect && contact_may_hear(&world->hosts[host].others[i].contact, now_us(world)))
			for (uint32_t copy = 0; copy < world->timing.copies; copy++)
				post_with_echo(world, host, i, &message);
}

static void probe_kernel(struct world *world, size_t host, size_t about, uint32_t count)
{
	struct message answer = {.kind = MSG_KERNEL, .from = about, .to = host};

	for (uint32_t i = 0; i < count; i++)
		network_send(world, &answer);
}

static void act(struct world *world, size_t host, size_t about, const struct verdict_action *action)
{
	struct message probe = {.head = {.kind = DATAGRAM_PROBE}};

	switch (action->kind) {
	case VERDICT_ACTION_CALL:
	case VERDICT_ACTION_RESULT:
		send_silence(world, host, about, action->kind == VERDICT_ACTION_RESULT);
		return;
	case VERDICT_ACTION_PROBE:
		for (uint32_t i = 0; i < action->count; i++)
			post_with_echo(world, host, about, &probe);
		return;
	case VERDICT_ACTION_KERNEL_PROBE:
		probe_kernel(world, host, about, action->count);
		return;
	case VERDICT_ACTION_CHANGED:
		world_say(world, "%s: %s is %s", world_name(host), world_name(about),
			verdict_kind_name(world->hosts[host].others[about].verdict.kind));
		if (host_controls(host))
			controller_verdict(world, host, about);
		else
			successor_verdict(world, host, about);
		return;
	}
}

void watcher_event(struct world *world, size_t host, size_t about, struct verdict_event event)
{
	struct verdict_actions actions = {0};

	event.view = look(world, host, about);
	verdict_step(&world->hosts[host].others[about].verdict, &event, world->now, &actions);
	for (size_t i = 0; i < actions.count; i++)
		act(world, host, about, &actions.items[i]);
}

void watcher_tick(struct world *world, size_t host)
{
	struct host *h = &world->hosts[host];

	for (size_t i = 0; i < HOSTS; i++)
		if (h->others[i].watch && verdict_deadline(&h->others[i].verdict) <= world->now)
			watcher_event(world, host, i, (struct verdict_event){.kind = VERDICT_EVENT_TICK});
	if (world->now >= h->next_beat_ms)
		watcher_beat(world, host);
}

static void answer(struct world *world, size_t host, const struct message *probe)
{
	struct message message = {.head = {.kind = DATAGRAM_ANSWER}};

	for (uint32_t i = 0; i < world->timing.answers; i++) {
		message.head.echo =
			(struct datagram_echo){.boot = probe->head.boot, .time_us = probe->head.time_us};
		post(world, host, probe->from, &message);
	}
}

static void take_silence(struct world *world, size_t host, const struct message *message)
{
	struct verdict_event event = {.kind = VERDICT_EVENT_REPORT};

	if (message->suspect == host)
		return;
	event.report.observer = message->from;
	event.report.silent_ms = message->silence.silent_ms;
	event.report.burst_done = message->silence.burst_done;
	event.report.agent_answered = message->silence.agent_answered;
	event.report.kernel_answered = message->silence.kernel_answered;
	event.report.blind = message->silence.blind;
	watcher_event(world, host, message->suspect, event);
}

static void take_in(struct world *world, size_t host, const struct message *message, bool newly)
{
	struct watched *other = &world->hosts[host].others[message->from];
	bool proven = other->contact.proof_us == message->due_ms * 1000;

	if (newly)
		send_beat(world, host, message->from);
	if (other->watch)
		watcher_event(world, host, message->from,
			(struct verdict_event){.kind = VERDICT_EVENT_HEARD, .at_ms = message->due_ms});
	if (!host_controls(host))
		gateway_heard(world, host, message->from, message, proven);
	else if (message->head.kind == DATAGRAM_BEAT && message->head.seq == other->contact.highest_seq)
		controller_heard(world, host, message->from, message);
	if (message->head.kind == DATAGRAM_PROBE)
		answer(world, host, message);
	if (message->head.kind == DATAGRAM_SILENCE)
		take_silence(world, host, message);
}

static void take_datagram(struct world *world, size_t host, const struct message *message)
{
	struct watched *other = &world->hosts[host].others[message->from];
	bool made = in_contact(world, host, message->from);

	switch (contact_receive(&other->contact, &message->head, message->due_ms * 1000)) {
	case CONTACT_TAKEN:
		take_in(world, host, message, !made && in_contact(world, host, message->from));
		return;
	case CONTACT_UNPROVEN:
		if (message->head.kind == DATAGRAM_PROBE)
			answer(world, host, message);
		if (!host_controls(host)) /* an epoch is true whoever repeats it */
			gateway_heard(world, host, message->from, message, false);
		return;
	case CONTACT_REPLAY:
	case CONTACT_STALE:
		return;
	}
}

void watcher_receive(struct world *world, size_t host, const struct message *message)
{
	if (!host_works(world, host))
		return;
	switch (message->kind) {
	case MSG_DATAGRAM:
		take_datagram(world, host, message);
		return;
	case MSG_KERNEL:
		watcher_event(
			world, host, message->from, (struct verdict_event){.kind = VERDICT_EVENT_KERNEL});
		return;
	case MSG_WITNESS:
	case MSG_ORDER:
	case MSG_COMMIT:
	case MSG_REPLY:
	case MSG_ADDRESS:
		gateway_receive(world, host, message);
		return;
	case MSG_REPORT:
		controller_receive(world, message);
		return;
	case MSG_CLAIM:
	case MSG_GRANT:
	case MSG_PROMISE:
		claim_receive(world, host, message);
		return;
	}
}
