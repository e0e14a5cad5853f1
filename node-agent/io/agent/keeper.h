/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_KEEPER_H
#define HOLDFAST_AGENT_KEEPER_H

#include <stdbool.h>

#include "common/base/err.h"
#include "node-agent/io/quick/keep.h"

/*
 * quick_keep() in a thread of its own (common/io/worker.h): a look at 50,000 routes, or a resolvconf that hangs, must not
 * delay beats. One look at a time.
 */
struct keeper;

struct keeper_answer {
	char name[IFNAMSIZ];
	int result; /* of quick_keep(); if it is negative, err says why; kept is there to be cleared */
	struct err err;
	struct quick_kept kept;
};

/* run_directory is copied. */
int keeper_new(const char *run_directory, struct keeper **ret_keeper, struct err *err);
/* Waits for the look under way: some seconds if a program hangs. NULL-safe. */
void keeper_free(struct keeper *keeper);

int keeper_fd(const struct keeper *keeper); /* readable when there is an answer; non-blocking */
/* -EBUSY: a look is under way, or its answer was not taken yet. */
int keeper_look(struct keeper *keeper, const char *name);
bool keeper_next(struct keeper *keeper, struct keeper_answer *ret_answer);

#endif
