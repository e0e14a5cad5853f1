/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/liveness/internal.h"

struct partner *partner_find(const struct liveness *liveness, const char *name)
{
	for (size_t i = 0; i < liveness->partner_count; i++)
		if (strcmp(liveness->partners[i]->config.name, name) == 0)
			return liveness->partners[i];
	return NULL;
}

void partner_free(struct partner *partner)
{
	if (partner == NULL)
		return;
	key_wipe(&partner->config.pair_key);
	free(partner);
}

bool partner_is_in_contact(const struct partner *partner, int64_t now_us)
{
	return contact_is_made(&partner->contact, now_us);
}

static bool local_is_of(const struct liveness *liveness, size_t local, uint8_t family)
{
	return local < liveness->config.local_count &&
	       liveness->config.locals[local].address.family == family;
}

/* From which local to send to an address of this family; SIZE_MAX: from none. */
static size_t find_local(const struct liveness *liveness, const struct partner *partner, uint8_t family)
{
	size_t wanted = partner->config.locals[family == AF_INET6];

	if (wanted != SIZE_MAX)
		return local_is_of(liveness, wanted, family) ? wanted : SIZE_MAX;
	for (size_t i = 0; i < liveness->config.local_count; i++)
		if (local_is_of(liveness, i, family))
			return i;
	return SIZE_MAX;
}

static void add_target(struct partner *partner, const struct target *target)
{
	for (size_t i = 0; i < partner->target_count; i++)
		if (endpoint_equal(&partner->targets[i].endpoint, &target->endpoint))
			return;
	if (partner->target_count < TARGETS_MAX)
		partner->targets[partner->target_count++] = *target;
}

static void add_configured(struct liveness *liveness, struct partner *partner, uint8_t family)
{
	size_t local = find_local(liveness, partner, family);

	for (size_t i = 0; i < partner->config.address_count && local != SIZE_MAX; i++) {
		struct target target = {.local = local};
		if (partner->config.addresses[i].family != family)
			continue;
		target.endpoint.addr = partner->config.addresses[i];
		target.endpoint.port = partner->config.port != 0 ? partner->config.port : LIVENESS_PORT;
		add_target(partner, &target);
		return;
	}
}

static void find_targets(struct liveness *liveness, struct partner *partner)
{
	partner->target_count = 0;
	if (addr_is_set(&partner->learned.endpoint.addr))
		add_target(partner, &partner->learned);
	add_configured(liveness, partner, AF_INET);
	add_configured(liveness, partner, AF_INET6);
}

void partner_learn(struct liveness *liveness, struct partner *partner, const struct arrival *arrival)
{
	bool same = endpoint_equal(&partner->learned.endpoint, &arrival->from) &&
		    partner->learned.local == arrival->local;

	if (!partner->config.learn || same)
		return;
	partner->learned = (struct target){.endpoint = arrival->from, .local = arrival->local};
	find_targets(liveness, partner);
}

static struct partner *partner_new(struct liveness *liveness)
{
	struct partner *partner = mem_new(1, sizeof(*partner));

	contact_init(&partner->contact, &liveness->config.timing, liveness->config.boot);
	verdict_init(&partner->verdict, &liveness->config.timing, clock_now_ms());
	partner->greeted_us = INT64_MIN;
	return partner;
}

static struct partner *take_known(struct liveness *liveness, const char *name)
{
	for (size_t i = 0; i < liveness->partner_count; i++) {
		struct partner *partner = liveness->partners[i];
		if (strcmp(partner->config.name, name) != 0)
			continue;
		liveness->partners[i] = liveness->partners[--liveness->partner_count];
		return partner;
	}
	return NULL;
}

/* A callback may be using it: it stays until the loop is out of all callbacks. Two changes of all partners fit. */
static void bury_rest(struct liveness *liveness)
{
	for (size_t i = 0; i < liveness->partner_count; i++)
		if (liveness->gone_count < sizeof(liveness->gone) / sizeof(liveness->gone[0]))
			liveness->gone[liveness->gone_count++] = liveness->partners[i];
	liveness->partner_count = 0;
}

int liveness_set_partners(struct liveness *liveness, const struct liveness_partner *partners, size_t count)
{
	struct partner *next[LIVENESS_PARTNERS_MAX];

	if (count > LIVENESS_PARTNERS_MAX)
		return -E2BIG;
	for (size_t i = 0; i < count; i++) {
		next[i] = take_known(liveness, partners[i].name);
		if (next[i] == NULL)
			next[i] = partner_new(liveness);
		if (partners[i].watch && !next[i]->config.watch)
			verdict_init(&next[i]->verdict, &liveness->config.timing, clock_now_ms());
		next[i]->config = partners[i];
		find_targets(liveness, next[i]);
	}
	bury_rest(liveness);
	memcpy(liveness->partners, next, count * sizeof(next[0]));
	liveness->partner_count = count;
	liveness_settle(liveness);
	return 0;
}

void partner_view(const struct partner *partner, int64_t now_us, struct liveness_view *ret_view)
{
	const struct contact *contact = &partner->contact;
	const struct verdict *verdict = &partner->verdict;

	*ret_view = (struct liveness_view){
		.contact = contact_state(contact, now_us),
		.contact_made = contact_is_made(contact, now_us),
		.boot = contact->boot,
		.heard_ms = contact->heard_us == CONTACT_NEVER ? INT64_MIN : contact->heard_us / 1000,
		.evidence_ms =
			contact->evidence_us == CONTACT_NEVER ? INT64_MIN : contact->evidence_us / 1000,
		.rtt_us = contact->rtt_us,
		.verdict = partner->config.watch ? verdict->kind : VERDICT_UNKNOWN,
		.verdict_since_ms = verdict->since_ms,
		.last_sign_ms = verdict_last_sign_ms(verdict),
		.window_ms = partner->config.watch ? verdict_window_ms(verdict, now_us / 1000) : 0,
		.blocked = verdict->blocked,
		.by_others = verdict->by_others,
		.suspected_ms = verdict->suspected_ms,
		.clock_known = contact->rtt_us != 0,
		/* the quickest datagram was under way for something between nothing and a round trip */
		.ahead_us = (int64_t)(contact->rtt_us / 2 - contact->offset_us),
		.clock_error_us = contact->rtt_us / 2 + 1,
	};
	if (partner->target_count > 0)
		ret_view->address = partner->targets[0].endpoint;
}
