/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "common/io/mac.h"
#include "common/liveness/internal.h"

static void fill_head(const struct liveness *liveness, struct partner *partner, enum datagram_kind kind,
	struct datagram_head *head)
{
	int64_t now_us = clock_now_us();

	memset(head, 0, sizeof(*head));
	head->kind = kind;
	text_copy(head->from, sizeof(head->from), liveness->config.name);
	text_copy(head->to, sizeof(head->to), partner->config.name);
	head->from_controller = liveness->config.is_controller;
	head->store = liveness->config.store;
	head->boot = liveness->config.boot;
	head->seq = ++partner->seq;
	head->time_us = (uint64_t)now_us;
	head->echo = contact_echo(&partner->contact, now_us);
}

static void post(struct liveness *liveness, const struct partner *partner, const struct target *target,
	const struct datagram *datagram)
{
	struct letter *letter = outbox_next(liveness);
	int size = datagram_encode(datagram, letter->bytes, sizeof(letter->bytes) - DATAGRAM_MAC_BYTES);

	if (size < 0) { /* more endpoints with long names than a datagram holds */
		log_limited(LEVEL_ERROR, "liveness", "datagram-too-large", partner->config.name,
			log_text("to", partner->config.name), log_errno(size));
		liveness->counters.send_failed++;
		liveness->outbox.count--;
		return;
	}
	mac_compute(&partner->config.pair_key, letter->bytes, (size_t)size, letter->bytes + size);
	letter->size = (size_t)size + DATAGRAM_MAC_BYTES;
	letter->to = *target;
}

/* To every address of it; *datagram's head is filled for each. */
static void post_everywhere(struct liveness *liveness, struct partner *partner, enum datagram_kind kind,
	struct datagram *datagram)
{
	for (size_t i = 0; i < partner->target_count; i++) {
		fill_head(liveness, partner, kind, &datagram->head);
		post(liveness, partner, &partner->targets[i], datagram);
	}
}

static void fill_beat(struct liveness *liveness, struct datagram *datagram)
{
	memset(datagram, 0, sizeof(*datagram));
	if (liveness->ops.fill != NULL)
		liveness->ops.fill(liveness->context, &datagram->beat);
}

void send_beats(struct liveness *liveness, int64_t now_us)
{
	struct datagram datagram;
	/* xorshift64, for +- 10 %: beats of many gateways must not march in step */
	uint64_t *random = &liveness->random;
	int64_t interval_us = (int64_t)liveness->config.timing.interval_ms * 1000;

	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	liveness->next_beat_us =
		now_us + interval_us * 9 / 10 + (int64_t)(*random % (uint64_t)(interval_us / 5 + 1));
	fill_beat(liveness, &datagram);
	for (size_t i = 0; i < liveness->partner_count; i++)
		post_everywhere(liveness, liveness->partners[i], DATAGRAM_BEAT, &datagram);
}

void send_beat_to(struct liveness *liveness, struct partner *partner)
{
	struct datagram datagram;

	fill_beat(liveness, &datagram);
	post_everywhere(liveness, partner, DATAGRAM_BEAT, &datagram);
}

void send_greeting(struct liveness *liveness, struct partner *partner, const struct target *target)
{
	struct datagram datagram;

	fill_beat(liveness, &datagram);
	fill_head(liveness, partner, DATAGRAM_BEAT, &datagram.head);
	post(liveness, partner, target, &datagram);
}

void send_probes(struct liveness *liveness, struct partner *partner, uint32_t count)
{
	struct datagram datagram = {0};

	for (uint32_t i = 0; i < count; i++)
		post_everywhere(liveness, partner, DATAGRAM_PROBE, &datagram);
	liveness->counters.probes += count;
}

void send_answers(struct liveness *liveness, struct partner *partner, const struct datagram_head *probe,
	const struct arrival *arrival)
{
	struct target target = {.endpoint = arrival->from, .local = arrival->local};
	int64_t held_us = clock_now_us() - arrival->received_us;
	struct datagram datagram = {0};

	for (uint32_t i = 0; i < liveness->config.timing.answers; i++) {
		fill_head(liveness, partner, DATAGRAM_ANSWER, &datagram.head);
		datagram.head.echo = (struct datagram_echo){
			.boot = probe->boot,
			.time_us = probe->time_us,
			.held_us = held_us > 0 && held_us < UINT32_MAX ? (uint32_t)held_us : 0,
		};
		post(liveness, partner, &target, &datagram);
	}
	liveness->counters.answers++;
}

/* To everyone who may hear it but itself; several times, since some may be lost. */
void send_silence(struct liveness *liveness, const struct partner *suspect, bool result)
{
	struct datagram datagram = {0};
	int64_t now_us = clock_now_us();

	text_copy(datagram.silence.suspect, sizeof(datagram.silence.suspect), suspect->config.name);
	verdict_report(&suspect->verdict, result, liveness->blind, now_us / 1000, &datagram.silence);
	for (size_t i = 0; i < liveness->partner_count; i++) {
		struct partner *partner = liveness->partners[i];
		if (partner == suspect || !contact_may_hear(&partner->contact, now_us))
			continue;
		for (uint32_t copy = 0; copy < liveness->config.timing.copies; copy++)
			post_everywhere(liveness, partner, DATAGRAM_SILENCE, &datagram);
	}
}

void send_letter(struct liveness *liveness, struct partner *partner, struct datagram *datagram)
{
	post_everywhere(liveness, partner, datagram->head.kind, datagram);
}
