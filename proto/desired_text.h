/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_DESIRED_TEXT_H
#define HOLDFAST_PROTO_DESIRED_TEXT_H

#include "proto/desired.h"

/* desired_encode() in two parts, for whoever has many states with the same peers: their text (a JSON array; the caller frees), and
 * the whole with it, as secret as that of desired_encode(). */
char *desired_peers_encode(const struct desired *desired);
char *desired_encode_with(const struct desired *desired, const char *peers);
/* All of them, whatever the heads. */
bool desired_peers_equal(const struct desired *a, const struct desired *b);

#endif
