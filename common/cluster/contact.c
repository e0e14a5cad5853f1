/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cluster/contact.h"

enum { WINDOW_BITS = 64, STAMP_SLACK_US = 5000, CLOCK_DRIFT_DIVISOR = 1000 };

static int64_t us(uint32_t ms)
{
	return (int64_t)ms * 1000;
}

static bool within(int64_t then_us, int64_t now_us, uint32_t ms)
{
	return then_us != CONTACT_NEVER && now_us - then_us <= us(ms);
}

void contact_init(struct contact *contact, const struct timing *timing, uint64_t my_boot)
{
	*contact = (struct contact){
		.timing = *timing,
		.my_boot = my_boot,
		.heard_us = CONTACT_NEVER,
		.proof_us = CONTACT_NEVER,
		.evidence_us = CONTACT_NEVER,
		.echo_heard_us = CONTACT_NEVER,
		.new_heard_us = CONTACT_NEVER,
	};
}

static bool is_past_life(const struct contact *contact, uint64_t boot)
{
	for (size_t i = 0; i < CONTACT_PAST_LIVES; i++)
		if (contact->past[i] == boot)
			return true;
	return false;
}

/* How old the time of mine is that this datagram echoes; the kernel's stamps may step back a little with the wall
 * clock they are taken from. */
static bool proves(const struct contact *contact, const struct datagram_head *head, int64_t received_us)
{
	if (head->echo.boot != contact->my_boot || head->echo.time_us > INT64_MAX)
		return false;
	int64_t age_us = received_us - (int64_t)head->echo.time_us;
	return age_us >= -STAMP_SLACK_US && age_us <= us(contact->timing.echo_ms);
}

/* RFC 4303 section 3.4.3: a bit for each of the last 64 numbers. */
static bool take_seq(struct contact *contact, uint64_t seq)
{
	if (seq > contact->highest_seq) {
		uint64_t ahead = seq - contact->highest_seq;
		contact->seen = ahead < WINDOW_BITS ? contact->seen << ahead | 1 : 1;
		contact->highest_seq = seq;
		return true;
	}
	uint64_t behind = contact->highest_seq - seq;
	if (behind >= WINDOW_BITS || contact->seen >> behind & 1)
		return false;
	contact->seen |= UINT64_C(1) << behind;
	return true;
}

/* RFC 6298 section 2, with the time for which the remote held it taken off. */
static void measure_rtt(struct contact *contact, const struct datagram_echo *echo, int64_t received_us)
{
	int64_t rtt_us = received_us - (int64_t)echo->time_us - echo->held_us;
	if (rtt_us < 1)
		rtt_us = 1;
	if (rtt_us > us(contact->timing.echo_ms))
		return;
	uint32_t sample = (uint32_t)rtt_us;
	if (contact->rtt_us == 0) {
		contact->rtt_us = sample;
		contact->rtt_var_us = sample / 2;
		return;
	}
	uint32_t error = sample > contact->rtt_us ? sample - contact->rtt_us : contact->rtt_us - sample;
	contact->rtt_var_us += error / 4;
	contact->rtt_var_us -= contact->rtt_var_us / 4;
	contact->rtt_us = (uint32_t)((7 * (uint64_t)contact->rtt_us + sample) / 8);
	if (contact->rtt_us == 0)
		contact->rtt_us = 1;
}

static void begin_life(struct contact *contact, uint64_t boot)
{
	if (contact->boot != 0) {
		contact->past[contact->past_next] = contact->boot;
		contact->past_next = (contact->past_next + 1) % CONTACT_PAST_LIVES;
	}
	contact->boot = boot;
	contact->highest_seq = 0;
	contact->seen = 0;
	contact->echo_time_us = 0;
	contact->echo_heard_us = CONTACT_NEVER;
	contact->new_boot = 0;
	contact->new_heard_us = CONTACT_NEVER;
}

static enum contact_fate note_newcomer(
	struct contact *contact, const struct datagram_head *head, int64_t received_us)
{
	if (contact->new_boot != head->boot || head->time_us > contact->new_time_us) {
		contact->new_boot = head->boot;
		contact->new_time_us = head->time_us;
		contact->new_heard_us = received_us;
	}
	contact->unproven++;
	return CONTACT_UNPROVEN;
}

/* How much longer than a proven one it was under way. Two monotonic clocks differ by a constant, and drift apart by
 * less than one in CLOCK_DRIFT_DIVISOR. */
static int64_t delay_us(const struct contact *contact, const struct datagram_head *head, int64_t received_us)
{
	int64_t passed_us = received_us - contact->offset_at_us;
	int64_t drift_us = passed_us > 0 ? passed_us / CLOCK_DRIFT_DIVISOR : 0;

	return (int64_t)((uint64_t)received_us - head->time_us - contact->offset_us) - drift_us;
}

static void note_offset(struct contact *contact, const struct datagram_head *head, int64_t received_us)
{
	int64_t longer_us = delay_us(contact, head, received_us);

	/* later than the best so far, but not so much that the clock itself must have stood still: keep the best */
	if (contact->heard_us != CONTACT_NEVER && longer_us > 0 && longer_us <= us(contact->timing.echo_ms))
		return;
	contact->offset_us = (uint64_t)received_us - head->time_us;
	contact->offset_at_us = received_us;
}

