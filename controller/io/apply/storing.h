/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_STORING_H
#define HOLDFAST_CONTROLLER_IO_STORING_H

#include "controller/io/fleet/generation.h"

struct controller;

/* In the loop; r and err as of store_add_generation(). */
typedef void storing_done(struct controller *controller, int r, const struct err *err);

/* A generation is written to the store by the writer's thread: in force at the next start, whatever becomes of this process.
 * So is the confirmation that it awaits (NULL: none). What is written is copied. done() is never called from inside this. */
void storing_start(struct controller *controller, const struct generation *generation,
	const struct store_confirmation *confirmation, storing_done *done);

#endif
