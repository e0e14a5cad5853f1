/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_FORWARDING_H
#define HOLDFAST_AGENT_FORWARDING_H

#include "node-agent/core/forwarding/forwarding.h"
#include "node-agent/io/agent/proving.h"
#include "node-agent/io/nft/nft.h"
#include "node-agent/io/rtnl/rtnl.h"
#include "proto/desired.h"

/* What core/forwarding says, and packets prove, of each endpoint's tunnels whose `forward:` accepts, towards its inside interfaces. */
struct forwarding {
	struct loaded_ruleset ruleset;
	struct proving proving;
	size_t count;
	struct forwarding_verdict {
		char endpoint[PROTO_NAME_MAX + 1];
		char why[FORWARDING_WHY_MAX]; /* "": it works */
	} verdicts[PROTO_ENDPOINTS_MAX];
	void (*changed)(const char *endpoint, const char *why, void *context);
	void *context;
};

void forwarding_clear(struct forwarding *forwarding);
/* The ruleset that the kernel has now. */
int forwarding_load(struct forwarding *forwarding, struct nft *nft);
/* Judge; tells what has changed. True: the kernel's parameters are not as they shall be. */
bool forwarding_look(struct forwarding *forwarding, const struct desired *desired, struct rtnl *rtnl);
/* "": it works, or nobody wants to know. */
const char *forwarding_why(const struct forwarding *forwarding, const char *endpoint);

#endif
