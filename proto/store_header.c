/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/store_header.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DIGITS = 16 };

const char *store_header_line(uint64_t store, char line[STORE_HEADER_LINE_MAX])
{
	snprintf(line, STORE_HEADER_LINE_MAX, STORE_HEADER ": %016" PRIx64 "\r\n", store);
	return line;
}

uint64_t store_header_read(const char *value)
{
	if (!value || strlen(value) != DIGITS || strspn(value, "0123456789abcdef") != DIGITS)
		return 0;
	return strtoull(value, NULL, 16);
}
