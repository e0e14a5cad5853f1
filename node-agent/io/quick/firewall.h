/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_FIREWALL_H
#define HOLDFAST_AGENT_QUICK_FIREWALL_H

#include <stdbool.h>

#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/routing.h"

/* The tunnel's tables in nftables. */

struct quick;

bool quick_needs_firewall(const struct quick *quick, const struct quick_routing *routing);
/* What the kernel cannot do is told and left out; but where it could not drop what it shall, -EOPNOTSUPP. */
int quick_load_firewall(struct quick *quick, const struct quick_routing *routing);
int quick_undo_firewall(struct quick *quick);
/* Of forwarding and multicast, in a table of our own. */
bool quick_has_own_table(const struct quick_journal *journal);
bool quick_wants_silence(const struct quick *quick); /* multicast: false */
/* For wg-quick, whose `down` would not: that table goes, after forwarding. If it fails, the table is as it was. */
int quick_undo_forwarding(struct quick *quick);

#endif
