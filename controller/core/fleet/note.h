/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_FLEET_NOTE_H
#define HOLDFAST_CONTROLLER_FLEET_NOTE_H

#include "controller/core/fleet/diagnostics.h"

/* Inside controller/core/fleet only: how diagnostics come about. */

/* Copies what it is given; what is beyond the limit of its kind is counted. */
void diagnostics_add(struct diagnostics *diagnostics, const struct diagnostic *diagnostic);
/* Into the order of the files, and what is not listed into words. Again after each addition. */
void diagnostics_sort(struct diagnostics *diagnostics);

#endif
