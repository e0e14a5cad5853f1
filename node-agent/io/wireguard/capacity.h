/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_WIREGUARD_CAPACITY_H
#define HOLDFAST_AGENT_WIREGUARD_CAPACITY_H

#include <stdbool.h>
#include <stddef.h>

/*
 * How many peers one device takes; it refuses the next with an error that says no more than "invalid" or "no memory". The
 * kernel: MAX_PEERS_PER_DEVICE, drivers/net/wireguard/messages.h; wireguard-go: MaxPeers, device/constants.go.
 */
enum { WG_KERNEL_PEERS_MAX = 1 << 20, WG_GO_PEERS_MAX = 1 << 16 };

/* userspace: a program makes or made the device; implementation: what agent.yaml says, of which "auto" and "kernel" mean
 * wireguard-go then. SIZE_MAX: a program of which no limit is known. */
size_t wg_peers_max(bool userspace, const char *implementation);

#endif
