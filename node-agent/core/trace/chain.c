/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/trace/chain.h"

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdarg.h>
#include <stdio.h>

#include "node-agent/core/trace/rule.h"

struct frame {
	const struct loaded_chain *chain;
	size_t next; /* rule */
};

/* A walk through a base chain and what it jumps to. It is copied where two ways have to be followed. */
struct walk {
	const struct loaded_table *table;
	const struct loaded_chain
		*base; /* a goto may put another in its place on the stack; the policy stays */
	struct trace_budget *budget;
	struct trace_outcome outcome;
	bool over;
	size_t depth; /* jumps */
	struct frame stack[TRACE_JUMPS_MAX + 1];
};

static void walk_on(struct walk *walk);

static void end(struct walk *walk, enum trace_verdict verdict, const struct trace_place *place)
{
	walk->outcome.verdict = verdict;
	walk->outcome.place = *place;
	walk->over = true;
}

static void __attribute__((format(printf, 3, 4)))
end_unsure(struct walk *walk, const struct trace_place *place, const char *format, ...)
{
	va_list arguments;

	end(walk, TRACE_UNSURE, place);
	va_start(arguments, format);
	vsnprintf(walk->outcome.why, sizeof walk->outcome.why, format, arguments);
	va_end(arguments);
}

static void go_to(struct walk *walk, const struct loaded_verdict *verdict, const struct trace_place *place)
{
	const struct loaded_chain *chain = loaded_find_chain(walk->table, verdict->chain);

	if (!chain) {
		end_unsure(walk, place, "leads to a chain that is not there");
		return;
	}
	if (verdict->code == NFT_JUMP && walk->depth == TRACE_JUMPS_MAX) {
		end_unsure(walk, place, "is the %dth jump within jumps", TRACE_JUMPS_MAX + 1);
		return;
	}
	if (verdict->code == NFT_JUMP)
		walk->depth++;
	walk->stack[walk->depth] = (struct frame){.chain = chain};
}

static void end_policy(struct walk *walk)
{
	struct trace_place place = {.table = walk->table, .chain = walk->base};

	end(walk, walk->base->policy == NF_ACCEPT ? TRACE_ACCEPT : TRACE_DROP, &place);
}

static void leave_chain(struct walk *walk)
{
	if (walk->depth)
		walk->depth--;
	else
		end_policy(walk);
}

static void obey(struct walk *walk, const struct trace_matched *matched, const struct trace_place *place)
{
	if (matched->away) {
		end_unsure(walk, place, "uses %s", matched->cause);
	} else if (matched->reject) {
		end(walk, TRACE_REJECT, place);
	} else if (matched->source_nat) {
		walk->outcome.nat = *place;
		end(walk, TRACE_ACCEPT, place);
	} else if (!matched->verdict) {
		return;
	} else if (matched->verdict->code == NF_ACCEPT) {
		end(walk, TRACE_ACCEPT, place);
	} else if (matched->verdict->code == NF_DROP) {
		end(walk, TRACE_DROP, place);
	} else if (matched->verdict->code == NFT_JUMP || matched->verdict->code == NFT_GOTO) {
		go_to(walk, matched->verdict, place);
	} else if (matched->verdict->code == NFT_RETURN) {
		leave_chain(walk);
	} else if (matched->verdict->code != NFT_CONTINUE && matched->verdict->code != NFT_BREAK) {
		end_unsure(walk, place, "hands it to a program (queue)");
	}
}

static void join_mark(struct trace_mark *mark, const struct trace_mark *other)
{
	mark->unknown |= other->unknown || other->value != mark->value;
}

static bool is_blocked(enum trace_verdict verdict)
{
	return verdict == TRACE_DROP || verdict == TRACE_REJECT;
}

/* Two ways: `walk` as if the rule did not match, `other` as if it did. */
static void join(
	struct walk *walk, const struct walk *other, const struct trace_place *place, const char *cause)
{
	struct trace_outcome *outcome = &walk->outcome;
	const struct trace_outcome *second = &other->outcome;

	if (outcome->verdict == TRACE_UNSURE || second->verdict == TRACE_UNSURE ||
		is_blocked(outcome->verdict) != is_blocked(second->verdict)) {
		end_unsure(walk, place, "uses %s", cause);
		return;
	}
	join_mark(&outcome->packet.mark, &second->packet.mark);
	join_mark(&outcome->packet.ct_mark, &second->packet.ct_mark);
	if (!addr_equal(&outcome->packet.from, &second->packet.from))
		outcome->packet.from = (struct addr){0};
}

static bool leads_elsewhere(const struct trace_matched *matched)
{
	const struct loaded_verdict *verdict = matched->verdict;

	if (matched->away || matched->reject || matched->source_nat)
		return true;
	return verdict && verdict->code != NFT_CONTINUE && verdict->code != NFT_BREAK;
}

static void fork_walk(struct walk *walk, const struct trace_matched *matched, const struct trace_place *place)
{
	struct walk other = *walk;

	if (!walk->budget->forks) {
		end_unsure(
			walk, place, "is one of more than %d rules that may match or not", TRACE_FORKS_MAX);
		return;
	}
	walk->budget->forks--;
	obey(&other, matched, place);
	walk_on(&other);
	walk_on(walk);
	join(walk, &other, place, matched->cause);
}

static void walk_rule(struct walk *walk)
{
	struct frame *frame = &walk->stack[walk->depth];
	const struct loaded_rule *rule = &frame->chain->rules[frame->next++];
	struct trace_place place = {walk->table, frame->chain, rule, frame->next};
	struct trace_matched matched;

	if (!walk->budget->steps) {
		end_unsure(walk, &place, "comes after %d others: more is not looked at", TRACE_STEPS_MAX);
		return;
	}
	walk->budget->steps--;
	trace_rule(walk->table, rule, &walk->outcome.packet, &matched);
	if (matched.match == TRACE_MATCH_YES)
		obey(walk, &matched, &place);
	else if (matched.match == TRACE_MATCH_PERHAPS && leads_elsewhere(&matched))
		fork_walk(walk, &matched, &place);
}

static void walk_on(struct walk *walk)
{
	while (!walk->over) {
		const struct frame *frame = &walk->stack[walk->depth];

		if (frame->next < frame->chain->count)
			walk_rule(walk);
		else
			leave_chain(walk);
	}
}

void trace_base_chain(const struct loaded_table *table, const struct loaded_chain *chain,
	const struct trace_packet *packet, struct trace_budget *budget, struct trace_outcome *ret_outcome)
{
	struct walk walk = {.table = table,
		.base = chain,
		.budget = budget,
		.outcome = {.packet = *packet},
		.stack = {{.chain = chain}}};

	walk_on(&walk);
	*ret_outcome = walk.outcome;
}
