/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_FORWARDING_FORWARDING_H
#define HOLDFAST_FORWARDING_FORWARDING_H

#include "common/base/addr.h"
#include "node-agent/core/trace/loaded.h"
#include "proto/limits.h"

/*
 * Would this host forward what comes out of a tunnel to an inside interface, and the answer back? Judged by what the kernel
 * has loaded (core/trace) and its parameters, so that an idle standby can say it, too. Pure; for packets see proof.h.
 *
 * Only what is certain counts against it: the packet is a TCP segment whose ports are not known, so a rule that asks for
 * ports leaves the verdict open. Tables of iptables-legacy are not to be seen here.
 */
struct forwarding_link {
	char name[PROTO_INTERFACE_MAX + 1];
	unsigned index;
	uint8_t mac[6];  /* zeros: it has none */
	bool forwarding; /* packets that come in there are forwarded, by the kernel's parameters */
	bool strict; /* rp_filter is 1 there, and its look-up does not lead back: what comes in is dropped */
};

struct forwarding_way {
	struct forwarding_link tunnel, inside;
	struct addr client, host; /* one family; an address beyond the tunnel, one on the inside network */
};

enum { FORWARDING_WHY_MAX = 200 };

/* True unless something certainly says no; then ret_why is a sentence. */
bool forwarding_works(const struct loaded_ruleset *ruleset, const struct forwarding_way *way,
	char ret_why[FORWARDING_WHY_MAX]);

/* Would the rules certainly let one kind of test packet (test_packet.h) out of the tunnel to the inside interface? Then it says
 * something if none comes through. */
bool forwarding_is_provable(const struct loaded_ruleset *ruleset, const struct forwarding_way *way);

#endif
