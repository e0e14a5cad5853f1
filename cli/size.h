/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_SIZE_H
#define HOLDFAST_CLI_SIZE_H

#include <stdint.h>

/* How many bytes, for people, as wg(8) shows them: "812 B", "1.43 KiB", "20.00 MiB". Returns buffer. */
enum { SIZE_TEXT_MAX = 32 };
char *size_format(uint64_t bytes, char buffer[SIZE_TEXT_MAX]);

#endif
