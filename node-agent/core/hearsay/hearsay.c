/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/hearsay/hearsay.h"

#include <string.h>

#include "common/base/text.h"

static void raise(struct epoch *epoch, const struct epoch *to)
{
	if (epoch_compare(to, epoch) > 0)
		*epoch = *to;
}

static bool begins(struct hearsay *hearsay, const char *from, const struct seat_state *heard)
{
	if (!seat_role_serves(heard->role) || epoch_compare(&heard->epoch, &hearsay->seat.epoch) <= 0)
		return false;
	text_copy(hearsay->gateway, sizeof(hearsay->gateway), from);
	hearsay->seat = *heard;
	return true;
}

/* Sent before it let go, and overtaken. */
static bool is_taken_back(const struct hearsay *hearsay, const struct seat_state *heard)
{
	struct epoch gone = seat_let_go(&hearsay->seat);

	return seat_role_serves(heard->role) && epoch_compare(&heard->epoch, &gone) <= 0;
}

/* It has fenced itself under another than it was heard serving under since: that says nothing of this one. */
static bool is_older_fence(const struct seat_state *heard, const struct epoch *served)
{
	return heard->role == SEAT_FENCED && epoch_compare(&heard->epoch, served) < 0;
}

static bool goes_on(struct hearsay *hearsay, const struct seat_state *heard)
{
	struct seat_state before = hearsay->seat, *seat = &hearsay->seat;
	struct epoch gone_before = seat_let_go(&before), gone = seat_let_go(heard);

	if (is_taken_back(hearsay, heard))
		return false;
	*seat = *heard;
	if (!seat_role_serves(heard->role))
		seat->epoch = before.epoch;
	raise(&seat->epoch, &before.epoch);
	raise(&seat->highest, &before.highest);
	raise(&seat->released, &gone_before);
	raise(&seat->released, &gone);
	if (is_older_fence(heard, &seat->epoch))
		seat->role = SEAT_STANDBY;
	return epoch_compare(&seat->epoch, &before.epoch) > 0 ||
	       epoch_compare(&seat->released, &gone_before) > 0;
}

bool hearsay_hear(struct hearsay *hearsay, const char *from, const struct seat_state *heard)
{
	if (strcmp(hearsay->gateway, from) == 0)
		return goes_on(hearsay, heard);
	return begins(hearsay, from, heard);
}

bool hearsay_is_news(const struct hearsay *hearsay, const struct epoch *own)
{
	return hearsay->gateway[0] != '\0' && epoch_compare(&hearsay->seat.epoch, own) > 0;
}
