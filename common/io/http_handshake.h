/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_HTTP_HANDSHAKE_H
#define HOLDFAST_IO_HTTP_HANDSHAKE_H

#include <stdbool.h>

struct http_connection;
struct http_peer;
struct http_server;

/*
 * Inside the HTTP server only: who has begun TLS's handshake and not finished it. Nobody is known by then, so nobody may keep
 * others out by doing nothing: a source (an IPv4 address or an IPv6 /64) may have HTTP_HANDSHAKES_PER_SOURCE_MAX under way,
 * and where all places of the server are taken the oldest of all gives way to whoever comes. An honest one lasts
 * milliseconds. Beyond its share it is the new one that is refused, so that those under way get on.
 */

/* May one more from there begin? If not, it is counted and logged. */
bool http_handshake_is_admitted(struct http_server *server, const struct http_peer *peer);
/* All places are taken: the oldest unfinished one is closed. False: there is none. */
bool http_handshake_make_room(struct http_server *server);

void http_handshake_begin(struct http_connection *connection);
void http_handshake_end(struct http_connection *connection);

#endif
