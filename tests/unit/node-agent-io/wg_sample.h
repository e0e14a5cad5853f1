/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_WG_SAMPLE_H
#define HOLDFAST_TESTS_WG_SAMPLE_H

#include <stddef.h>

#include "node-agent/io/wireguard/wireguard.h"

/* Peers to test with. */

/* A key that differs for every number, also in its first bytes. */
struct key sample_key(unsigned number);
struct prefix sample_prefix(const char *text);
struct endpoint sample_endpoint(const char *text);

/* `count` changes, each with the key of its number, a /32 and a /128 of its own, a preshared key, an endpoint and a
 * keepalive of 25 s. Free with sample_peers_free(). */
struct wg_peer_change *sample_peers_new(size_t count);
void sample_peers_free(struct wg_peer_change *peers, size_t count);
/* Free what a change only borrows. */
void sample_free(const void *borrowed);
/* `count` prefixes 10.A.B.C/32. Free with free(). */
struct prefix *sample_prefixes_new(size_t count);

/* Asserts that the device has exactly these peers, with all that they were given. */
void sample_assert_peers(const struct wg_device *device, const struct wg_peer_change *peers, size_t count);

#endif
