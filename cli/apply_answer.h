/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_APPLY_ANSWER_H
#define HOLDFAST_CLI_APPLY_ANSWER_H

#include <jansson.h>
#include <stdbool.h>

/* What PUT /v1/fleet and POST /v1/rollback answer, on standard output. */
void apply_answer_print(const json_t *answer, bool as_json);

#endif
