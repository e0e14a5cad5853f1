/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_FLOW_SAMPLE_H
#define HOLDFAST_TESTS_FLOW_SAMPLE_H

#include "node-agent/core/flow/scope.h"
#include "proto/flow.h"

struct addr sample_addr(const char *text);
/* TCP of a client (10.50.0.2:port) to the LAN (192.168.1.10:443), established, translated to 192.168.1.1. */
struct flow sample_flow(uint16_t port);
/* The same, answered but never assured. */
struct flow sample_fleeting(uint16_t port);
/* Of the endpoint "vpn": tunnel wg0 10.50.0.1/24 and fd50::1/64; a peer with 10.60.0.0/24 and 0.0.0.0/0; inside 192.168.1.1/24;
 * another tunnel, wg1 10.70.0.1/24, is of no endpoint. This gateway is 192.168.1.2 and 10.50.0.1. */
struct flow_scope *sample_scope(void);

#endif
