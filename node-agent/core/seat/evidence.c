/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/seat/internal.h"

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t sooner(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* One that did not answer while the underlay was known to work says nothing when it does not. */
bool evidence_has_witness(const struct seat *seat)
{
	if (seat->witness_ms == SEAT_NEVER)
		return false;
	return seat->contact_ms == SEAT_NEVER || seat->witness_ms >= seat->contact_ms - SEAT_WITNESS_KNOWN_MS;
}

static int64_t last_ms(const struct seat *seat)
{
	return later(seat->contact_ms, seat->witness_ms);
}

static int64_t contact_age_limit_ms(const struct seat *seat)
{
	return (int64_t)seat->config.timing.contact_ms;
}

static bool has_contact(const struct seat *seat, int64_t now_ms)
{
	return seat->contact_heard_ms != SEAT_NEVER &&
	       now_ms - seat->contact_heard_ms <= contact_age_limit_ms(seat);
}

int64_t evidence_ms(const struct seat *seat, int64_t now_ms)
{
	if (!seat->carrier)
		return SEAT_NEVER;
	if (has_contact(seat, now_ms) || evidence_has_witness(seat))
		return last_ms(seat);
	return now_ms; /* nobody is known who could tell: the carrier is all there is */
}

static int64_t blind_ms(const struct seat *seat)
{
	int64_t serving_ms = contact_age_limit_ms(seat) + SEAT_BLIND_MS;

	return seat_role_serves(seat->role) ? serving_ms : 2 * serving_ms;
}

int64_t evidence_deadline(const struct seat *seat)
{
	if (!evidence_has_witness(seat))
		return INT64_MAX;
	int64_t since_ms = later(last_ms(seat), seat->unqualified_ms);
	return later(since_ms, seat->taken_ms) + blind_ms(seat);
}

bool seat_underlay_is_ok(const struct seat *seat, int64_t now_ms)
{
	return seat->carrier && now_ms < evidence_deadline(seat);
}

int64_t evidence_qualify_ms(const struct seat *seat)
{
	if (seat->unqualified_ms == SEAT_NEVER)
		return INT64_MAX;
	if (evidence_has_witness(seat) && seat->witness_ms < seat->unqualified_ms)
		return INT64_MAX; /* its answer is an event */
	return later(seat->unqualified_ms, seat->contact_heard_ms) +
	       (seat->config.other_count == 0 ? 0 : SEAT_QUIET_MS);
}

void evidence_qualify(struct seat *seat, int64_t now_ms)
{
	if (seat->unqualified_ms == SEAT_NEVER)
		return;
	bool contact = seat->contact_ms != SEAT_NEVER && seat->contact_ms >= seat->unqualified_ms;
	if (contact || now_ms >= evidence_qualify_ms(seat))
		seat->unqualified_ms = SEAT_NEVER;
}

/* An owner without evidence is about to fence itself, and a standby to refuse: as many probes as make sure that loss is
 * not the reason. */
static int64_t urgent_ms(const struct seat *seat)
{
	return later(last_ms(seat) + contact_age_limit_ms(seat), seat->probed_ms + SEAT_WITNESS_URGENT_MS);
}

int64_t evidence_probe_ms(const struct seat *seat)
{
	if (seat->probed_ms == SEAT_NEVER)
		return SEAT_NEVER;
	if (seat->witness_ms == SEAT_NEVER)
		return seat->probed_ms + SEAT_WITNESS_UNKNOWN_MS;
	int64_t idle_ms = seat->probed_ms + SEAT_WITNESS_IDLE_MS;
	if (!evidence_has_witness(seat))
		return idle_ms;
	int64_t alone_ms = seat->contact_heard_ms == SEAT_NEVER
				   ? SEAT_NEVER
				   : seat->contact_heard_ms + contact_age_limit_ms(seat) + 1;
	int64_t next_ms = later(alone_ms, seat->probed_ms + SEAT_WITNESS_GAP_MS);
	if (urgent_ms(seat) < evidence_deadline(seat))
		next_ms = sooner(next_ms, urgent_ms(seat));
	return sooner(next_ms, idle_ms);
}
