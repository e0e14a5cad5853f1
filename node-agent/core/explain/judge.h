/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_EXPLAIN_JUDGE_H
#define HOLDFAST_EXPLAIN_JUDGE_H

#include "node-agent/core/explain/facts.h"
#include "node-agent/core/explain/finding.h"
#include "node-agent/core/trace/packet.h"

/* Inside hf_explain: the steps, in the order of the way. */

/* What one step hands on to later ones. */
struct judgement {
	const struct explain_facts *facts;
	struct explain_findings *findings;
	struct trace_packet packet;       /* the inner one, as it has become so far */
	struct trace_packet outer_packet; /* WireGuard's, likewise */
	struct trace_mark answer_mark;    /* of the peer's answer when its way back is checked */
	bool blocked;                     /* the inner packet, by the firewall before it is routed */
	bool enters;                      /* the tunnel, as far as routing goes */
	bool leaves;                      /* the outer packet, likewise */
};

void judge_peer(struct judgement *judgement);
void judge_tunnel(struct judgement *judgement);
void judge_owner(struct judgement *judgement);
void judge_allowed(struct judgement *judgement);
void judge_endpoint(struct judgement *judgement);
void judge_handshake(struct judgement *judgement);

void judge_forwarding(struct judgement *judgement);
void judge_inner_way(struct judgement *judgement);
void judge_source(struct judgement *judgement);
void judge_rp_filter(struct judgement *judgement);

void judge_outer_way(struct judgement *judgement);
void judge_mtu(struct judgement *judgement);
void judge_outer_rp_filter(struct judgement *judgement);

/* What of the firewall comes before a forwarded packet is routed: it may set the mark. */
void judge_arrival(struct judgement *judgement);
void judge_firewall(struct judgement *judgement);
void judge_outer_firewall(struct judgement *judgement);
void judge_answer_firewall(struct judgement *judgement);
void judge_reply_firewall(struct judgement *judgement);

#endif
