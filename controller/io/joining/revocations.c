/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/joining/revocations.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

static struct store_revocation *find(
	const struct revocations *revocations, const struct tls_identity *identity)
{
	for (size_t i = 0; i < revocations->count; i++) {
		struct store_revocation *item = &revocations->items[i];
		if (item->whose.kind == identity->kind && strcmp(item->whose.name, identity->name) == 0)
			return item;
	}
	return NULL;
}

int revocations_put(struct revocations *revocations, const struct store_revocation *revocation)
{
	struct store_revocation *place = find(revocations, &revocation->whose);
	if (!place && revocations->count == REVOCATIONS_MAX)
		return -ENOSPC;
	if (!place) {
		revocations->items = mem_grow(revocations->items, &revocations->capacity,
			revocations->count + 1, sizeof *revocations->items);
		place = &revocations->items[revocations->count++];
	}
	*place = *revocation;
	return 0;
}

int64_t revocations_until(const struct revocations *revocations, const struct tls_identity *identity)
{
	const struct store_revocation *item = find(revocations, identity);
	return item ? item->wall_ms : 0;
}

void revocations_clear(struct revocations *revocations)
{
	free(revocations->items);
	*revocations = (struct revocations){0};
}
