/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/cluster/finding.h"

bool finding_is_since(int64_t then_ms, int64_t since_ms)
{
	return then_ms != VERDICT_NEVER && then_ms >= since_ms;
}

bool finding_is_recent(const struct verdict *verdict, int64_t then_ms, int64_t now_ms)
{
	return then_ms != VERDICT_NEVER && now_ms - then_ms < verdict->timing.suspect_ms;
}

int64_t verdict_last_sign_ms(const struct verdict *verdict)
{
	return verdict->heard_ms > verdict->told_ms ? verdict->heard_ms : verdict->told_ms;
}

/* More of them are silent together than die together. */
static bool is_crowd_silent(const struct verdict_view *view)
{
	size_t third = view->watched / 3;
	return view->silent > (third > 3 ? third : 3);
}

/* Others heard it when I had not for so long that my own burst must have been in vain, too. Shorter, and it was chance that
 * their word came before its answer. */
static bool is_path_silent(const struct verdict *verdict)
{
	if (!verdict->by_others)
		return false;
	return verdict->heard_ms == VERDICT_NEVER ||
	       verdict->told_ms - verdict->heard_ms >= verdict->timing.window_ms;
}

/* Do I know enough to call it dead? Either another observer found the same, or I am certain of my own ears: they heard
 * it before, I have heard somebody else since the burst began, and not too many fell silent at once. */
static bool is_certain(const struct verdict *verdict, const struct verdict_view *view)
{
	if (verdict->burst.confirmed != 0)
		return true;
	return !is_path_silent(verdict) && !view->blind && !is_crowd_silent(view) &&
	       finding_is_since(view->other_heard_ms, verdict->burst.began_ms);
}

enum verdict_kind finding_judge(const struct verdict *verdict, const struct verdict_view *view)
{
	if (verdict->burst.kernel_answered || verdict->burst.kernel_told != 0)
		return VERDICT_AGENT_DOWN;
	return is_certain(verdict, view) ? VERDICT_DEAD : VERDICT_BLIND;
}

bool finding_is_heard_by_tls(const struct verdict *verdict, int64_t now_ms)
{
	bool suspected = verdict->kind == VERDICT_SUSPECT;

	return finding_is_since(
		       verdict->tls_ms, suspected ? verdict->suspected_ms : verdict->burst.began_ms) ||
	       (verdict->blocked && now_ms - verdict->tls_ms < verdict->timing.tls_ms);
}

bool finding_is_conclusive(const struct verdict *verdict)
{
	return verdict->burst.confirmed != 0 || verdict->burst.kernel_answered ||
	       verdict->burst.kernel_told != 0;
}

bool finding_is_unheeded(const struct verdict *verdict, const struct verdict_view *view)
{
	return verdict->burst.waited && verdict->burst.reported == 0 && view->observers > 0 &&
	       verdict->rounds + 1 < VERDICT_ROUNDS && !verdict->burst.kernel_answered;
}

bool finding_is_silent_for_all(const struct verdict *verdict, const struct verdict_view *view)
{
	const struct burst *burst = &verdict->burst;

	if (verdict->kind == VERDICT_DEAD)
		return true;
	return burst->running && (burst->waited || burst->sent >= verdict->timing.probes) &&
	       !verdict->by_others && !burst->kernel_answered && burst->kernel_told == 0 &&
	       is_certain(verdict, view);
}
