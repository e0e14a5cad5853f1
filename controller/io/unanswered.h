/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_UNANSWERED_H
#define HOLDFAST_CONTROLLER_IO_UNANSWERED_H

struct agent;
struct controller;

/* Probes of shared prefixes that owners get no answer to: from their reports to who may take over. */

/* Of an owner's report: to all to whom that is news. */
void unanswered_pass_on(struct controller *controller, struct agent *owner);
/* All of it, to one who has just come, or has another generation. */
void unanswered_tell(struct controller *controller, struct agent *agent);
void unanswered_forget(struct agent *agent);

#endif
