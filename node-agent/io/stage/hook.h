/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_STAGE_HOOK_H
#define HOLDFAST_AGENT_STAGE_HOOK_H

#include "common/base/err.h"
#include "node-agent/io/config/config.h"
#include "proto/desired.h"

/* May the fleet run this line (with %i in it) around that tunnel here, and can it be run? -errno says why not, and what to do. */
int stage_check_hook(const struct config *config, const char *tunnel, enum desired_hook hook,
	const char *line, struct err *err);
/* The same for all of a tunnel's. */
int stage_check_hooks(const struct config *config, const struct desired_tunnel *tunnel, struct err *err);

#endif
