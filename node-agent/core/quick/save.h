/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_SAVE_H
#define HOLDFAST_QUICK_SAVE_H

#include "node-agent/core/plan/world.h"
#include "node-agent/core/quick/allowed.h"
#include "node-agent/core/quick/config.h"

/*
 * A file brought up to date with its tunnel: only what differs is rewritten. Comments, order, spelling, hooks and name
 * servers stay; an endpoint that was given by name keeps its name.
 */
struct quick_saved {
	const struct prefix *addresses; /* of the interface, without those that the kernel made */
	size_t address_count;
	uint32_t mtu;
	struct key private_key; /* secret; zero: none */
	struct key public_key;  /* of the interface */
	uint16_t listen_port;
	bool port_is_chosen; /* by the kernel: not written where the file has none */
	uint32_t fwmark;
	bool mark_is_chosen;           /* by us: likewise */
	const struct plan_peer *peers; /* sorted by key */
	size_t peer_count;
	const char (*zones)[ZONE_TEXT_MAX]; /* by peer: the interface that its endpoint's scope is; "": not known */
};

/* The new text; equal to the old one if nothing differs. It holds keys: the caller wipes and frees. config and allowed
 * are what quick_read() and quick_allowed_init() made of this text. */
char *quick_save(const char *text, size_t size, const struct quick_config *config,
	const struct quick_allowed *allowed, const struct quick_saved *live);

#endif
