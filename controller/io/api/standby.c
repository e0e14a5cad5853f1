/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/api/standby.h"

#include <stdio.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/json/write.h"
#include "controller/io/controller.h"

static const struct standing *find_standing(const struct agent *agent, const char *endpoint)
{
	for (size_t i = 0; i < agent->report.standing_count; i++)
		if (strcmp(agent->report.standings[i].endpoint, endpoint) == 0)
			return &agent->report.standings[i];
	return NULL;
}

/* Its own word is as old as its report. */
static int64_t proved_ago_ms(const struct agent *agent, const struct standing *standing)
{
	if (standing->proved_ago_ms == STANDING_NEVER)
		return -1;
	return standing->proved_ago_ms + (clock_now_ms() - agent->reported_ms);
}

static bool has_sessions(const struct controller *controller, const struct ownership *ownership)
{
	for (size_t i = 0; i < decisions_count(controller->decisions); i++) {
		const struct decisions_endpoint *setup = decisions_endpoint(controller->decisions, i);
		if (decisions_ownership(controller->decisions, i) != ownership)
			continue;
		for (size_t j = 0; j < setup->tunnel_count; j++)
			if (directory_count(controller->directory, setup->tunnels[j], clock_now_ms()))
				return true;
	}
	return false;
}

void standby_look(const struct controller *controller, const struct ownership *ownership, size_t member,
	struct standby *ret_standby)
{
	const char *name = ownership->config.members[member];
	const struct agent *agent = agents_find(controller->agents, name);
	struct standby standby = {.proved_ago_ms = -1};
	standby.could = ownership_can_take(ownership, member, clock_now_ms(), &standby.why);
	standby.first =
		standby.could && ownership_is_first_choice(ownership, member, clock_now_ms(), &standby.why);
	if (agent && agent->reported)
		standby.standing = find_standing(agent, ownership->config.name);
	if (standby.standing)
		standby.proved_ago_ms = proved_ago_ms(agent, standby.standing);
	standby.uninformed =
		standby.could && agent && !agent->directory_acked && has_sessions(controller, ownership);
	standby.ready =
		standby.first && !standby.uninformed && (!standby.standing || standby.standing->ready);
	*ret_standby = standby;
}

void standby_why(const struct standby *standby, char ret_why[PROTO_REASON_MAX + 1])
{
	const char *why = "";
	if (!standby->first)
		why = standby->why.text;
	else if (standby->uninformed)
		why = "it has not been told yet where the clients are";
	else if (standby->standing && !standby->standing->ready)
		why = standby->standing->reasons[0];
	text_copy(ret_why, PROTO_REASON_MAX + 1, why);
}

size_t standby_count_ready(const struct controller *controller, const struct ownership *ownership)
{
	size_t count = 0;
	for (size_t i = 0; i < ownership->config.member_count; i++) {
		struct standby standby;
		if (i == ownership->owner)
			continue;
		standby_look(controller, ownership, i, &standby);
		count += standby.ready;
	}
	return count;
}

void standby_alone(const struct controller *controller, const struct ownership *ownership,
	char ret_why[PROTO_REASON_MAX + 1])
{
	text_copy(ret_why, PROTO_REASON_MAX + 1, "nobody else could take it over");
	for (size_t i = 0; i < ownership->config.member_count; i++) {
		struct standby standby;
		if (i == ownership->owner)
			continue;
		standby_look(controller, ownership, i, &standby);
		if (!standby.could || !standby.standing)
			continue;
		text_copy(ret_why, PROTO_REASON_MAX + 1, standby.standing->alone);
		if (!ret_why[0])
			return;
	}
}

static void put_reasons(json_t *list, const struct ownership_member *member, const struct standby *standby)
{
	const char *why = standby->why.text;
	if (!standby->first)
		jput_text(list, NULL, why);
	if (member->drained && !strstr(why, "drain"))
		jput_text(list, NULL, "drained");
	if (!member->fit && member->why[0] && !strstr(why, member->why))
		jput_text(list, NULL, member->why);
	if (standby->uninformed)
		jput_text(list, NULL, "it has not been told yet where the clients are");
	for (size_t i = 0; standby->standing && i < standby->standing->reason_count; i++)
		if (!strstr(why, standby->standing->reasons[i]))
			jput_text(list, NULL, standby->standing->reasons[i]);
}

static void put_one(json_t *list, const struct ownership_member *member, const struct standby *standby)
{
	json_t *item = jput_object(list, NULL);
	jput_text(item, "gateway", member->name);
	jput_bool(item, "could", standby->could);
	jput_bool(item, "ready", standby->ready);
	if (standby->proved_ago_ms >= 0)
		jput_i64(item, "proved_ago_ms", standby->proved_ago_ms);
	put_reasons(jput_array(item, "reasons"), member, standby);
}

void standby_put(json_t *json, const struct controller *controller, const struct ownership *ownership)
{
	json_t *ready = jput_array(json, "ready"), *standbys = jput_array(json, "standbys");
	char alone[PROTO_REASON_MAX + 1];
	for (size_t i = 0; i < ownership->config.member_count; i++) {
		struct standby standby;
		if (i == ownership->owner)
			continue;
		standby_look(controller, ownership, i, &standby);
		put_one(standbys, &ownership->members[i], &standby);
		if (standby.ready)
			jput_text(ready, NULL, ownership->config.members[i]);
	}
	standby_alone(controller, ownership, alone);
	jput_text(json, "alone", alone);
}
