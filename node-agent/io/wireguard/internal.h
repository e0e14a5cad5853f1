/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_WIREGUARD_INTERNAL_H
#define HOLDFAST_AGENT_WIREGUARD_INTERNAL_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/text.h"
#include "node-agent/io/wireguard/wireguard.h"

/* Inside hf_agent_wireguard. Builder and codecs do no I/O: tests feed them bytes. */

/* ---- builder: a device while its parts come in ---- */

enum {
	WG_PEERS_MAX = 1 << 20,       /* as the kernel's MAX_PEERS_PER_DEVICE */
	WG_ALLOWED_IPS_MAX = 1 << 22, /* of all peers together */
};

struct wg_index_entry;

/* A device's peers, which stay sorted. What was found is valid until one is put in or taken out. */
struct wg_peer *wg_device_find(struct wg_device *device, const struct key *public_key); /* NULL: none */
struct wg_peer *wg_device_insert(struct wg_device *device, const struct key *public_key);
void wg_device_remove(struct wg_device *device, struct wg_peer *peer);
void wg_peer_add_allowed_ip(struct wg_peer *peer, const struct prefix *prefix);

struct wg_builder {
	struct wg_device *device;     /* the caller's */
	struct wg_index_entry *index; /* public key -> place in device->peers */
	size_t allowed_ip_count;
};

void wg_builder_init(struct wg_builder *builder, struct wg_device *device);
/* The peer of that key, new or known: a split dump names it again. NULL: one more than WG_PEERS_MAX. Valid until the
 * next call. */
struct wg_peer *wg_builder_peer(struct wg_builder *builder, const struct key *public_key);
/* -E2BIG: one more than WG_ALLOWED_IPS_MAX. */
int wg_builder_allowed_ip(struct wg_builder *builder, struct wg_peer *peer, const struct prefix *prefix);
/* Begin anew: what came in so far is cleared. */
void wg_builder_restart(struct wg_builder *builder);
/* Sort the peers and free the index. */
void wg_builder_finish(struct wg_builder *builder);
/* Free the index and clear the device. */
void wg_builder_abort(struct wg_builder *builder);

/* ---- messages: linux/wireguard.h ---- */

/* Where a change that takes several messages has got to. Zeroed but for change and name at the start. */
struct wg_encoder {
	const struct wg_change *change;
	const char *name;
	bool started;
	size_t peer, allowed_ip; /* the next ones */
};

/* Put as much as fits into message, which has its generic netlink header, until it is WG_MESSAGE_MAX_BYTES long.
 * Returns whether there is more to send. */
bool wg_encode(struct wg_encoder *encoder, struct nlmsghdr *message);
/* Take in one message of a dump. -EPROTO, -E2BIG. */
int wg_decode(struct wg_builder *builder, const struct nlmsghdr *message);

/* ---- text: the cross-platform userspace protocol ---- */

enum {
	WG_UAPI_LINE_MAX = 255,              /* without the newline; the longest known is 99 */
	WG_UAPI_REPLY_MAX_BYTES = 256 << 20, /* 100,000 peers are 40 MiB */
};

/* "set=1\n ... \n\n". Holds keys: wipe it (wg_uapi_wipe), it was allocated once and never moved. */
void wg_uapi_format(const struct wg_change *change, struct text *ret_text);
void wg_uapi_wipe(struct text *text);

/* A reply as it comes in, in pieces of any size. Zeroed but for builder (NULL: a reply to set) at the start; holds
 * keys. */
struct wg_uapi_parser {
	struct wg_builder *builder;
	struct wg_peer *peer; /* whose lines these are */
	size_t total_bytes, line_length;
	char line[WG_UAPI_LINE_MAX + 1];
	bool has_errno;
	int64_t error; /* the reply's errno= */
};

/* 1: the reply is complete; 0: there must be more; -EPROTO, -EMSGSIZE (a line or all of it is too long), -E2BIG, or the
 * -errno that the reply says. */
int wg_uapi_parse(struct wg_uapi_parser *parser, const char *data, size_t size_bytes);

/* ---- the two back ends ---- */

enum { WG_ANSWER_MAX_MS = 20000 }; /* the longest that one answer may take in all */

struct wg_kernel;
int wg_kernel_open(int timeout_ms, struct wg_kernel **ret_kernel, struct err *err);
void wg_kernel_close(struct wg_kernel *kernel);
int wg_kernel_get(struct wg_kernel *kernel, const char *name, struct wg_device *ret_device, struct err *err);
int wg_kernel_set(
	struct wg_kernel *kernel, const char *name, const struct wg_change *change, struct err *err);

enum { WG_UAPI_PATH_MAX = 64 };
char *wg_uapi_path(const char *name, char path[WG_UAPI_PATH_MAX]);
/* A connection, or -ENOENT, -ECONNREFUSED: nobody lives there. */
int wg_uapi_connect(const char *name, int timeout_ms);
int wg_uapi_get(const char *name, int timeout_ms, struct wg_device *ret_device, struct err *err);
int wg_uapi_set(const char *name, int timeout_ms, const struct wg_change *change, struct err *err);
/* Remove the socket if nobody answers on it. */
void wg_uapi_remove_stale(const char *name);

#endif
