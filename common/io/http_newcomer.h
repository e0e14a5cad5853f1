/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_HTTP_NEWCOMER_H
#define HOLDFAST_IO_HTTP_NEWCOMER_H

#include <stdbool.h>

struct http_connection;

/*
 * Inside the HTTP server only: TLS clients without a certificate have HTTP_NEWCOMERS_MAX places between them. None is kept
 * from others by doing nothing: if all are taken, the source that has most of them loses its oldest. A source is an IPv4
 * address or an IPv6 /64. As sshd's MaxStartups with PerSourceMaxStartups, but the old give way, not the new.
 */

/* Gives the connection a place. False: the others are all being answered. */
bool http_newcomer_enter(struct http_connection *connection);
void http_newcomer_leave(struct http_connection *connection);

#endif
