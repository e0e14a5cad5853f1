/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cluster/terms.h"

/* FNV-1a, 64 bits, and the last step of SplitMix64, so that sums of similar names do not meet. */
static uint64_t mix(uint64_t value)
{
	value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9;
	value = (value ^ value >> 27) * 0x94d049bb133111eb;
	return value ^ value >> 31;
}

uint64_t terms_of_lease(uint32_t lease_ms)
{
	return mix(lease_ms);
}

uint64_t terms_add_member(uint64_t terms, const char *name)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *name; name++)
		hash = (hash ^ (unsigned char)*name) * 0x100000001b3;
	return terms + mix(hash);
}
