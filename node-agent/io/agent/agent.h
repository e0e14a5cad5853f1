/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_AGENT_H
#define HOLDFAST_AGENT_AGENT_H

#include "common/base/err.h"
#include "node-agent/io/config/config.h"

struct event_base;

/*
 * The agent of one gateway: everything between the cores and the kernel, the controllers and those who ask
 * how it is. One thread, in the loop of `base`.
 *
 * agent_new() adopts what disk and kernel hold: what was served goes on being served. agent_free() leaves the
 * kernel as it is, so that the next start finds it, and until then the lease runs.
 */
struct agent;

/* *config is borrowed. Every error is one line that names what and where. */
int agent_new(
	struct event_base *base, const struct config *config, struct agent **ret_agent, struct err *err);
void agent_free(struct agent *agent); /* NULL-safe */

/* Ends the loop: at once, or, where the whole host goes down, when what is served here has moved away. */
void agent_stop(struct agent *agent);

#endif
