/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/expired.h"

#include "common/base/date.h"
#include "controller/core/fleet/check.h"
#include "controller/core/fleet/note.h"

bool fleet_peer_is_expired(const struct fleet_peer *peer, int64_t now_s)
{
	return peer->expires_s && peer->expires_s <= now_s;
}

void fleet_warn_expired(struct fleet *fleet, int64_t now_s, struct diagnostics *diagnostics)
{
	const struct checker checker = {.fleet = fleet, .diagnostics = diagnostics};
	char until[DATE_TEXT_MAX];

	for (size_t i = 0; i < fleet->peer_count; i++) {
		const struct fleet_peer *peer = &fleet->peers[i];

		if (fleet_peer_is_expired(peer, now_s))
			check_warn(&checker, WARNING_EXPIRED, &peer->expires_place,
				"expires: peer %s is over since %s: gateways leave it out", peer->name,
				date_format(peer->expires_s, until));
	}
	diagnostics_sort(diagnostics);
}
