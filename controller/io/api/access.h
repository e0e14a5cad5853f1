/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_ACCESS_H
#define HOLDFAST_CONTROLLER_IO_ACCESS_H

#include <stdbool.h>

#include "controller/io/config.h"
#include "controller/io/store/store.h"

struct http_peer;
struct http_request;

/*
 * Who may do what on /v1/ outside of /v1/agent/: an operator whom the configuration names (viewer: GET only), or on the
 * unix socket root and the controller's own user, as admin.
 *
 * True: the caller may, and who says "operator alice". False: the request has been answered, with 403.
 */
bool access_allowed(struct http_request *request, const struct config *config, char who[STORE_WHO_MAX + 1]);

/* Who asks, whether they may or not: "operator alice", "gateway gw-a", "root". */
void access_name(const struct http_peer *peer, char who[STORE_WHO_MAX + 1]);

#endif
