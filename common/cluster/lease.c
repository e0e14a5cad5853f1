/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cluster/lease.h"

int64_t lease_outlast_ms(uint32_t lease_ms)
{
	return ((int64_t)lease_ms * 101 + 99) / 100 + LEASE_MARGIN_MS;
}
