/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/io/clock.h"
#include "common/io/mac.h"
#include "common/liveness/internal.h"

void contact_tell(struct liveness *liveness, struct partner *partner)
{
	int64_t now_us = clock_now_us();
	enum contact_state state = contact_state(&partner->contact, now_us);
	bool made = contact_is_made(&partner->contact, now_us);
	struct liveness_view view;

	if (state == partner->told_state && made == partner->told_made)
		return;
	/* It has just proven that it hears me; prove at once that I hear it. */
	if (made && !partner->told_made)
		send_beat_to(liveness, partner);
	partner->told_state = state;
	partner->told_made = made;
	if (liveness->ops.contact == NULL)
		return;
	partner_view(partner, now_us, &view);
	liveness->ops.contact(liveness->context, partner->config.name, &view);
}

/* A life that has not shown that it hears me gets a beat, at most two per interval, which it can echo; back to where it
 * came from, which may be news. */
static void greet(struct liveness *liveness, struct partner *partner, const struct arrival *arrival)
{
	struct target target = {.endpoint = arrival->from, .local = arrival->local};
	int64_t now_us = clock_now_us();
	int64_t interval_us = (int64_t)liveness->config.timing.interval_ms * 1000;

	if (partner->greeted_us != INT64_MIN && now_us - partner->greeted_us < interval_us / 2)
		return;
	partner->greeted_us = now_us;
	send_greeting(liveness, partner, &target);
}

static size_t number_of(const struct liveness *liveness, const struct partner *partner)
{
	for (size_t i = 0; i < liveness->partner_count; i++)
		if (liveness->partners[i] == partner)
			return i;
	return 0;
}

static void take_silence(
	struct liveness *liveness, const struct partner *from, const struct datagram_silence *silence)
{
	struct partner *suspect = partner_find(liveness, silence->suspect);

	if (suspect != NULL && suspect != from && suspect->config.watch)
		watch_report(liveness, suspect, number_of(liveness, from), silence);
	if (liveness->ops.silence != NULL)
		liveness->ops.silence(liveness->context, from->config.name, silence);
}

static void take_leave(struct liveness *liveness, const struct partner *partner,
	const struct datagram *datagram, const struct liveness_receipt *receipt)
{
	if (liveness->ops.leave != NULL)
		liveness->ops.leave(liveness->context, partner->config.name, datagram, receipt);
}

static bool is_about_leave(enum datagram_kind kind)
{
	return kind == DATAGRAM_CLAIM || kind == DATAGRAM_GRANT || kind == DATAGRAM_PROMISE;
}

static void take_body(struct liveness *liveness, struct partner *partner, const struct datagram *datagram,
	const struct arrival *arrival, const struct liveness_receipt *receipt)
{
	switch (datagram->head.kind) {
	case DATAGRAM_BEAT:
		/* one that another has overtaken tells of the past */
		if (liveness->ops.beat != NULL && datagram->head.seq == partner->contact.highest_seq)
			liveness->ops.beat(liveness->context, partner->config.name, datagram, receipt);
		return;
	case DATAGRAM_PROBE:
		send_answers(liveness, partner, &datagram->head, arrival);
		return;
	case DATAGRAM_ANSWER:
		return; /* to be heard is all it is for */
	case DATAGRAM_SILENCE:
		take_silence(liveness, partner, &datagram->silence);
		return;
	case DATAGRAM_CLAIM:
	case DATAGRAM_GRANT:
	case DATAGRAM_PROMISE:
		take_leave(liveness, partner, datagram, receipt);
		return;
	}
}

static struct liveness_receipt make_receipt(
	const struct partner *partner, const struct datagram_head *head, int64_t received_us)
{
	bool proven = partner->contact.proof_us == received_us && head->echo.boot == partner->contact.my_boot;

	return (struct liveness_receipt){
		.received_ms = received_us / 1000,
		.proven = proven,
		.evidence_ms = proven ? (int64_t)(head->echo.time_us / 1000) : INT64_MIN,
		.underlay = partner->config.underlay,
	};
}

