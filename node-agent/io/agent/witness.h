/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_WITNESS_H
#define HOLDFAST_AGENT_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"

struct agent;
struct agent_seat;

/* Who else is on the underlay: questions to neighbours, and what their answers prove. */

int witness_open(struct agent *agent, struct err *err);
void witness_close(struct agent *agent);
void witness_ask(struct agent_seat *seat);
/* Is it a neighbour there? From which own address to ask for it. */
bool witness_is_on_link(
	const struct agent *agent, const char *interface, const struct addr *to, struct addr *ret_source);
/* The kernel asks for a next hop when the first packet needs it, and again only after a second. Asked along with
 * the announcements, a question or answer that was lost costs little: the kernel takes in the answer. */
void witness_ask_next_hops(struct agent_seat *seat);
/* Is that the index of the endpoint's outer interface? */
bool witness_is_dial_interface(const struct agent_seat *seat, unsigned ifindex);
/* One question without anything that its answer would prove: for standing.c. */
void witness_ask_one(struct agent *agent, const char *interface, const struct addr *to);
/* By ARP or ND, whatever addresses this gateway has there. */
void witness_ask_hop(struct agent *agent, const char *interface, const struct addr *to);
/* The endpoint's witnesses: at most PROTO_ADDRESSES_MAX; without any configured, the underlay's routers. */
size_t witness_list(struct agent_seat *seat, struct addr *ret_witnesses);
void witness_ask_partner(struct agent *agent, const struct addr *address, uint32_t count);

#endif
