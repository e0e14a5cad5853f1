/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/drill/leg.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/json/write.h"

void leg_begin(struct leg *leg, uint64_t id, const char *from, const char *to)
{
	leg_clear(leg);
	leg->id = id;
	text_copy(leg->from, sizeof leg->from, from);
	text_copy(leg->to, sizeof leg->to, to);
}

void leg_clear(struct leg *leg)
{
	free(leg->rows);
	*leg = (struct leg){0};
}

bool leg_has_told(const struct leg *leg, const char *gateway)
{
	for (size_t i = 0; i < leg->teller_count; i++)
		if (strcmp(leg->tellers[i], gateway) == 0)
			return true;
	return false;
}

static struct drill_row *row_of(struct leg *leg, const char *sender, const struct addr *target)
{
	for (size_t i = 0; i < leg->row_count; i++)
		if (strcmp(leg->rows[i].sender, sender) == 0 && addr_equal(&leg->rows[i].target, target))
			return &leg->rows[i];
	leg->rows = mem_grow(leg->rows, &leg->row_capacity, leg->row_count + 1, sizeof *leg->rows);
	struct drill_row *row = &leg->rows[leg->row_count++];
	*row = (struct drill_row){.target = *target};
	text_copy(row->sender, sizeof row->sender, sender);
	return row;
}

bool leg_take(struct leg *leg, const char *gateway, const struct drill_result *result)
{
	if (!leg->id || result->id != leg->id || leg_has_told(leg, gateway) ||
		leg->teller_count == PROTO_POOL_MAX)
		return false;
	text_copy(leg->tellers[leg->teller_count++], sizeof leg->tellers[0], gateway);
	for (size_t i = 0; i < result->row_count; i++) {
		const struct drill_row *from = &result->rows[i];
		struct drill_row *row = row_of(leg, from->sender, &from->target);
		if (strcmp(from->sender, gateway) == 0) /* nobody counts for another what that one sent */
			row->sent += from->sent;
		row->received += from->received;
	}
	return true;
}

static void sum_of(
	const struct leg *leg, const struct addr *target, uint64_t *ret_sent, uint64_t *ret_received)
{
	*ret_sent = *ret_received = 0;
	for (size_t i = 0; i < leg->row_count; i++) {
		if (!addr_equal(&leg->rows[i].target, target))
			continue;
		*ret_sent += leg->rows[i].sent;
		*ret_received += leg->rows[i].received;
	}
}

static bool is_first_of_target(const struct leg *leg, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (addr_equal(&leg->rows[i].target, &leg->rows[index].target))
			return false;
	return true;
}

struct leg_sum leg_sum(const struct leg *leg)
{
	struct leg_sum sum = {0};
	for (size_t i = 0; i < leg->row_count; i++) {
		uint64_t sent, received;
		if (!is_first_of_target(leg, i))
			continue;
		sum_of(leg, &leg->rows[i].target, &sent, &received);
		sum.silent += sent && !received;
		sum.clients += received > 0;
		sum.sent += received ? sent : 0;
		sum.lost += received && sent > received ? sent - received : 0;
	}
	return sum;
}

bool leg_knows_sessions(const struct leg *leg)
{
	return leg->takeover.endpoint[0] && !epoch_compare(&leg->takeover.epoch, &leg->epoch);
}

bool leg_is_clean(const struct leg *leg)
{
	return !leg->failure[0] && !leg_sum(leg).lost && leg_knows_sessions(leg) &&
	       leg->takeover.back >= leg->takeover.sessions;
}

void leg_put(json_t *to, const struct leg *leg, const char *endpoint)
{
	struct leg_sum sum = leg_sum(leg);
	char epoch[EPOCH_TEXT_MAX], event[PROTO_NAME_MAX + EPOCH_TEXT_MAX + 2];
	jput_text(to, "from", leg->from);
	jput_text(to, "to", leg->to);
	if (leg->failure[0])
		jput_text(to, "failure", leg->failure);
	if (!epoch_is_zero(&leg->epoch)) {
		snprintf(event, sizeof event, "%s@%s", endpoint, epoch_format(&leg->epoch, epoch));
		jput_text(to, "event", event);
		jput_i64(to, "took_ms", leg->took_ms);
	}
	if (leg_knows_sessions(leg)) {
		jput_u64(to, "sessions", leg->takeover.sessions);
		jput_u64(to, "back", leg->takeover.back);
		jput_u64(to, "first_ms", leg->takeover.first_ms);
	}
	jput_u64(to, "clients", sum.clients);
	jput_u64(to, "silent", sum.silent);
	jput_u64(to, "sent", sum.sent);
	jput_u64(to, "lost", sum.lost);
}
