/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TEST_GATEWAY_H
#define HOLDFAST_TEST_GATEWAY_H

#include <stdbool.h>

#include "common/icmp/icmp.h"
#include "node-agent/io/nft/lease.h"
#include "node-agent/io/nft/nft.h"
#include "node-agent/io/probe/probe.h"
#include "tests/integration/nft/site.h"
#include "tests/unit/firewall/sample.h"

/*
 * A gateway with the sample's firewall and its virtual addresses (on lo, as on each member of a pool, and on its outer
 * interface wan0, as on an owner), and a host on the same segment.
 */
#define GATEWAY4 "10.9.0.11"
#define GATEWAY6 "2001:db8::11"
#define HOST4 "10.9.0.1"
#define HOST6 "2001:db8::1"
#define DIAL4 "10.9.0.100"
#define DIAL6 "2001:db8::100"
#define DIAL_MARK 0x51
#define DIAL_PORT 51820

enum { PERMIT_MS = 60000, SOON_MS = 20000 /* what comes at all comes within this */ };

struct gateway {
	struct site site;
	struct peer host;
	struct nft *nft;
	struct fw_ruleset *ruleset;
	struct fw_permit permit;
};

struct gateway gateway_open(void);
void gateway_close(struct gateway *gateway);
void gateway_permit(struct gateway *gateway); /* for PERMIT_MS */
void gateway_give_host_neighbours(
	struct gateway *gateway); /* so that it needs no ARP or ND for the addresses */

/* Something that the host has opened in its own namespace. */
struct host_tools {
	struct icmp *icmp;
	struct probe *probe;
};

struct host_tools host_tools_open(struct gateway *gateway);
void host_tools_close(struct host_tools *tools);

/* Does the host get an answer from the address? Asks a second address after it that always answers: once that answer is
 * there and the other is not, it will not come. */
bool host_pings(struct host_tools *tools, const char *address);
bool host_probes(struct host_tools *tools, const char *address); /* ARP or ND */

#endif
