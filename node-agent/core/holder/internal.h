/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_HOLDER_INTERNAL_H
#define HOLDFAST_HOLDER_INTERNAL_H

#include "node-agent/core/holder/holder.h"

/* Inside node-agent/core/holder. */

/* All peers' lists anew, after something moved. */
void holder_refresh(struct holder *holder);

bool holder_has_probe(const struct holder_claim *claim);
/* Is its peer spoken with here, and would a ping go there? */
bool holder_is_probed(const struct holder *holder, const struct holder_claim *claim);
/* It has just got the prefix: its probe starts anew. */
void holder_probe_begin(struct holder *holder, struct holder_claim *claim, int64_t now_ms);

/* It is spoken with from now on: what was heard of its probe is where that goes on. */
void holder_probe_inherit(struct holder *holder, struct holder_claim *claim, int64_t now_ms);

/* Its claim to just this prefix, or HOLDER_NONE. */
size_t holder_find_claim(const struct holder *holder, size_t peer, const struct prefix *prefix);

/* So it seems of one that has lost its prefix to another. */
void holder_probe_was_down(struct holder_claim *claim, int64_t now_ms);

#endif
