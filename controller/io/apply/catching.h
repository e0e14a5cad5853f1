/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_CATCHING_H
#define HOLDFAST_CONTROLLER_IO_CATCHING_H

#include <stdbool.h>

struct agent;
struct controller;

/*
 * A gateway that was away catches up by the difference: what it holds is in the store, as files, and compiled again by the
 * writer's thread. If the hash that it reports is that of the result, only what differs is staged; else, or if that
 * generation is not kept, all of it.
 *
 * False: it reports none, or the store was asked for this way before and the answer did not lead anywhere: stage all of it
 * now.
 */
bool catching_start(struct controller *controller, struct agent *agent);

#endif
