/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TEST_FIREWALL_SAMPLE_H
#define HOLDFAST_TEST_FIREWALL_SAMPLE_H

#include "node-agent/core/firewall/firewall.h"
#include "node-agent/core/firewall/permit.h"

/* A gateway with everything: wg0 behind endpoint vpn (10.9.0.100, 10.9.0.101, 2001:db8::100; inside 192.168.1.1 and
 * fd01::1 on lan0; SNAT), wg1 behind vpn too but dropping what it would forward, home behind none with default routes
 * of both families and masquerading. */
struct firewall sample_gateway(void);
struct fw_permit sample_permit(void); /* of vpn */

struct addr sample_addr(const char *text);
struct prefix sample_prefix(const char *text);
struct fw_ruleset *sample_build(const struct firewall *firewall); /* fails the test if it cannot */

#endif
