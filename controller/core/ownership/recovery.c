/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>

#include "common/base/text.h"
#include "controller/core/ownership/internal.h"

enum { WAIT_FOR_TERM_MS = 20 };

/* A very first owner is the most preferred of those who live, if it becomes fit soon. */
static bool is_worth_waiting(const struct ownership *ownership, int64_t now_ms)
{
	size_t first = ownership_pick(ownership, OWNERSHIP_NOBODY, now_ms);

	if (!epoch_is_zero(&ownership->highest) || now_ms >= ownership->started_ms + OWNERSHIP_FIRST_MS)
		return false;
	for (size_t i = 0; i < ownership->config.member_count && i != first; i++)
		if (!member_is_down(&ownership->members[i]) && !ownership->members[i].drained &&
			!ownership->members[i].leaving)
			return true;
	return false;
}

/* Rule 6: at the end of listening, the highest that is served is adopted. With nobody serving, an owner is named only when
 * nobody can be serving unheard. */
void recovery_watch(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions)
{
	if (now_ms < ownership->started_ms + OWNERSHIP_LISTEN_MS)
		return;
	size_t serving = ownership_serving(ownership);
	if (serving != OWNERSHIP_NOBODY) {
		change_adopt(ownership, serving, now_ms, actions);
		return;
	}
	if (now_ms < grant_vacant_ms(ownership)) {
		ownership->deadline_ms = grant_vacant_ms(ownership);
		text_copy(ownership->why, sizeof(ownership->why),
			"listening for a lease: nobody can be serving unheard after that");
		return;
	}
	size_t missing = ownership_unaccounted(ownership, now_ms);
	if (missing != OWNERSHIP_NOBODY) {
		ownership->deadline_ms = now_ms + OWNERSHIP_LISTEN_MS;
		snprintf(ownership->why, sizeof(ownership->why),
			"waiting for a word from %s, or of its death", ownership_name_of(ownership, missing));
		return;
	}
	if (!epoch_source_is_ready(ownership->source) || is_worth_waiting(ownership, now_ms)) {
		ownership->deadline_ms = now_ms + WAIT_FOR_TERM_MS;
		return;
	}
	const char *cause = epoch_is_zero(&ownership->highest) ? "first" : "unserved";
	change_lose(ownership, cause, OWNERSHIP_NOBODY, now_ms, actions);
}
