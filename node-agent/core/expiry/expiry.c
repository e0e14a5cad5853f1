/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/expiry/expiry.h"

#include "common/base/mem.h"

struct expiry expiry_of(const struct desired *desired, int64_t now_s)
{
	struct expiry expiry = {.last_s = INT64_MIN, .next_s = INT64_MAX};

	for (size_t i = 0; i < desired->peer_count; i++) {
		int64_t at_s = desired->peers[i].expires_s;

		if (!at_s)
			continue;
		if (at_s > now_s && at_s < expiry.next_s)
			expiry.next_s = at_s;
		if (at_s <= now_s && at_s > expiry.last_s)
			expiry.last_s = at_s;
	}
	return expiry;
}

bool expiry_is_due(const struct expiry *expiry, int64_t now_s)
{
	return now_s >= expiry->next_s || now_s < expiry->last_s;
}

struct desired *expiry_apply(
	const struct desired *desired, const struct key *keys, int64_t now_s, struct key **ret_keys)
{
	struct desired *copy = desired_copy_head(desired);

	copy->peers = mem_new(desired->peer_count, sizeof(*copy->peers));
	*ret_keys = keys ? mem_new(desired->peer_count, sizeof(**ret_keys)) : NULL;
	for (size_t i = 0; i < desired->peer_count; i++) {
		if (desired_peer_is_expired(&desired->peers[i], now_s))
			continue;
		if (keys)
			(*ret_keys)[copy->peer_count] = keys[i];
		desired_peer_copy(&copy->peers[copy->peer_count++], &desired->peers[i]);
	}
	return copy;
}
