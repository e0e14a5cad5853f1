/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_TELLING_H
#define HOLDFAST_AGENT_TELLING_H

struct agent;

/*
 * notify: the user's programs are told what this gateway is to each of its endpoints (core/notice says when). Never from
 * within a takeover: a moment later, from a timer.
 */
struct telling;

void telling_open(struct agent *agent);
void telling_close(struct agent *agent); /* kills those that run */
/* Another generation is held. */
void telling_update(struct agent *agent);
/* Something may have changed: it is looked at soon. */
void telling_soon(struct agent *agent);

#endif
