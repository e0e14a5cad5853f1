/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_BASE_DATE_H
#define HOLDFAST_BASE_DATE_H

#include <stdint.h>

#include "common/base/err.h"

/* Points in time as people write them (RFC 3339), in seconds since 1970-01-01T00:00:00Z; years 1970 to 9999. */
enum { DATE_TEXT_MAX = 21 }; /* 2027-03-31T18:00:00Z */
/* 9999-12-31T23:59:59Z: beyond it nothing can be written, nor read. */
#define DATE_MAX_S INT64_C(253402300799)

/*
 * Until when something holds: 2027-03-31 is until the end of that day in UTC, 2027-03-31T18:00:00Z and
 * 2027-03-31T20:00+02:00 until that moment (seconds may be left out; a zone is needed). *ret_until_s is above 0: the first
 * moment of 1970, and earlier ones by another zone, are none; nor are those above DATE_MAX_S, but 9999-12-31 ends there. -EINVAL with a text that names the input.
 */
int date_parse_until(const char *text, int64_t *ret_until_s, struct err *err);

/* "2027-04-01T00:00:00Z". Returns buffer. */
char *date_format(int64_t at_s, char buffer[DATE_TEXT_MAX]);

#endif
