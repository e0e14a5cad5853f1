/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_REPORT_H
#define HOLDFAST_CONTROLLER_IO_REPORT_H

#include "common/liveness/liveness.h"
#include "proto/instruction.h"
#include "proto/report.h"

struct agent;
struct controller;

/* What the controller itself noticed and decided, and what agents tell of themselves, for `holdfast report`. In memory. */
void report_verdict(struct controller *controller, const char *gateway, const struct liveness_view *view);
void report_vote(struct controller *controller, const char *observer, const struct datagram_silence *silence);
void report_decided(const struct order *order, void *controller);
/* A report's moments. */
void report_take(struct controller *controller, struct agent *agent, const struct report *report);
/* Their clock is known, perhaps: into the controller's. */
void report_settle(struct controller *controller, struct agent *agent);

#endif
