/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FIREWALL_REACH_INT_H
#define HOLDFAST_FIREWALL_REACH_INT_H

#include "node-agent/core/firewall/reach.h"

/* What a reach is built of: first the table, then its sets, then the rules that follow from them. */

struct reach *reach_new(void);
void reach_add_table(struct reach *reach);
/* Valid until the next one is added. */
struct reach_set *reach_add_set(struct reach *reach, const char *name, enum fw_key key);
/* Rising, as they come; what touches is one range. */
void reach_add_range(struct reach_set *set, const struct addr *first, const struct addr *last);
void reach_add_rules(struct reach *reach);

#endif
