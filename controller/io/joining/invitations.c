/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/joining/invitations.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

#include "common/io/mac.h"

void invitation_hash(const struct key *secret, char hash[SHA256_HEX_MAX])
{
	sha256_hex(secret->bytes, sizeof secret->bytes, hash);
}

/* INVITATIONS_MAX: there is none. */
static size_t index_of(const struct invitations *invitations, const char *gateway)
{
	for (size_t i = 0; i < invitations->count; i++)
		if (strcmp(invitations->items[i].stored.gateway, gateway) == 0)
			return i;
	return INVITATIONS_MAX;
}

static struct invitation *find_gateway(struct invitations *invitations, const char *gateway)
{
	size_t index = index_of(invitations, gateway);
	return index < INVITATIONS_MAX ? &invitations->items[index] : NULL;
}

bool invitations_has_room(const struct invitations *invitations, const char *gateway)
{
	return invitations->count < INVITATIONS_MAX || index_of(invitations, gateway) < INVITATIONS_MAX;
}

int invitations_put(struct invitations *invitations, const struct store_invitation *invitation)
{
	struct invitation *place = find_gateway(invitations, invitation->gateway);
	if (!place && invitations->count == INVITATIONS_MAX)
		return -ENOSPC;
	if (!place)
		place = &invitations->items[invitations->count++];
	*place = (struct invitation){.stored = *invitation};
	return 0;
}

static void remove_at(struct invitations *invitations, struct invitation *item)
{
	*item = invitations->items[--invitations->count];
}

void invitations_remove(struct invitations *invitations, const char *gateway)
{
	struct invitation *item = find_gateway(invitations, gateway);
	if (item)
		remove_at(invitations, item);
}

/* All of them are compared, and each whole: how long it takes says nothing. */
struct invitation *invitations_find(
	struct invitations *invitations, const struct key *secret, int64_t wall_ms)
{
	struct invitation *found = NULL;
	char hash[SHA256_HEX_MAX];
	invitation_hash(secret, hash);
	for (size_t i = 0; i < invitations->count; i++) {
		struct invitation *item = &invitations->items[i];
		if (CRYPTO_memcmp(item->stored.hash, hash, sizeof hash) == 0 &&
			wall_ms < item->stored.expires_ms)
			found = item;
	}
	return found;
}

void invitations_give_back(struct invitations *invitations, const struct store_invitation *invitation)
{
	struct invitation *item = find_gateway(invitations, invitation->gateway);
	if (item && strcmp(item->stored.hash, invitation->hash) == 0)
		item->used = false;
}

void invitations_expire(struct invitations *invitations, int64_t wall_ms)
{
	for (size_t i = invitations->count; i-- > 0;)
		if (wall_ms >= invitations->items[i].stored.expires_ms)
			remove_at(invitations, &invitations->items[i]);
}

size_t invitations_open(const struct invitations *invitations)
{
	size_t open = 0;
	for (size_t i = 0; i < invitations->count; i++)
		open += !invitations->items[i].used;
	return open;
}
