/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/agent/forwarding.h"
#include "node-agent/io/checks/checks.h"

enum {
	LOOK_MS = 2000,     /* kernel parameters change without a word */
	SOON_MS = 100,      /* after a firewall was changed: the rest of the change follows */
	RULESET_MS = 30000, /* the whole ruleset anew, should no event have told */
};

struct checking {
	struct checks *checks;
	struct event *timer;
	int64_t ruleset_ms; /* when it was loaded last; INT64_MIN: it has to be */
	struct forwarding forwarding;
};

/* ---- the user's checks ---- */

/* An address there that is this gateway's whoever owns the endpoints; an inside address only for who serves it. */
static int find_source(const char *interface, const struct addr *to, struct addr *ret_source, void *context)
{
	const struct agent *agent = context;
	const struct plan_world *world = reconcile_observed(agent->reconcile);
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; i < world->address_count; i++) {
		const struct addr *own = &world->addresses[i].prefix.addr;
		bool moves = false;

		if (strcmp(world->addresses[i].device, interface) != 0 || own->family != to->family ||
			addr_is_link_local(own) != addr_is_link_local(to))
			continue;
		for (size_t j = 0; j < desired->endpoint_count && !moves; j++)
			moves = plan_endpoint_has_address(&desired->endpoints[j], interface, own);
		if (moves)
			continue;
		*ret_source = *own;
		return 0;
	}
	return -EADDRNOTAVAIL;
}

static void on_changed(const char *endpoint, bool down, const char *what, const char *text, void *context)
{
	struct agent *agent = context;

	if (down)
		journal_add(&agent->journal, "check", endpoint, "%s: %s fails: %s", endpoint, what, text);
	else
		journal_add(&agent->journal, "check", endpoint, "%s: %s is well again", endpoint, what);
	control_report_now(agent->control);
}

static bool is_allowed(const char *path, void *context)
{
	const struct agent *agent = context;

	return config_allows_program(agent->config, path);
}

/* ---- forwarding ---- */

static void on_forwarding(const char *endpoint, const char *why, void *context)
{
	struct agent *agent = context;

	if (why[0])
		journal_add(&agent->journal, "forwarding", endpoint, "%s: %s", endpoint, why);
	else
		journal_add(
			&agent->journal, "forwarding", endpoint, "%s: packets are forwarded again", endpoint);
	control_report_now(agent->control);
}

static void wait_for(struct checking *checking, int64_t wait_ms)
{
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

	event_add(checking->timer, &wait);
}

/* A proof that is due before the next look, or that has changed a verdict, brings the look forward. */
static void prove(struct agent *agent, int64_t now_ms)
{
	struct checking *checking = agent->checking;
	int64_t wait_ms = proving_run(&checking->forwarding.proving, reconcile_nft(agent->reconcile),
		reconcile_rtnl(agent->reconcile), now_ms);

	if (wait_ms < LOOK_MS)
		wait_for(checking, wait_ms);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;
	struct checking *checking = agent->checking;
	int64_t now_ms = clock_now_ms();

	(void)fd;
	(void)what;
	wait_for(checking, LOOK_MS);
	if (!agent->held.desired || !agent->fit)
		return; /* nothing is set up that could be judged */
	if (checking->ruleset_ms == INT64_MIN || now_ms - checking->ruleset_ms >= RULESET_MS) {
		if (forwarding_load(&checking->forwarding, reconcile_nft(agent->reconcile)) < 0)
			return;
		checking->ruleset_ms = now_ms;
		proving_hurry(&checking->forwarding.proving);
	}
	if (forwarding_look(&checking->forwarding, agent->held.desired, reconcile_rtnl(agent->reconcile)))
		agent_look_soon(agent); /* a parameter of ours was changed: put it right */
	prove(agent, now_ms);
}

void checking_firewall_changed(struct agent *agent)
{
	struct checking *checking = agent->checking;

	if (!checking || checking->ruleset_ms == INT64_MIN)
		return; /* it is awaited already */
	checking->ruleset_ms = INT64_MIN;
	wait_for(checking, SOON_MS);
}

/* ---- both ---- */

int checking_open(struct agent *agent, struct err *err)
{
	struct checks_ops ops = {.source = find_source,
		.changed = on_changed,
		.allowed = is_allowed,
		.gateway = agent->config->gateway,
		.context = agent};
	struct checking *checking = mem_new(1, sizeof(*checking));
	int r = checks_new(agent->base, &ops, &checking->checks, err);

	if (r < 0) {
		free(checking);
		return r;
	}
	agent->checking = checking;
	checking->ruleset_ms = INT64_MIN;
	checking->forwarding.changed = on_forwarding;
	checking->forwarding.context = agent;
	checking->timer = event_new(agent->base, -1, 0, on_timer, agent);
	wait_for(checking, LOOK_MS);
	return 0;
}

void checking_close(struct agent *agent)
{
	struct checking *checking = agent->checking;

	if (!checking)
		return;
	checks_free(checking->checks);
	forwarding_clear(&checking->forwarding);
	event_free(checking->timer);
	free(checking);
	agent->checking = NULL;
}

void checking_update(struct agent *agent)
{
	if (!agent->checking)
		return;
	checks_set(agent->checking->checks, agent->held.desired);
	agent->checking->ruleset_ms = INT64_MIN;
}

void checking_metrics(const struct agent *agent, struct text *out)
{
	if (agent->checking)
		proving_metrics(&agent->checking->forwarding.proving, clock_now_ms(), out);
}

/* A check that fails is the better word: it has seen packets. */
static bool is_impaired(const struct agent *agent, size_t endpoint, char why[CHECKS_FAILURE_MAX])
{
	const struct checking *checking = agent->checking;
	const char *name = agent->held.desired->endpoints[endpoint].name;
	const char *unforwarded = forwarding_why(&checking->forwarding, name);

	if (checks_failure(checking->checks, name, why))
		return true;
	(void)text_copy(why, CHECKS_FAILURE_MAX, unforwarded);
	return why[0];
}

void checking_fill(const struct agent *agent, struct report *report)
{
	const struct desired *desired = agent->held.desired;

	for (size_t i = 0; desired && agent->checking && i < desired->endpoint_count; i++) {
		struct impaired *impaired = &report->impaired[report->impaired_count];
		char why[CHECKS_FAILURE_MAX];

		if (!is_impaired(agent, i, why))
			continue;
		(void)text_copy(impaired->endpoint, sizeof(impaired->endpoint), desired->endpoints[i].name);
		(void)text_copy(impaired->why, sizeof(impaired->why), why);
		report->impaired_count++;
	}
}

void checking_diagnose(const struct agent *agent, struct health *health)
{
	const struct desired *desired = agent->held.desired;
	char why[CHECKS_FAILURE_MAX];

	for (size_t i = 0; desired && agent->checking && i < desired->endpoint_count; i++)
		if (is_impaired(agent, i, why))
			health_warning(health, "%s: %s", desired->endpoints[i].name, why);
}
