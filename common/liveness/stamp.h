/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_LIVENESS_STAMP_H
#define HOLDFAST_LIVENESS_STAMP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/*
 * When a datagram came in. The kernel stamps it in wall time (SO_TIMESTAMPNS, socket(7)), all else here counts in monotonic
 * time: the age of the stamp is taken off the present. Pure. A wall clock that was set meanwhile makes ages wrong, by as
 * much: then all that has waited in the socket counts as received now, which is late by no more than the own lag, and that
 * is watched.
 */
enum {
	STAMP_STEP_US =
		100 * 1000, /* ntpd slews less than 128 ms; two clocks are not read at the same moment */
	STAMP_OLDEST_US = 60 * 1000 * 1000, /* nothing waits longer */
};

/* Both clocks of one reading of a socket, in microseconds. All zero before the first, which believes its stamps. */
struct stamp_clock {
	int64_t now_us; /* CLOCK_MONOTONIC */
	int64_t wall_us;
	bool known, stepped; /* stepped: since the reading before, the wall clock was set */
};

/* A socket is about to be read until it is empty. */
void stamp_clock_begin(struct stamp_clock *clock);
/* Some of it has been read; these are the clocks right after that. */
void stamp_clock_read(struct stamp_clock *clock, int64_t now_us, int64_t wall_us);

/* When the message came in, monotonic, never in the future. Now, where it has no stamp or none to be believed. */
int64_t stamp_us(const struct msghdr *message, const struct stamp_clock *clock);

#endif
