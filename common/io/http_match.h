/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_HTTP_MATCH_H
#define HOLDFAST_IO_HTTP_MATCH_H

#include <stdbool.h>

/*
 * Does If-Match hold (RFC 9110, 13.1.1)? "*": if there is anything; else if one tag of the list is this one by the strong
 * comparison (8.8.3.2), which no weak tag (W/"1") ever is. A list that is none holds nothing.
 * etag: with its quotes; NULL: there is nothing yet.
 */
bool http_if_match_holds(const char *if_match, const char *etag);

#endif
