/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/wireguard/capacity.h"

#include <stdint.h>
#include <string.h>

static bool is_wireguard_go(const char *implementation)
{
	const char *slash = strrchr(implementation, '/');
	const char *program = slash ? slash + 1 : implementation;

	return strcmp(program, "auto") == 0 || strcmp(program, "kernel") == 0 ||
	       strcmp(program, "wireguard-go") == 0;
}

size_t wg_peers_max(bool userspace, const char *implementation)
{
	if (!userspace)
		return WG_KERNEL_PEERS_MAX;
	return is_wireguard_go(implementation) ? WG_GO_PEERS_MAX : SIZE_MAX;
}
