/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/explain/judge_way.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "node-agent/core/explain/words.h"

/* Blackhole, unreachable, prohibit, of a route or of the rule itself. */
static bool refuses(const struct explain_choice *choice)
{
	return choice->rule &&
	       (!choice->route || choice->route->type == RTN_BLACKHOLE ||
		       choice->route->type == RTN_UNREACHABLE || choice->route->type == RTN_PROHIBIT);
}

bool judge_is_sure(const struct explain_way *way, const struct explain_choice *choice)
{
	if (!way->asked)
		return !choice->unknown;
	if (way->error)
		return !choice->rule || refuses(choice);
	if (!choice->route || choice->route->table != way->answer.table)
		return false;
	/* What is this machine's own goes by lo, whichever interface has the address. */
	return way->answer.type == RTN_LOCAL ? choice->route->type == RTN_LOCAL
					     : !strcmp(choice->route->device, way->answer.device);
}

void judge_rule(struct judgement *judgement, enum explain_step step, const struct explain_way *way,
	const struct explain_choice *choice)
{
	char rule[EXPLAIN_WORDS_MAX];

	if (judge_is_sure(way, choice) && choice->rule)
		explain_find(
			judgement->findings, step, EXPLAIN_OK, "%s", explain_rule_format(choice->rule, rule));
	else if (choice->unknown)
		explain_find(judgement->findings, step, EXPLAIN_DOUBTFUL,
			"cannot tell which rule decides: %s selects by more than is looked at here",
			explain_rule_format(choice->unknown, rule));
	else if (!judge_is_sure(way, choice))
		explain_find(judgement->findings, step, EXPLAIN_DOUBTFUL,
			"cannot tell which rule decides: the routes changed meanwhile, or a route selects by "
			"more "
			"than is looked at here");
	else
		explain_find(judgement->findings, step, EXPLAIN_DOUBTFUL, "no rule leads to a route for it");
}

static const char *error_text(int error)
{
	switch (error) {
	case -ENETUNREACH:
		return "there is no route (network is unreachable)";
	case -EHOSTUNREACH:
		return "it is unreachable (no route to host)";
	case -EACCES:
		return "it is prohibited (permission denied)";
	case -EINVAL:
		return "it is a blackhole (invalid argument)";
	default: /* errno */
		return strerror(-error);
	}
}

bool judge_no_way(struct judgement *judgement, enum explain_step step, const struct explain_way *way,
	const struct explain_choice *choice)
{
	char to[ADDR_TEXT_MAX], words[EXPLAIN_WORDS_MAX];
	struct explain_finding *finding;
	int error = way->asked ? way->error : choice->rule ? 0 : -ENETUNREACH;

	addr_format(&way->to, to, sizeof(to));
	if (!error && (way->asked || !refuses(choice)))
		return false;
	if (refuses(choice)) {
		finding = explain_find(judgement->findings, step, EXPLAIN_NO, "%s refuses %s",
			choice->route ? explain_route_format(choice->route, words)
				      : explain_rule_format(choice->rule, words),
			to);
		explain_todo(finding, "delete it, or have a more specific route or an earlier rule");
		return true;
	}
	finding = explain_find(judgement->findings, step, EXPLAIN_NO, "%s: %s", to, error_text(error));
	explain_todo(finding, "add a route, or look for what took it away ('holdfast events', 'ip monitor')");
	return true;
}

/* The device that the look-up leads to; "": none. */
static const char *device_back(const struct explain_way *back, const struct explain_choice *choice)
{
	if (back->asked)
		return back->error ? "" : back->answer.device;
	return choice->route ? choice->route->device : "";
}

enum judge_back judge_back(
	const struct explain_facts *facts, const struct explain_way *back, const char *device)
{
	struct explain_choice choice = explain_choose(facts, back, back->mark);

	if (!back->asked && choice.unknown)
		return JUDGE_BACK_UNSURE;
	return strcmp(device_back(back, &choice), device) ? JUDGE_BACK_DROPS : JUDGE_BACK_PASSES;
}

char *judge_back_format(
	const struct explain_facts *facts, const struct explain_way *back, char buffer[JUDGE_BACK_TEXT_MAX])
{
	struct explain_choice choice = explain_choose(facts, back, back->mark);
	const char *device = device_back(back, &choice);

	snprintf(buffer, JUDGE_BACK_TEXT_MAX, device[0] ? "to %s" : "nowhere%s", device);
	return buffer;
}
