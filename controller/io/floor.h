/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_FLOOR_H
#define HOLDFAST_CONTROLLER_IO_FLOOR_H

#include <stdbool.h>
#include <stdint.h>

struct controller;
struct generation;

/*
 * The revocation floor (FAILOVER rule 10): the last generation that removed or narrowed a peer. It is stored with the
 * generation that raises it, and never falls. Gateways keep it, too, and tell of it in their beats: a store that was
 * restored from before learns by them that there was a later one, and what it has is handed out to nobody.
 */

/* Everybody who tells gateways of it: at the start. */
void floor_tell(struct controller *controller);
/* It is on the disk, with a generation. */
void floor_rise(struct controller *controller, uint64_t floor);
/* What it will be when `next` is in force. Where gateways hold a generation that this store does not know, nobody can
 * tell what it let in: then `next` raises it. */
void floor_set_next(struct controller *controller, struct generation *next);

/* What a gateway says: of the floor, by a beat that is fresh; and which generation it holds. */
void floor_hear(struct controller *controller, const char *gateway, uint64_t told);
void floor_hear_held(struct controller *controller, uint64_t generation);

/* This store is an old one, and a gateway that holds this generation is ahead of it, and not below the floor. */
bool floor_is_ahead(const struct controller *controller, uint64_t generation);

#endif
