/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_COMMITTING_H
#define HOLDFAST_CONTROLLER_IO_COMMITTING_H

struct apply;

/* The second phase of an apply: it is written to the store, which is the decision, and then only goes forward. Ends in apply_finish() when
 * all hold it or APPLY_COMMIT_MS are over, or in apply_fail() if it cannot be written. */
void committing_store(struct apply *apply);

#endif
