/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TRACE_CHAIN_H
#define HOLDFAST_TRACE_CHAIN_H

#include "node-agent/core/trace/trace.h"

/* Inside hf_trace: one base chain and one packet. What is left of the hook's steps and forks is counted down. */
struct trace_budget {
	size_t steps, forks;
};

struct trace_outcome {
	enum trace_verdict verdict;
	struct trace_place place; /* where it was decided; for UNSURE what it depends on */
	struct trace_place nat;
	char why[TRACE_WHY_MAX];
	struct trace_packet packet; /* as it is then */
};

void trace_base_chain(const struct loaded_table *table, const struct loaded_chain *chain,
	const struct trace_packet *packet, struct trace_budget *budget, struct trace_outcome *ret_outcome);

#endif
