/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_MAKING_H
#define HOLDFAST_CONTROLLER_IO_MAKING_H

#include <stdint.h>

#include "controller/io/fleet/generation.h"

struct controller;

/* A bundle becomes a generation. Reading and compiling a large fleet takes a while: the writer's thread does it, not the one
 * that decides about gateways. */
enum { MADE_ADMITS_MAX = 20 };

struct made {
	struct generation *generation; /* NULL: it could not be made, errors say why */
	struct lines errors, warnings;
	struct lines admits; /* of a rollback: generation_admits(), against the one in force */
};

/* In the loop; r as of generation_make(), or -ENOENT: the store has no such generation any more. Takes over what it moves
 * out of *made; the rest is freed. */
typedef void making_done(struct controller *controller, int r, struct made *made);

/* What is made, and of what. */
struct making_order {
	uint64_t number;
	struct bundle *bundle;  /* taken over, what it owns; NULL: the files of an old generation ... */
	uint64_t rollback_to;   /* ... this one */
	const char *who, *what; /* for the history; copied */
};

/* The one in force must stay that until done() is called, which is never from inside this. */
void making_start(struct controller *controller, const struct making_order *order, making_done *done);

#endif
