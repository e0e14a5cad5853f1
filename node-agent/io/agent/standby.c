/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"

enum { WARM_BATCH_MAX = 256 }; /* peers in a message: the kernel's RTNL is held meanwhile */

const struct endpoint *standby_live_endpoint(const char *tunnel, const struct key *public_key, void *context)
{
	struct agent *agent = context;
	const struct sessions_entry *entry = sessions_find(agent->sessions, tunnel, public_key);

	return entry && addr_is_set(&entry->endpoint.addr) ? &entry->endpoint : NULL;
}

static void set_endpoints(
	struct agent *agent, const char *tunnel, const struct wg_peer_change *changes, size_t count)
{
	struct err err = {0};

	if (agent_set_peers(agent, tunnel, changes, count, &err) < 0)
		log_limited(LEVEL_WARNING, "standby", "not-warm", tunnel, log_text("tunnel", tunnel),
			log_err(&err));
}

/* What is news on a standby goes into its device at once, in runs of one tunnel. */
void standby_learn(struct agent *agent, const struct session *sessions, size_t count)
{
	struct wg_peer_change *changes = mem_new(WARM_BATCH_MAX, sizeof(*changes));
	const char *tunnel = "";
	size_t pending = 0;
	int64_t now_ms = clock_now_ms();

	for (size_t i = 0; agent->held.desired && i < count; i++) {
		struct agent_seat *seat = agent_seat_of_tunnel(agent, sessions[i].tunnel);

		if (!seat || agent_seat_serves(seat) ||
			!sessions_learn(agent->sessions, &sessions[i], now_ms))
			continue;
		if (pending == WARM_BATCH_MAX || strcmp(tunnel, sessions[i].tunnel)) {
			set_endpoints(agent, tunnel, changes, pending);
			pending = 0;
		}
		tunnel = sessions[i].tunnel;
		changes[pending++] = (struct wg_peer_change){.public_key = sessions[i].public_key,
			.flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_ENDPOINT,
			.endpoint = sessions[i].endpoint};
	}
	set_endpoints(agent, tunnel, changes, pending);
	free(changes);
}
