/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/seat.h"

#include <errno.h>
#include <string.h>

const char *seat_role_name(enum seat_role role)
{
	switch (role) {
	case SEAT_STANDBY:
		return "standby";
	case SEAT_SERVING:
		return "serving";
	case SEAT_FENCED:
		return "fenced";
	case SEAT_HOSTING:
		return "hosting";
	case SEAT_RELAYING:
		return "relaying";
	case SEAT_GUEST:
		return "guest";
	case SEAT_PULLED:
		return "pulled";
	}
	return NULL;
}

bool seat_role_serves(enum seat_role role)
{
	return role == SEAT_SERVING || role == SEAT_HOSTING;
}

struct epoch seat_let_go(const struct seat_state *seat)
{
	bool fenced = seat->role == SEAT_FENCED && epoch_compare(&seat->epoch, &seat->released) > 0;

	return fenced ? seat->epoch : seat->released;
}

int seat_role_parse(const char *text, enum seat_role *ret_role)
{
	static const enum seat_role roles[] = {SEAT_STANDBY, SEAT_SERVING, SEAT_FENCED, SEAT_HOSTING,
		SEAT_RELAYING, SEAT_GUEST, SEAT_PULLED};

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
		if (!strcmp(text, seat_role_name(roles[i]))) {
			*ret_role = roles[i];
			return 0;
		}
	}
	return -EINVAL;
}
