/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_STORE_HEADER_H
#define HOLDFAST_PROTO_STORE_HEADER_H

#include <stdint.h>

/*
 * Whose answer is this? Every answer of a controller, whatever it says, has the id of its store in this header, as 16 lower-case
 * hex digits: a controller of another fleet has a certificate of the same authority, perhaps, and is nobody to a gateway of ours.
 */
#define STORE_HEADER "Holdfast-Store"
enum { STORE_HEADER_LINE_MAX = sizeof(STORE_HEADER ": 0123456789abcdef\r\n") };

/* The whole line, \r\n and all. Returns line. */
const char *store_header_line(uint64_t store, char line[STORE_HEADER_LINE_MAX]);
/* Of the header's value. 0: there is none (NULL), or it is something else. */
uint64_t store_header_read(const char *value);

#endif
