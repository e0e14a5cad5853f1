/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLUSTER_LEASE_H
#define HOLDFAST_CLUSTER_LEASE_H

#include <stdint.h>

enum { LEASE_MARGIN_MS = 100 }; /* timers that fire late, on both sides */

/* For how long somebody else waits, from a moment that is not before the lease's first, until it has run out for
 * certain: clocks differ in rate by up to 1 % (FAILOVER rule 5). */
int64_t lease_outlast_ms(uint32_t lease_ms);

#endif
