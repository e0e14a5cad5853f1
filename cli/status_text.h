/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_STATUS_TEXT_H
#define HOLDFAST_CLI_STATUS_TEXT_H

#include <jansson.h>
#include <stdio.h>

/* The answer to GET /v1/status, a controller's or an agent's (docs/api.md, docs/agent.md), for people. */
void status_print(const json_t *status, FILE *out);

#endif
