/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_PEER_PLACE_H
#define HOLDFAST_PROTO_PEER_PLACE_H

#include "proto/desired.h"

/*
 * A place in the peers of a gateway, which are sorted by tunnel and public key: lists that are told a page at a time go on
 * behind it. As text "wg0:<hex of the key>", for a query of HTTP; "": before the first.
 */
enum { PEER_PLACE_TEXT_MAX = PROTO_INTERFACE_MAX + 1 + KEY_HEX_MAX };

/* "" gives an empty tunnel. -EINVAL. */
int peer_place_parse(const char *text, struct desired_peer_key *ret_place);
char *peer_place_format(const struct desired_peer *peer, char buffer[PEER_PLACE_TEXT_MAX]);

/* The index of the first peer of the tunnel (or of one that sorts after it), behind that key unless it is NULL. */
size_t peer_place_find(const struct desired *desired, const char *tunnel, const struct key *behind);

#endif