static void note_heard(struct contact *contact, const struct datagram_head *head, int64_t received_us)
{
	if (received_us > contact->heard_us)
		contact->heard_us = received_us;
	if (head->seq == contact->highest_seq) {
		contact->echo_time_us = head->time_us;
		contact->echo_heard_us = received_us;
	}
}

/* Of one that was overtaken the round trip is not measured: whoever holds datagrams back a little would make us wait. */
static void note_proof(struct contact *contact, const struct datagram_head *head, int64_t received_us)
{
	const struct datagram_echo *echo = &head->echo;

	if (received_us > contact->proof_us)
		contact->proof_us = received_us;
	if ((int64_t)echo->time_us > contact->evidence_us)
		contact->evidence_us = (int64_t)echo->time_us;
	if (head->seq == contact->highest_seq)
		measure_rtt(contact, echo, received_us);
}

enum contact_fate contact_receive(
	struct contact *contact, const struct datagram_head *head, int64_t received_us)
{
	if (head->boot == 0 || is_past_life(contact, head->boot)) {
		contact->stale++;
		return CONTACT_STALE;
	}
	bool proof = proves(contact, head, received_us);
	if (head->boot != contact->boot) {
		if (!proof)
			return note_newcomer(contact, head, received_us);
		begin_life(contact, head->boot);
	}
	if (!take_seq(contact, head->seq)) {
		contact->replayed++;
		return CONTACT_REPLAY;
	}
	if (!proof && delay_us(contact, head, received_us) > us(contact->timing.echo_ms)) {
		contact->stale++;
		return CONTACT_STALE;
	}
	if (proof)
		note_offset(contact, head, received_us);
	note_heard(contact, head, received_us);
	if (proof)
		note_proof(contact, head, received_us);
	contact->taken++;
	return CONTACT_TAKEN;
}

bool contact_is_made(const struct contact *contact, int64_t now_us)
{
	return within(contact->proof_us, now_us, contact->timing.contact_ms);
}

bool contact_may_hear(const struct contact *contact, int64_t now_us)
{
	return within(contact->heard_us, now_us, contact->timing.echo_ms);
}

static bool is_heard(const struct contact *contact, int64_t heard_us, int64_t now_us)
{
	return heard_us != CONTACT_NEVER && now_us - heard_us < us(contact->timing.suspect_ms);
}

enum contact_state contact_state(const struct contact *contact, int64_t now_us)
{
	if (is_heard(contact, contact->heard_us, now_us))
		return contact_is_made(contact, now_us) ? CONTACT_TWO_WAY : CONTACT_ONE_WAY;
	if (is_heard(contact, contact->new_heard_us, now_us))
		return CONTACT_ONE_WAY;
	return contact->heard_us == CONTACT_NEVER ? CONTACT_NONE : CONTACT_SUSPECT;
}

static int64_t sooner(int64_t deadline_us, int64_t then_us, int64_t after_us, int64_t now_us)
{
	if (then_us == CONTACT_NEVER || then_us + after_us <= now_us)
		return deadline_us;
	return then_us + after_us < deadline_us ? then_us + after_us : deadline_us;
}

int64_t contact_deadline(const struct contact *contact, int64_t now_us)
{
	int64_t deadline_us = INT64_MAX;

	deadline_us = sooner(deadline_us, contact->heard_us, us(contact->timing.suspect_ms), now_us);
	deadline_us = sooner(deadline_us, contact->new_heard_us, us(contact->timing.suspect_ms), now_us);
	return sooner(deadline_us, contact->proof_us, us(contact->timing.contact_ms) + 1, now_us);
}

static struct datagram_echo echo_of(uint64_t boot, uint64_t time_us, int64_t heard_us, int64_t now_us)
{
	int64_t held_us = now_us - heard_us;
	if (held_us < 0)
		held_us = 0;
	if (held_us > UINT32_MAX)
		return (struct datagram_echo){0};
	return (struct datagram_echo){.boot = boot, .time_us = time_us, .held_us = (uint32_t)held_us};
}

struct datagram_echo contact_echo(const struct contact *contact, int64_t now_us)
{
	bool newcomer =
		contact->new_heard_us != CONTACT_NEVER && !is_heard(contact, contact->heard_us, now_us);

	if (newcomer)
		return echo_of(contact->new_boot, contact->new_time_us, contact->new_heard_us, now_us);
	if (contact->echo_heard_us == CONTACT_NEVER)
		return (struct datagram_echo){0};
	return echo_of(contact->boot, contact->echo_time_us, contact->echo_heard_us, now_us);
}

uint32_t contact_wait_ms(const struct contact *contact)
{
	return (uint32_t)((4 * (uint64_t)contact->rtt_us + 999) / 1000);
}

const char *contact_state_name(enum contact_state state)
{
	switch (state) {
	case CONTACT_NONE:
		return "none";
	case CONTACT_ONE_WAY:
		return "one-way";
	case CONTACT_TWO_WAY:
		return "two-way";
	case CONTACT_SUSPECT:
		return "suspect";
	}
	return "none";
}
