/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_WRITER_H
#define HOLDFAST_CONTROLLER_IO_WRITER_H

#include "common/base/err.h"
#include "controller/io/store/store.h"

struct event_base;

/*
 * A thread that writes to the store, so that a slow disk never holds up a verdict or an order. Jobs run one after the
 * other in the order given; done() runs in the loop's thread afterwards. While a writer lives the store is its alone.
 */
struct writer;

struct writer_job {
	int (*write)(struct store *store, void *context, struct err *err); /* in the writer's thread */
	/* In the loop; r is what write() returned, err its text if it failed. Must free the context. */
	void (*done)(void *context, int r, const struct err *err);
	void *context;
};

int writer_new(struct event_base *base, struct store *store, struct writer **ret_writer, struct err *err);
/* The job is copied. done() is never called from inside this. */
void writer_add(struct writer *writer, const struct writer_job *job);
/* Writes what is still waiting, calls every done(), ends the thread. NULL-safe. */
void writer_free(struct writer *writer);

#endif
