/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_STATE_WRITER_H
#define HOLDFAST_AGENT_STATE_WRITER_H

#include "node-agent/io/state/state.h"

/*
 * Writes state in a thread of its own: a disk may take a second to sync, and beats and renewals do not wait
 * for it. Of several values of one file only the latest is written.
 */
struct state_writer;

/* directory is copied. The thread blocks all signals. */
int state_writer_new(const char *directory, struct state_writer **ret_writer, struct err *err);
/* Writes what is still to be written, and ends. NULL-safe. */
void state_writer_free(struct state_writer *writer);

/* Both copy what they are given, and return at once. Those of the seats are numbered, from 1. */
uint64_t state_writer_seats(struct state_writer *writer, const struct state_seats *seats);
void state_writer_desired(struct state_writer *writer, const struct desired *desired);

/* Readable when seats have been written; state_writer_written() empties it. */
int state_writer_fd(const struct state_writer *writer);
/* The number of the latest seats that are on disk; 0: none. Those before are, too, or were overtaken. */
uint64_t state_writer_written(struct state_writer *writer);

/* The last thing that failed since this was asked: true, and what. */
bool state_writer_failed(struct state_writer *writer, struct err *ret_err);

#endif
