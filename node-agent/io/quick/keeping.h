/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_KEEPING_H
#define HOLDFAST_AGENT_QUICK_KEEPING_H

#include <stdbool.h>
#include <stdint.h>

#include "node-agent/core/firewall/ruleset.h"
#include "node-agent/core/plan/plan.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/keep.h"
#include "node-agent/io/quick/routing.h"

/* While an agent keeps what `up` made, or `up` writes down what PostUp changed of it. */

struct quick;

struct quick_keeping {
	bool record_only;         /* do nothing: what is not as it was made, PostUp wanted so */
	uint32_t mtu, wanted_mtu; /* of the device; as it shall be */
	struct quick_kept *kept;  /* NULL: it is recorded only */
};
void quick_keep_see(struct quick *quick, const struct quick_view *view); /* endpoints and MTU as they are */
/* What is missing of these kinds is made; nothing is removed, and one that fails does not stop the others. */
int quick_keep_apply(struct quick *quick, const struct plan *plan, unsigned kinds);
/* The mark and families that `up` made rules for. */
int quick_keep_mark(struct quick *quick, struct quick_routing *routing);
int quick_keep_host_routes(struct quick *quick, const struct plan_target *target);
int quick_keep_settled(
	struct quick *quick, const struct plan_target *target); /* those that went are not ours */
int quick_keep_firewall(struct quick *quick, const struct fw_ruleset *ruleset);
/* What of the file is not so now: PostUp, or wg-quick's user, wanted that. */
int quick_note_left_out(struct quick *quick);
bool quick_has_keeper(const struct quick *quick); /* an agent in this namespace */

#endif
