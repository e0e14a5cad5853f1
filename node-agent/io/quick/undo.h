/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_UNDO_H
#define HOLDFAST_AGENT_QUICK_UNDO_H

/* What is ours goes; before that, what `down` finds. */

struct quick;

/* ---- undo.c ---- */
/* All that the journal says is ours; the first failure is returned, the rest is tried. Then the journal goes, unless the
 * namespace is ours, too: quick_remove_namespace(). */
int quick_undo(struct quick *quick);
/* quick->err and status survive it. */
void quick_roll_back(struct quick *quick);

/* ---- down.c ---- */
int quick_require_device(struct quick *quick); /* -ENODEV: no WireGuard interface of that name */

/* ---- guess.c ---- */
/* For a tunnel that wg-quick brought up, or whose journal is lost: the journal that we would have had. */
int quick_guess_journal(struct quick *quick);

/* ---- save.c ---- */
int quick_save_config(struct quick *quick);

#endif
