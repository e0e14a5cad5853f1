/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_PROVING_H
#define HOLDFAST_AGENT_PROVING_H

#include "common/base/text.h"
#include "node-agent/core/firewall/catch.h"
#include "node-agent/core/forwarding/forwarding.h"
#include "node-agent/core/forwarding/proof.h"
#include "node-agent/io/inject/inject.h"
#include "node-agent/io/nft/nft.h"
#include "node-agent/io/rtnl/rtnl.h"

/*
 * Proof by a packet: each way that is wanted gets test packets (io/inject) that are caught before they leave
 * (io/nft/catch.h), when core/forwarding/proof.h says so. Zeroed at first.
 */
struct proving_way {
	struct forwarding_way way;
	bool wanted;
	struct proof proof;
};

struct proving {
	struct inject *inject; /* NULL: not loaded, or not to be had */
	size_t count;
	struct proving_way ways[FW_CATCHES_MAX]; /* more are judged by rules alone */
};

void proving_clear(struct proving *proving);
/* Between these two each way that is still wanted is named; the others are forgotten. */
void proving_begin(struct proving *proving);
void proving_end(struct proving *proving);
/* Want the way proven. False: it is broken, by its packets so far, and ret_why is a sentence. */
bool proving_holds(
	struct proving *proving, const struct forwarding_way *way, char ret_why[FORWARDING_WHY_MAX]);

/* Rules have changed: all are due. */
void proving_hurry(struct proving *proving);
/* Send what is due. When to come again, in ms; 0: a way has broken, or works again. */
int64_t proving_run(struct proving *proving, struct nft *nft, struct rtnl *rtnl, int64_t now_ms);

void proving_metrics(const struct proving *proving, int64_t now_ms, struct text *out);

#endif
