/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_STORM_H
#define HOLDFAST_TESTS_STORM_H

/*
 * A process of its own that makes a change again and again, while the test reads what changes. It begins faster than any
 * machine reads; a reader that got nothing softens it, so that a slow or busy machine reads, too, in the end.
 */

struct storm;

/* `make(number)` is called in the new process, with 0, 1, 2, ... Asserts that the process could be made. */
struct storm *storm_start(void (*make)(unsigned number));

/* From now on twice as long between two changes. */
void storm_soften(struct storm *storm);

/* Ends the process and frees. */
void storm_end(struct storm *storm);

#endif
