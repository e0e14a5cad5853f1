/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_INVITATIONS_H
#define HOLDFAST_CONTROLLER_IO_INVITATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/io/store/store.h"

/*
 * Who may join: one open invitation a gateway, each with the hash of a secret that nobody here keeps. No I/O: times are
 * given, the store is somebody else's. One that was used is remembered until it would have ended, so that whoever comes
 * with it again hears why it does not count any more.
 */
enum { INVITATIONS_MAX = 256 };

struct invitations {
	size_t count;
	struct invitation {
		struct store_invitation stored;
		bool used;
	} items[INVITATIONS_MAX];
};

/* Takes the place of an earlier one of the same gateway. -ENOSPC: INVITATIONS_MAX are open. */
int invitations_put(struct invitations *invitations, const struct store_invitation *invitation);
/* Would one for that gateway find a place? */
bool invitations_has_room(const struct invitations *invitations, const char *gateway);
void invitations_remove(struct invitations *invitations, const char *gateway);
/* The one with this secret, used or not; NULL: none, or it has ended. Borrowed until the next change. */
struct invitation *invitations_find(
	struct invitations *invitations, const struct key *secret, int64_t wall_ms);
/* It was marked as used, and was not: it is open again, unless another has taken its place. */
void invitations_give_back(struct invitations *invitations, const struct store_invitation *invitation);
/* Forget those that have ended. */
void invitations_expire(struct invitations *invitations, int64_t wall_ms);
/* Unused ones. */
size_t invitations_open(const struct invitations *invitations);

/* What is kept of a secret. */
void invitation_hash(const struct key *secret, char hash[SHA256_HEX_MAX]);

#endif
