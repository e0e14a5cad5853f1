/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_STATUS_CHECK_H
#define HOLDFAST_CLI_STATUS_CHECK_H

#include <jansson.h>

#include "common/base/text.h"

/*
 * The answer to GET /v1/status as a monitoring plugin tells it (the plugin guidelines of Nagios, which Icinga, Naemon and
 * Checkmk follow): an exit status, and one line "WARNING: gw-b is dead | endpoints=1 unowned=0 ...".
 */
enum status_level { STATUS_OK = 0, STATUS_WARNING = 1, STATUS_CRITICAL = 2, STATUS_UNKNOWN = 3 };

/* "OK", "WARNING", ... */
const char *status_level_name(enum status_level level);

/*
 * A controller's or an agent's. Critical: an endpoint that nobody serves, or whose owner is dead. Warning: whatever else the
 * controller or agent warns of. Unknown: there is no fleet. The line goes to *line, without its end.
 */
enum status_level status_check(const json_t *status, struct text *line);

/* Nobody could be asked: "UNKNOWN: " and why, in one line. */
void status_check_unknown(const char *why, struct text *line);

#endif
