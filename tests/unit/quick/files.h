/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_UNIT_QUICK_FILES_H
#define HOLDFAST_TESTS_UNIT_QUICK_FILES_H

#include "common/base/text.h"

/* tests/unit/quick/files/AREA/NAME and suffix, whole; the caller frees. The test fails if it is not there. */
char *files_read(const char *area, const char *name, const char *suffix);
/* For each NAME.conf of an area; returns how many. */
unsigned files_each(const char *area, void (*check)(const char *name));

#endif
