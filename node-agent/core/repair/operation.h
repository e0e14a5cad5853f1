/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_REPAIR_OPERATION_H
#define HOLDFAST_REPAIR_OPERATION_H

#include "node-agent/core/plan/plan.h"
#include "node-agent/core/repair/repair.h"

/* What an operation puts right, if it is a repair. Pure. */
enum repair_what repair_what_of(const struct plan_op *op);

#endif
