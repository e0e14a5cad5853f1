/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TRACE_RULE_H
#define HOLDFAST_TRACE_RULE_H

#include "node-agent/core/trace/loaded.h"
#include "node-agent/core/trace/packet.h"

/* Inside hf_trace: one rule and one packet. */

enum { TRACE_CAUSE_MAX = 96 };

enum trace_match { TRACE_MATCH_NO, TRACE_MATCH_YES, TRACE_MATCH_PERHAPS };

struct trace_matched {
	enum trace_match match;
	const struct loaded_verdict *verdict; /* borrowed; NULL: none, goes on with the next rule */
	bool reject, source_nat;
	bool away;                   /* what becomes of the packet then is not known: cause says why */
	char cause[TRACE_CAUSE_MAX]; /* of PERHAPS and away: "limit", "meta skuid" */
};

/* What the rule sets (marks, source) is set in the packet, or no longer known there. */
void trace_rule(const struct loaded_table *table, const struct loaded_rule *rule, struct trace_packet *packet,
	struct trace_matched *ret_matched);

/* ---- load.c: what a register gets ---- */

struct trace_loaded {
	struct loaded_value value;
	uint64_t unknown;            /* a bit a byte of value */
	bool fails;                  /* there is no such thing in the packet: the rule does not match */
	char cause[TRACE_CAUSE_MAX]; /* if something is unknown */
};

/* For LOADED_META, _CT, _FIB, _PAYLOAD. */
void trace_load(const struct loaded_table *table, const struct loaded_expr *expr,
	const struct trace_packet *packet, struct trace_loaded *ret_loaded);

/* ---- set.c ---- */

enum trace_found { TRACE_ABSENT, TRACE_FOUND, TRACE_NOT_SURE };

/* The element that the key (as long as the set's keys) is in. *ret_element is NULL unless TRACE_FOUND. */
enum trace_found trace_find(
	const struct loaded_set *set, const uint8_t *key, const struct loaded_element **ret_element);

#endif
