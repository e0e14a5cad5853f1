/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_EXPLAIN_JUDGE_WAY_H
#define HOLDFAST_EXPLAIN_JUDGE_WAY_H

#include "node-agent/core/explain/judge.h"
#include "node-agent/core/explain/lookup.h"

/* Inside hf_explain: what the inner and the outer look-up have in common. */

/* Did the walk through the rules end where the kernel's answer says? For a way that the kernel was not asked: was there
 * no rule on it that cannot be judged? */
bool judge_is_sure(const struct explain_way *way, const struct explain_choice *choice);

/* The finding about the rule. */
void judge_rule(struct judgement *judgement, enum explain_step step, const struct explain_way *way,
	const struct explain_choice *choice);

/* If there is no way at all a finding that says so, and true. */
bool judge_no_way(struct judgement *judgement, enum explain_step step, const struct explain_way *way,
	const struct explain_choice *choice);

/* What strict reverse path filtering (rp_filter 1) of the device makes of a packet that comes in by it, for which `back` is
 * the look-up. */
enum judge_back { JUDGE_BACK_PASSES, JUDGE_BACK_DROPS, JUDGE_BACK_UNSURE };
enum judge_back judge_back(
	const struct explain_facts *facts, const struct explain_way *back, const char *device);
/* "to eth0", "nowhere": where the look-up leads. */
enum { JUDGE_BACK_TEXT_MAX = 32 };
char *judge_back_format(
	const struct explain_facts *facts, const struct explain_way *back, char buffer[JUDGE_BACK_TEXT_MAX]);

#endif
