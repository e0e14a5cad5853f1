/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_EXPORT_H
#define HOLDFAST_CLI_EXPORT_H

#include "common/base/text.h"
#include "controller/core/fleet/fleet.h"
#include "node-agent/core/quick/config.h"

/* A tunnel of a fleet, as it is on one gateway, as a wg-quick file. */
struct export
{
	const struct fleet *fleet;
	const struct fleet_tunnel *tunnel;
	size_t gateway; /* its index */
	int64_t now_s;  /* since 1970: peers that are expired by then are left out, as on the gateway */
	/* Reads a key file that the fleet names; -errno with err. NULL: the file's own PostUp has wg read them. */
	int (*read_key)(void *context, const char *path, struct key *ret_key, struct err *err);
	void *context;
	const char *directory; /* of agent.yaml, which relative paths are beside: for PostUp */
};

/*
 * Its text: secret with read_key, so it is wiped, and it never moves while it is made. What a wg-quick file cannot say is
 * added to *told. Errors are read_key's; -E2BIG: more than the text has room for.
 */
int export_make(
	const struct export *export, struct text *ret_text, struct quick_texts *told, struct err *err);

#endif
