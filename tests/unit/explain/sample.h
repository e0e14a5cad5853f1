/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_EXPLAIN_SAMPLE_H
#define HOLDFAST_TESTS_EXPLAIN_SAMPLE_H

#include "node-agent/core/explain/explain.h"

/* A machine on which all is well: wg0 with a peer at 192.0.2.1 behind eth0, which gets 10.60.0.0/16; the question is
 * about 10.60.0.1. */
struct explain_facts sample_facts(void);

struct addr sample_addr(const char *text);
struct prefix sample_prefix(const char *text);
/* A route of a way; device NULL: none. */
struct explain_route *sample_route(
	struct explain_way *way, const char *to, const char *device, uint32_t table);
/* A rule of IPv4 that leads to a table, behind those there are. */
struct explain_rule *sample_rule(struct explain_facts *facts, uint32_t priority, uint32_t table);

#endif
