/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <inttypes.h>
#include <stdlib.h>

#include "common/io/clock.h"
#include "controller/io/api/api.h"
#include "controller/io/api/standby.h"
#include "controller/io/apply/confirming.h"
#include "controller/io/apply/holding.h"
#include "controller/io/controller.h"
#include "controller/io/fleet_file.h"
#include "controller/io/own_certificate.h"
#include "controller/io/watch/watch.h"

enum { SKEW_WARNING_MS = 500 };

static void collect_certificate(const struct controller *controller, struct health *health)
{
	const char *file = controller->config.certificate, *why = own_certificate_failure(controller->own);
	const struct lifetime *lifetime = &controller->shown.lifetime;
	int64_t now_ms = clock_wall_ms();
	if (now_ms < lifetime->start_ms)
		health_reason(health,
			"%s: the certificate is not valid yet, and every gateway refuses it: is this host's "
			"clock right?",
			file);
	else if (lifetime_has_ended(lifetime, now_ms))
		health_reason(health,
			"%s: the certificate has ended, and every gateway refuses it: put another there, it "
			"is noticed within 10 s%s%s",
			file, *why ? ": it could not be renewed: " : "", why);
	else if (lifetime_is_short(lifetime, now_ms))
		health_warning(health, "%s: the certificate expires in %" PRId64 " days, and %s%s", file,
			lifetime_days_left(lifetime, now_ms),
			*why ? "could not be renewed: "
			     : "nothing renews it: put another there, it is noticed within 10 s",
			why);
	if (controller->shown.failure[0])
		health_warning(health, "what is in the certificate's files now is not taken: %s",
			controller->shown.failure);
}

static void collect_authority(const struct controller *controller, struct health *health)
{
	const struct lifetime *authority = own_certificate_authority(controller->own);
	int64_t now_ms = clock_wall_ms();
	if (authority->end_ms && lifetime_has_ended(authority, now_ms))
		health_reason(health, "%s: the authority has ended, and no certificate of it counts any more",
			controller->config.ca);
	else if (authority->end_ms && lifetime_of_authority_is_short(authority, now_ms))
		health_warning(health,
			"%s: the authority ends in %" PRId64
			" days, and every certificate with it: another has to follow it",
			controller->config.ca, lifetime_days_left(authority, now_ms));
}

static void collect_certificate_of(const struct agent *agent, struct health *health)
{
	int64_t now_ms = clock_wall_ms();
	if (agent->certificate.end_ms && lifetime_is_short(&agent->certificate, now_ms))
		health_warning(health, "%s: its certificate expires in %" PRId64 " days, and was not renewed",
			agent->name, lifetime_days_left(&agent->certificate, now_ms));
}

static void collect_gateway(
	const struct controller *controller, const struct agent *agent, struct health *health)
{
	struct liveness_view view = {
		.verdict = VERDICT_ALIVE}; /* unless it is watched, nothing speaks against it */
	if (!agent->connected)
		health_warning(health, "%s is not connected", agent->name);
	collect_certificate_of(agent, health);
	watch_view(controller->watch, agent->name, &view);
	if (view.verdict != VERDICT_ALIVE)
		health_warning(health, "%s is %s", agent->name, verdict_kind_name(view.verdict));
	else if (view.blocked)
		health_warning(health, "%s is heard over TLS only: is its liveness port (UDP) blocked?",
			agent->name);
	if (agent->holding->state == HOLDING_REFUSED)
		health_warning(health, "%s refuses generation %" PRIu64 ": %s", agent->name,
			agent->holding->generation, agent->holding->error);
	if (!agent->reported)
		return;
	if (agent->report.generation < controller->floor)
		health_warning(health,
			"%s holds generation %" PRIu64 ", below the revocation floor %" PRIu64
			": nothing moves there",
			agent->name, agent->report.generation, controller->floor);
	if (!agent->report.fit)
		health_warning(health, "%s is unfit: %s", agent->name,
			agent->report.reason_count ? agent->report.reasons[0] : "no reason given");
	for (size_t i = 0; agent->report.fit && i < agent->report.reason_count; i++)
		health_warning(health, "%s: %s", agent->name, agent->report.reasons[i]);
	if (llabs(agent->skew_ms) > SKEW_WARNING_MS)
		health_warning(health, "%s: its clock is %" PRId64 " ms off", agent->name, agent->skew_ms);
}

/* Nobody ready: who could take it all the same, and what that would cost. */
static void warn_of_standbys(
	const struct controller *controller, const struct ownership *ownership, struct health *health)
{
	const char *owner = ownership->config.members[ownership->owner];
	bool anybody = false;
	char why[PROTO_REASON_MAX + 1];
	for (size_t i = 0; i < ownership->config.member_count; i++) {
		struct standby standby;
		if (i == ownership->owner)
			continue;
		standby_look(controller, ownership, i, &standby);
		if (!standby.could)
			continue;
		anybody = true;
		standby_why(&standby, why);
		health_warning(health, "%s could take over %s from %s, but is not ready: %s",
			ownership->config.members[i], ownership->config.name, owner, why);
	}
	if (!anybody)
		health_warning(health, "nobody could take over %s from %s", ownership->config.name, owner);
}

static void collect_endpoint(
	const struct controller *controller, const struct ownership *ownership, struct health *health)
{
	if (ownership->owner == OWNERSHIP_NOBODY || ownership->phase == OWNERSHIP_ORPHAN)
		health_warning(health, "%s has no owner%s%s", ownership->config.name,
			ownership->why[0] ? ": " : "", ownership->why);
	else if (!standby_count_ready(controller, ownership))
		warn_of_standbys(controller, ownership, health);
}

static void collect_confirmation(const struct controller *controller, struct health *health)
{
	char text[CONFIRMING_TEXT_MAX];
	if (!confirming_is_awaited(controller->confirming))
		return;
	confirming_describe(controller->confirming, text, sizeof text);
	health_warning(health, "%s", text);
}

/* By a check that came with a later version. */
static void collect_doubts(const struct generation *generation, struct health *health)
{
	const struct lines *doubts = &generation->doubts;
	if (doubts->count)
		health_warning(health, "an apply of the fleet in force would be refused%s: %s",
			doubts->count > 1 ? " (the log has more)" : "", doubts->items[0]);
}

void health_collect(void *context, struct health *health)
{
	struct controller *controller = context;
	if (!controller->current)
		health_reason(health, "there is no fleet yet: apply one (holdfast apply fleet.yaml)");
	if (!decisions_term(controller->decisions))
		health_reason(health, "the term is not on the disk: owners cannot be named");
	collect_certificate(controller, health);
	collect_authority(controller, health);
	if (controller->current && controller->current->number < controller->floor)
		health_warning(health,
			"this store has generation %" PRIu64 " only, below the revocation floor %" PRIu64
			" (restored?): gateways keep what they have; apply the present fleet file",
			controller->current->number, controller->floor);
	if (controller->current)
		collect_doubts(controller->current, health);
	collect_confirmation(controller, health);
	fleet_file_collect(controller->fleet_file, health);
	if (decisions_is_frozen(controller->decisions))
		health_warning(health, "frozen: no automatic moves until thaw");
	for (size_t i = 0; i < decisions_count(controller->decisions); i++)
		collect_endpoint(controller, decisions_ownership(controller->decisions, i), health);
	for (size_t i = 0; i < agents_count(controller->agents); i++)
		collect_gateway(controller, agents_at(controller->agents, i), health);
}
