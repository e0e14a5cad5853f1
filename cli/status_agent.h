/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_STATUS_AGENT_H
#define HOLDFAST_CLI_STATUS_AGENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

/* What an agent's socket says of its own gateway, when there is no controller to ask: see docs/agent.md. An agent knows its
 * own seats, not who owns what elsewhere. */
bool status_is_agents(const json_t *status);
void status_agent_print(const json_t *status, FILE *out);

#endif
