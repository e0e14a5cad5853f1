/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLUSTER_DEADLINE_H
#define HOLDFAST_CLUSTER_DEADLINE_H

#include "common/cluster/verdict.h"

/* When a verdict takes its next step; verdict_deadline() is the first of them. Part of verdict.h; nothing here changes it. Pure;
 * ms of the own monotonic clock; INT64_MAX: never. */

/* When somebody who has not been suspected yet is to be. */
int64_t deadline_suspicion_ms(const struct verdict *verdict);
/* When the running burst is over. Silence counts from the last datagram anyone received, whoever called. */
int64_t deadline_conclusion_ms(const struct verdict *verdict);
/* How long after a burst that ends with this kind the next one begins. verdict->kind is the one before still. */
uint32_t deadline_recheck_ms(const struct verdict *verdict, enum verdict_kind kind);

#endif
