/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_EXPLAIN_WORDS_H
#define HOLDFAST_EXPLAIN_WORDS_H

#include "node-agent/core/explain/facts.h"

/* Rules and routes as ip(8) lists them. Return buffer. */
enum { EXPLAIN_WORDS_MAX = 256 };
char *explain_rule_format(const struct explain_rule *rule, char buffer[EXPLAIN_WORDS_MAX]);
char *explain_route_format(const struct explain_route *route, char buffer[EXPLAIN_WORDS_MAX]);

/* "main", "local", "default", "51820". */
enum { EXPLAIN_TABLE_MAX = 16 };
char *explain_table_format(uint32_t table, char buffer[EXPLAIN_TABLE_MAX]);

/* "45 s", "3 min", "5 h", "4 d". */
enum { EXPLAIN_AGE_MAX = 32 };
char *explain_age_format(int64_t age_s, char buffer[EXPLAIN_AGE_MAX]);

#endif
