/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_TRACE_SAMPLE_H
#define HOLDFAST_TESTS_TRACE_SAMPLE_H

#include "node-agent/core/trace/trace.h"

/* A ruleset made by hand, and a ping from 10.50.0.2 to 10.60.0.1 that leaves by wg0. */
struct trace_packet sample_ping(void);
struct trace_packet sample_syn(uint16_t port);

struct loaded_chain *sample_base(
	struct loaded_table *table, const char *name, uint32_t hook, int32_t priority, uint32_t policy);

/* A rule that ends with a verdict (NF_ACCEPT, NFT_JUMP ...; chain NULL: none). */
struct loaded_rule *sample_rule(
	struct loaded_ruleset *ruleset, struct loaded_chain *chain, int verdict, const char *to);
struct loaded_rule *sample_empty_rule(struct loaded_ruleset *ruleset, struct loaded_chain *chain);
void sample_verdict(struct loaded_rule *rule, int verdict, const char *to);
/* meta KEY == bytes */
void sample_meta(struct loaded_rule *rule, uint32_t key, uint32_t how, const void *bytes, size_t length);
void sample_payload(struct loaded_rule *rule, uint32_t base, uint32_t offset, uint32_t length);
void sample_compare(struct loaded_rule *rule, uint32_t how, const void *bytes, size_t length);

#endif
