/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/core/fleet/expired.h"

#include "common/base/date.h"
#include "controller/core/fleet/check.h"
#include "controller/core/fleet/note.h"

enum { TOLD_MAX = 20 };

void fleet_warn_expired(struct fleet *fleet, int64_t now_s, struct diagnostics *diagnostics)
{
	const struct checker checker = {.fleet = fleet, .diagnostics = diagnostics};
	const struct fleet_peer *last = NULL;
	char until[DATE_TEXT_MAX];
	size_t count = 0;

	for (size_t i = 0; i < fleet->peer_count; i++) {
		const struct fleet_peer *peer = &fleet->peers[i];

		if (!peer->expires_s || peer->expires_s > now_s)
			continue;
		last = peer;
		if (++count <= TOLD_MAX)
			check_warn(&checker, &peer->expires_place,
				"expires: peer %s is over since %s: gateways leave it out", peer->name,
				date_format(peer->expires_s, until));
	}
	if (count > TOLD_MAX)
		check_warn(&checker, &last->expires_place,
			"expires: %zu more peers are over, this one the last", count - TOLD_MAX);
	diagnostics_sort(diagnostics);
}
