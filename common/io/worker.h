/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_COMMON_WORKER_H
#define HOLDFAST_COMMON_WORKER_H

#include <stdbool.h>

#include "common/base/err.h"

/*
 * Work that would delay a loop, done in a thread: one job at a time, and the next when the one before was taken back, so
 * what they hold is bounded. Without a job the thread sleeps. All signals are blocked in it.
 */
struct worker;

/* work() runs in the thread and shares nothing with the loop but the job. */
int worker_new(void (*work)(void *job), struct worker **ret_worker, struct err *err);
/* Waits for the job under way. NULL-safe. Returns the job that nobody has taken back, done or not begun; NULL: none. */
void *worker_free(struct worker *worker);

int worker_fd(const struct worker *worker); /* readable when a job is done; non-blocking */
/* Nobody else touches the job until it was taken back. false: another one was not. */
bool worker_give(struct worker *worker, void *job);
void *worker_take(struct worker *worker); /* NULL: none is done */

#endif