static void take_in(struct liveness *liveness, struct partner *partner, const struct datagram *datagram,
	const struct arrival *arrival)
{
	struct liveness_receipt receipt = make_receipt(partner, &datagram->head, arrival->received_us);

	if (receipt.proven)
		partner_learn(liveness, partner, arrival);
	contact_tell(liveness, partner);
	if (receipt.proven && liveness->ops.heard != NULL)
		liveness->ops.heard(liveness->context, partner->config.name, &receipt);
	watch_heard(liveness, partner, arrival->received_us);
	take_body(liveness, partner, datagram, arrival, &receipt);
}

/* It may be one that has just started, and wants to know who lives; or one that cannot hear me. */
static void take_unproven(struct liveness *liveness, struct partner *partner, const struct datagram *datagram,
	const struct arrival *arrival)
{
	struct liveness_receipt receipt = {.received_ms = arrival->received_us / 1000,
		.evidence_ms = INT64_MIN,
		.underlay = partner->config.underlay};

	contact_tell(liveness, partner);
	if (datagram->head.kind == DATAGRAM_BEAT && liveness->ops.unproven_beat != NULL)
		liveness->ops.unproven_beat(liveness->context, partner->config.name, datagram, &receipt);
	if (is_about_leave(datagram->head.kind))
		take_leave(liveness, partner, datagram, &receipt);
	if (datagram->head.kind == DATAGRAM_PROBE)
		send_answers(liveness, partner, &datagram->head, arrival);
	else
		greet(liveness, partner, arrival);
}

static void weigh(struct liveness *liveness, struct partner *partner, const struct datagram *datagram,
	const struct arrival *arrival)
{
	switch (contact_receive(&partner->contact, &datagram->head, arrival->received_us)) {
	case CONTACT_TAKEN:
		take_in(liveness, partner, datagram, arrival);
		return;
	case CONTACT_UNPROVEN:
		liveness->counters.unproven++;
		take_unproven(liveness, partner, datagram, arrival);
		return;
	case CONTACT_REPLAY:
		liveness->counters.replayed++;
		return;
	case CONTACT_STALE:
		liveness->counters.stale++;
		return;
	}
}

/* Whose it claims to be, before anything is believed. NULL: not for us. */
static struct partner *find_sender(const struct liveness *liveness, const struct datagram_head *head)
{
	struct partner *partner = partner_find(liveness, head->from);

	if (partner == NULL || strcmp(head->to, liveness->config.name) != 0)
		return NULL;
	return partner->config.is_controller == head->from_controller ? partner : NULL;
}

static bool is_foreign_store(const struct liveness *liveness, const struct datagram_head *head)
{
	return head->store != 0 && liveness->config.store != 0 && head->store != liveness->config.store;
}

void receive(struct liveness *liveness, const struct arrival *arrival)
{
	struct liveness_counters *counters = &liveness->counters;
	size_t size = arrival->size - DATAGRAM_MAC_BYTES;
	struct datagram datagram;
	struct partner *partner;

	counters->received++;
	if (arrival->truncated || arrival->size < DATAGRAM_MAC_BYTES ||
		datagram_peek(arrival->bytes, size, &datagram.head) < 0) {
		counters->malformed++;
		return;
	}
	partner = find_sender(liveness, &datagram.head);
	if (partner == NULL) {
		counters->foreign++;
		return;
	}
	if (!mac_check(&partner->config.pair_key, arrival->bytes, size, arrival->bytes + size)) {
		counters->bad_mac++;
		return;
	}
	if (datagram_decode(arrival->bytes, size, &datagram) < 0)
		counters->malformed++;
	else if (is_foreign_store(liveness, &datagram.head))
		counters->foreign++;
	else
		weigh(liveness, partner, &datagram, arrival);
}
