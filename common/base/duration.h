/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_BASE_DURATION_H
#define HOLDFAST_BASE_DURATION_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/* Durations as people write them: 50ms, 3s, 1.5s, 2m, 12h, 7d. A bare number is refused: it has no unit. At
 * most 365d. */
int duration_parse(const char *text, int64_t *ret_ms, struct err *err);
/* The shortest exact form: 1500 becomes 1500ms, 3000 becomes 3s. Returns buffer. */
char *duration_format(int64_t ms, char *buffer, size_t size);

#endif
