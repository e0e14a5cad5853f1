/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TRACE_TRACE_H
#define HOLDFAST_TRACE_TRACE_H

#include "node-agent/core/trace/loaded.h"
#include "node-agent/core/trace/packet.h"

/*
 * What a loaded ruleset does with a packet at a hook, as the kernel would evaluate it (net/netfilter/nf_tables_core.c).
 * Where the verdict depends on what nobody knows (see packet.h, LOADED_UNKNOWN, LOADED_PERHAPS) both ways are
 * followed: only if they end differently it cannot be told.
 */
enum {
	TRACE_JUMPS_MAX = 16,      /* jumps within jumps, as the kernel's NFT_JUMP_STACK_SIZE */
	TRACE_STEPS_MAX = 1 << 18, /* rules looked at for one hook */
	TRACE_FORKS_MAX = 64,      /* rules that may match or not and lead elsewhere, for one hook */
	TRACE_WHY_MAX = 128,
};

enum trace_hook {
	TRACE_PREROUTING,
	TRACE_INPUT,
	TRACE_FORWARD,
	TRACE_OUTPUT,
	TRACE_POSTROUTING,
	TRACE_INGRESS, /* of packet.iif */
	TRACE_EGRESS,  /* of packet.oif */
};

enum trace_verdict { TRACE_ACCEPT, TRACE_DROP, TRACE_REJECT, TRACE_UNSURE };

/* Where in the ruleset, which it points into. */
struct trace_place {
	const struct loaded_table *table; /* NULL: nowhere, no chain had anything to say */
	const struct loaded_chain *chain;
	const struct loaded_rule *rule; /* NULL: the chain's policy */
	size_t number;                  /* of the rule in its chain, from 1 */
};

struct trace_result {
	enum trace_verdict verdict;
	struct trace_place place; /* of drop and reject; of UNSURE: the first rule it depends on */
	char why[TRACE_WHY_MAX];  /* of UNSURE: "uses limit" */
	struct trace_place nat;   /* translates the source; table NULL: none */
	bool rerouted;            /* a chain of type route changed the mark: another look-up follows */
};

/* All chains of the hook in order, until one drops. The packet is left as they made it. */
void trace_hook(const struct loaded_ruleset *ruleset, enum trace_hook hook, struct trace_packet *packet,
	struct trace_result *ret_result);

const char *trace_hook_name(enum trace_hook hook); /* "prerouting" */

/* "inet filter input, rule 3 (handle 12, "no ping")", or "..., policy". Returns buffer. */
enum { TRACE_PLACE_TEXT_MAX = 512 };
char *trace_place_format(const struct trace_place *place, char buffer[TRACE_PLACE_TEXT_MAX]);

#endif
