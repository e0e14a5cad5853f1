/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_BASE_HOST_H
#define HOLDFAST_BASE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"

/* Names of hosts (RFC 1123, and the underscore that people use all the same). Nothing is resolved. */
enum { HOST_MAX = 253, HOST_LABEL_MAX = 63 };

/* Labels of letters, digits, '-' and '_', none of them with a '-' at an end, the last not of digits alone (that would
 * be a mistyped address); a dot at the end is fine. */
bool host_is_name(const char *text);

/* NAME:PORT, such as site1.example.net:51820. -EINVAL with a text that names the input. */
int host_parse(const char *text, char ret_name[HOST_MAX + 1], uint16_t *ret_port, struct err *err);

#endif
