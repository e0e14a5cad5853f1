/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people and monitors are told of the gateway's certificate and of the authority behind it. */
#include "common/io/clock.h"
#include "common/io/health.h"
#include "common/io/metrics.h"
#include "node-agent/io/agent/agent_int.h"

static void warn_own(const struct agent *agent, const struct lifetime *lifetime, struct health *health)
{
	const char *failure = renewal_failure(agent->renewal), *file = agent->config->certificate;
	int64_t now_ms = clock_wall_ms();

	if (now_ms < lifetime->start_ms)
		health_warning(health,
			"%s is not valid yet, so no controller hears of this gateway: is its clock right?",
			file);
	else if (lifetime_has_ended(lifetime, now_ms))
		health_warning(health,
			"%s has ended: this gateway serves on, but no controller hears of it: 'holdfast "
			"invite "
			"%s' there, 'holdfast join - --force' here",
			file, agent->config->gateway);
	else if (lifetime_is_short(lifetime, now_ms))
		health_warning(health, "%s ends in %lld days%s%s", file,
			(long long)lifetime_days_left(lifetime, now_ms),
			*failure ? ", and could not be renewed: " : "", failure);
}

static void warn_authority(const struct agent *agent, const struct lifetime *lifetime, struct health *health)
{
	int64_t now_ms = clock_wall_ms();

	if (lifetime_has_ended(lifetime, now_ms))
		health_warning(health, "the authority in %s has ended: no certificate of it counts any more",
			agent->config->ca);
	else if (lifetime_of_authority_is_short(lifetime, now_ms))
		health_warning(health,
			"the authority in %s ends in %lld days, and every certificate with it: another has "
			"to "
			"follow it",
			agent->config->ca, (long long)lifetime_days_left(lifetime, now_ms));
}

void agent_certificate_warn(const struct agent *agent, struct health *health)
{
	if (!agent->renewal)
		return;
	if (renewal_lifetime(agent->renewal)->end_ms)
		warn_own(agent, renewal_lifetime(agent->renewal), health);
	if (renewal_authority(agent->renewal)->end_ms)
		warn_authority(agent, renewal_authority(agent->renewal), health);
}

static void put_end(struct text *out, const char *name, const char *help, const struct lifetime *lifetime)
{
	if (!lifetime->end_ms)
		return;
	metrics_family(out, METRICS_GAUGE, name, help);
	metrics_seconds(out, name, NULL, lifetime->end_ms);
}

void agent_certificate_metrics(const struct agent *agent, struct text *out)
{
	const struct lifetime *lifetime;

	if (!agent->renewal)
		return;
	lifetime = renewal_lifetime(agent->renewal);
	put_end(out, "holdfast_certificate_end_seconds",
		"When the gateway's certificate expires, since 1970.", lifetime);
	put_end(out, "holdfast_authority_end_seconds",
		"When the certificate of the authority behind it expires, since 1970.",
		renewal_authority(agent->renewal));
	if (!lifetime->end_ms)
		return;
	metrics_family(out, METRICS_GAUGE, "holdfast_certificate_overdue",
		"1 if the certificate should have been renewed by now, or has ended.");
	metrics_u64(out, "holdfast_certificate_overdue", NULL, lifetime_is_short(lifetime, clock_wall_ms()));
}
