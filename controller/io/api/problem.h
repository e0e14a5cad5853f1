/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_PROBLEM_H
#define HOLDFAST_CONTROLLER_IO_PROBLEM_H

#include "controller/io/fleet/lines.h"

struct http_request;

/* Problem details (RFC 9457) with all of them in "errors", and the first as the detail. Consumes the request. */
void problem_reply(struct http_request *request, int status, const struct lines *errors);

#endif
