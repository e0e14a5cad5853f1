/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_OWNERSHIP_CLOCK_H
#define HOLDFAST_OWNERSHIP_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/*
 * WireGuard's initiations carry the wall clock, and a client takes none that is not newer than the last it took from
 * the same key (whitepaper 5.1, TAI64N). A gateway whose clock is ahead, once it has initiated, keeps all others from
 * doing so for as long: it must not take over. One that is behind harms nobody but its own takeovers.
 */
enum { CLOCK_AHEAD_MS = 5000 }; /* 50 ms does no harm; a report may be seconds old */
#define CLOCK_NOBODY SIZE_MAX

/* skews_ms: each gateway's wall clock less the controller's. Of whom is `gateway` ahead, more than of anybody else?
 * CLOCK_NOBODY: of nobody by more than CLOCK_AHEAD_MS; nor where it agrees with the controller, for then the other is
 * behind. */
size_t clock_ahead_of(const int64_t *skews_ms, size_t count, size_t gateway);

#endif
