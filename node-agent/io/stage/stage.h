/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_STAGE_H
#define HOLDFAST_AGENT_STAGE_H

#include "common/base/err.h"
#include "common/base/key.h"
#include "node-agent/io/config/config.h"
#include "node-agent/io/reconcile/reconcile.h"
#include "proto/desired.h"

/*
 * Could this gateway be what a generation says? Nothing is changed. Errors name the path or interface, and
 * what to do: they become the words of a failed apply.
 */
struct stage_host {
	const struct config *config;   /* relative key files are beside it */
	uint64_t store;                /* pinned; 0: none yet */
	uint64_t floor;                /* of revocation: nothing below it is taken */
	const struct desired *current; /* what it holds now: its ports are its own; NULL: nothing */
};

/* Is the key file of a tunnel there, and of the tunnel's public key? -errno says what is wrong with it. */
int stage_check_private_key(const char *config_path, const struct desired_tunnel *tunnel, struct err *err);

/* On 0 *ret_preshared_keys has one for each peer, in order (NULL: no peer has one): stage_keys_free(). */
int stage_check(const struct stage_host *host, struct reconcile *reconcile, const struct desired *desired,
	struct key **ret_preshared_keys, struct err *err);

/* The preshared keys alone: all of them, or none. */
int stage_read_preshared_keys(const char *config_path, const struct desired *desired,
	struct key **ret_preshared_keys, struct err *err);
/* The same for a generation that runs already. For a file that cannot be read any more missing() is
 * asked what its peer's key shall be, which it must set. */
typedef void stage_key_missing(
	void *context, const struct desired_peer *peer, const struct err *why, struct key *ret_key);
void stage_adopt_preshared_keys(const char *config_path, const struct desired *desired,
	stage_key_missing *missing, void *context, struct key **ret_preshared_keys);
void stage_keys_free(struct key *keys, size_t count); /* wipes; NULL-safe */

#endif
