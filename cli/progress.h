/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_PROGRESS_H
#define HOLDFAST_CLI_PROGRESS_H

#include "cli/controller.h"

/* controller_call_at() for what takes its time (an apply, a rollback): waits as long as the controller says that it goes on
 * (cli/vigil.h), after that -ETIMEDOUT, with an err that says how to find out. If standard error is a terminal, how far the
 * controller is stands there, a line whenever that changes; else nothing. */
int progress_call(const struct controller *controller, int64_t generation, const char *method,
	const char *path, const json_t *body, json_t **ret_json, struct err *err);

#endif
