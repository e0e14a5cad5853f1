/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLUSTER_FINDING_H
#define HOLDFAST_CLUSTER_FINDING_H

#include "common/cluster/verdict.h"

/* What was found of one gateway's life so far, by me and by others, as a verdict has taken note of it. Part of verdict.h;
 * nothing here changes it. Pure; ms of the own monotonic clock. */

/* It happened, and not before since_ms. */
bool finding_is_since(int64_t then_ms, int64_t since_ms);
/* Not silent for long enough to be suspected. */
bool finding_is_recent(const struct verdict *verdict, int64_t then_ms, int64_t now_ms);
/* It speaks by TLS: since it was suspected, or, known to be blocked, not long ago. */
bool finding_is_heard_by_tls(const struct verdict *verdict, int64_t now_ms);
/* Its kernel has answered somebody, or somebody else's burst found nothing: nobody has to go on alone. */
bool finding_is_conclusive(const struct verdict *verdict);
/* Others can be heard, and none has said a word: my calls or their reports were lost. */
bool finding_is_unheeded(const struct verdict *verdict, const struct verdict_view *view);
/* All who can be heard found nothing in a whole burst, not even the kernel, which answers when only the agent hangs. */
bool finding_is_silent_for_all(const struct verdict *verdict, const struct verdict_view *view);
/* What it is, when nothing of its own has answered a whole burst: VERDICT_AGENT_DOWN, VERDICT_DEAD or VERDICT_BLIND. */
enum verdict_kind finding_judge(const struct verdict *verdict, const struct verdict_view *view);

#endif
