/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/stage/crowd.h"

#include <errno.h>
#include <string.h>

#include "node-agent/io/wireguard/capacity.h"

static size_t count_peers(const struct desired *desired, const char *tunnel)
{
	size_t count = 0;

	for (size_t i = 0; i < desired->peer_count; i++)
		count += strcmp(desired->peers[i].tunnel, tunnel) == 0;
	return count;
}

int crowd_check(const struct desired *desired, const struct desired_tunnel *tunnel, bool userspace,
	const char *implementation, struct err *err)
{
	size_t max = wg_peers_max(userspace, implementation), count;

	if (desired->peer_count <= max)
		return 0; /* whichever tunnel they are in */
	count = count_peers(desired, tunnel->name);
	if (count <= max)
		return 0;
	return err_set(err, -E2BIG, "tunnel %s has %zu peers, and %s takes %zu a device: %s", tunnel->name,
		count, userspace ? "wireguard-go" : "the kernel's WireGuard", max,
		userspace ? "give some of them another tunnel, or use the kernel's WireGuard on this gateway "
			    "(wireguard: { implementation: kernel } in agent.yaml)"
			  : "give some of them another tunnel");
}
