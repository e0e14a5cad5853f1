/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_CLIENT_FILE_H
#define HOLDFAST_CLI_CLIENT_FILE_H

#include "cli/client_address.h"
#include "common/base/text.h"

/* What the wg-quick file of a client is made from. Borrowed. */
struct client_file {
	const struct fleet *fleet;
	const struct fleet_tunnel *tunnel;
	const struct fleet_peer *peer; /* for its groups */
	const char *name;
	const struct key *private_key;   /* secret */
	const struct key *preshared_key; /* secret; NULL: none */
	const char *dial;                /* HOST:PORT, or NULL: what the tunnel's endpoint says */
	size_t address_count;
	struct prefix addresses[CLIENT_ADDRESSES_MAX];
};

/*
 * Its text, secret: to be ended with client_file_wipe(). It never moves in memory while it is made, so that no copy of a
 * key stays behind. -ENOENT: nothing says what the client shall dial; -E2BIG: beyond CLIENT_FILE_MAX.
 */
enum { CLIENT_FILE_MAX = 64 * 1024 };
int client_file_make(const struct client_file *file, struct text *ret_text, struct err *err);
void client_file_wipe(struct text *text);

#endif
