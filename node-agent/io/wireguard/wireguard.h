/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_WIREGUARD_WIREGUARD_H
#define HOLDFAST_AGENT_WIREGUARD_WIREGUARD_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/base/key.h"

/*
 * WireGuard devices: what they hold (wg_get) and changes to it (wg_set), alike for the kernel's (generic
 * netlink, linux/wireguard.h) and for userspace ones (UAPI socket, https://www.wireguard.com/xplatform/).
 *
 * State and changes are different types: a device says everything, a change says what is to be different.
 */

/* ---- state ---- */

struct wg_peer {
	struct key public_key;
	struct key preshared_key; /* zero: none */
	struct endpoint endpoint; /* without a family: none yet */
	uint16_t keepalive_s;     /* 0: off */
	int64_t handshake_s;      /* wall clock of the last handshake; 0 (and 0 ns): never */
	uint32_t handshake_ns;
	uint64_t rx_bytes, tx_bytes;
	struct prefix *allowed_ips; /* host bits cleared; in no particular order */
	size_t allowed_ip_count, allowed_ip_capacity;
};

struct wg_device {
	char name[IFNAMSIZ];
	unsigned ifindex;
	bool userspace;
	struct key private_key; /* zero: none */
	struct key public_key;  /* zero: none */
	uint16_t listen_port;
	uint32_t fwmark;
	struct wg_peer *peers; /* sorted by public key (memcmp) */
	size_t peer_count, peer_capacity;
};

/* Frees what it holds, wipes its keys, zeroes it. NULL-safe. */
void wg_device_clear(struct wg_device *device);
#define CLEANUP_WG_DEVICE __attribute__((cleanup(wg_device_clear)))
/* NULL if there is none. */
const struct wg_peer *wg_device_peer(const struct wg_device *device, const struct key *public_key);

/* The public key of a private one (X25519, RFC 7748). -EINVAL if the library refuses. */
int wg_public_key(const struct key *private_key, struct key *ret_public_key);

/* ---- changes ---- */

enum wg_peer_flags {
	WG_PEER_REMOVE = 1 << 0,
	WG_PEER_UPDATE_ONLY = 1 << 1,         /* do nothing if the peer is not there */
	WG_PEER_REPLACE_ALLOWED_IPS = 1 << 2, /* else allowed_ips are added */
	WG_PEER_SET_PRESHARED_KEY = 1 << 3,   /* a zero key takes it away */
	WG_PEER_SET_ENDPOINT = 1 << 4,        /* there is no way to take one away */
	WG_PEER_SET_KEEPALIVE = 1 << 5,       /* from 0 to n sends at once, so it starts a handshake */
};

struct wg_peer_change {
	struct key public_key;
	unsigned flags; /* enum wg_peer_flags; says which of the following count */
	struct key preshared_key;
	struct endpoint endpoint;
	uint16_t keepalive_s;
	const struct prefix
		*allowed_ips; /* borrowed. Moves from whichever peer has the same prefix, silently */
	size_t allowed_ip_count;
};

enum wg_flags {
	WG_SET_PRIVATE_KEY = 1 << 0, /* a zero key takes it away; a peer with our own public key is deleted */
	WG_SET_LISTEN_PORT = 1 << 1, /* 0: the kernel picks one. Clears the cached source addresses */
	WG_SET_FWMARK = 1 << 2,      /* 0: off. Clears the cached source addresses */
	WG_REPLACE_PEERS = 1 << 3,   /* peers that are not in this change go */
};

struct wg_change {
	unsigned flags; /* enum wg_flags */
	struct key private_key;
	uint16_t listen_port;
	uint32_t fwmark;
	const struct wg_peer_change *peers; /* borrowed */
	size_t peer_count;
};

/* ---- talking to a device ---- */

struct wg;

enum { WG_TIMEOUT_MS = 5000 }; /* what to pass when nothing speaks for another value */

/* A live UAPI socket of that name wins over a kernel device. -ENODEV: neither is there (a socket that refuses
 * connections is a dead one's). The handle stays in the network namespace in which it was opened; keep it
 * open, each call then costs few system calls. Calls block, at most timeout_ms without progress (-ETIMEDOUT).
 */
int wg_open(const char *name, int timeout_ms, struct wg **ret_wg, struct err *err);
void wg_close(struct wg *wg); /* NULL-safe */
/* For the calls that follow. A kernel device keeps the one that it was opened with. */
void wg_set_timeout(struct wg *wg, int timeout_ms);
bool wg_is_userspace(const struct wg *wg);

/* *ret_device is filled anew: clear it first if it holds something. Clear it afterwards. -ENODEV: the device
 * went.
 * -EAGAIN: the kernel's device changed all the time while it was read. */
int wg_get(struct wg *wg, struct wg_device *ret_device, struct err *err);

/* Apply. Kernel: one message as long as it fits in WG_MESSAGE_MAX_BYTES, beyond that several, each acknowledged before
 * the next. Userspace: one exchange. Either way a failure leaves what came before it applied. A listen port that is
 * taken is -EADDRINUSE here only if the device is up. */
enum { WG_MESSAGE_MAX_BYTES = 57000 };
int wg_set(struct wg *wg, const struct wg_change *change, struct err *err);

/* What was read of a device, as it is after a change that succeeded: nothing has to be read again. false: it has, and
 * nothing was done. Only the implementation knows what it makes of a private key or a port, and for more than
 * WG_APPLY_PEERS_MAX peers reading is cheaper. */
enum { WG_APPLY_PEERS_MAX = 256 };
bool wg_device_apply(struct wg_device *device, const struct wg_change *change);

/* Names of all WireGuard devices of this namespace, sorted. The caller frees *ret_names with free(). */
int wg_list(char (**ret_names)[IFNAMSIZ], size_t *ret_count, struct err *err);

#endif
