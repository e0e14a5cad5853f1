/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_MAKING_H
#define HOLDFAST_CONTROLLER_IO_MAKING_H

#include <stdint.h>

#include "controller/io/fleet/generation.h"

struct controller;

/* A bundle becomes a generation. Reading and compiling a large fleet takes a while: the writer's thread does it, not the one
 * that decides about gateways. */
struct made {
	struct generation *generation; /* NULL: it could not be made, errors say why */
	struct lines errors, warnings;
};

/* In the loop; r as of generation_make(). Takes over what it moves out of *made; the rest is freed. */
typedef void making_done(struct controller *controller, int r, struct made *made);

/* Takes over what the bundle owns. who: for the history, copied. done() is never called from inside this. */
void making_start(struct controller *controller, struct bundle *bundle, uint64_t number, const char *who,
	making_done *done);

#endif
