/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_NOTE_H
#define HOLDFAST_CONTROLLER_FLEET_NOTE_H

#include "controller/core/fleet/diagnostics.h"

/* Inside controller/core/fleet only: how diagnostics come about. */

/* Copies what it is given; counts what is beyond DIAGNOSTICS_MAX and forgets it. */
void diagnostics_add(struct diagnostics *diagnostics, const struct diagnostic *diagnostic);
/* Into the order of the files. */
void diagnostics_sort(struct diagnostics *diagnostics);

#endif
