/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_EXPLAIN_EXPLAIN_H
#define HOLDFAST_EXPLAIN_EXPLAIN_H

#include "node-agent/core/explain/facts.h"
#include "node-agent/core/explain/finding.h"

/*
 * The way of a packet through this machine and a tunnel to a peer, and of the answer back: step by step, each ok, doubtful,
 * or what says no. What comes after a no is looked at all the same, as far as it can be.
 */
void explain(const struct explain_facts *facts, struct explain_findings *findings);

#endif
