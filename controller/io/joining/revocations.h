/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_REVOCATIONS_H
#define HOLDFAST_CONTROLLER_IO_REVOCATIONS_H

#include <stddef.h>
#include <stdint.h>

#include "controller/io/store/store.h"

/*
 * Whose certificates do not count any more: of a gateway or an operator, those that are dated up to a moment. One made
 * afterwards does, so that a name can come back with a new key. By name and date, not by serial number: certificates that
 * were made elsewhere are not known here.
 */
enum { REVOCATIONS_MAX = 4096 };

struct revocations {
	size_t count, capacity;
	struct store_revocation *items; /* owned */
};

/* A later one of the same name takes the place of an earlier. -ENOSPC. */
int revocations_put(struct revocations *revocations, const struct store_revocation *revocation);
/* Until when certificates of that identity are revoked (wall clock); 0: they are not. */
int64_t revocations_until(const struct revocations *revocations, const struct tls_identity *identity);
void revocations_clear(struct revocations *revocations);

#endif
