/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_ECHO_H
#define HOLDFAST_CONTROLLER_IO_ECHO_H

#include <stdint.h>

#include "common/base/addr.h"

struct event_base;

/* Echo requests to gateways, and who answered. */
struct echo;

/* answered() is called from the loop. NULL if this process may not (CAP_NET_RAW); that is logged. */
struct echo *echo_new(
	struct event_base *base, void (*answered)(const char *gateway, void *context), void *context);
void echo_free(struct echo *echo); /* NULL-safe */
void echo_send(struct echo *echo, const char *gateway, const struct addr *address, uint32_t count);

#endif
