/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_PROTO_SEAT_H
#define HOLDFAST_PROTO_SEAT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/err.h"
#include "proto/epoch.h"
#include "proto/limits.h"

/* What a gateway says of itself and one virtual endpoint; in beats and in reports alike. */
enum seat_role {
	SEAT_STANDBY = 0, /* ready or not, it does not serve and holds no permit */
	SEAT_SERVING = 1, /* holds the permit under `epoch` */
	SEAT_FENCED = 2,  /* was the owner under `epoch`, and has fenced itself: no carrier, no witness, lease
			     lost */
	/* During a planned move; the first is an owner, the others are none. */
	SEAT_HOSTING = 3,  /* serves under `epoch`, and steers what is not its own to the guest */
	SEAT_RELAYING = 4, /* has released `epoch`; still steers, and serves the sessions that it has */
	SEAT_GUEST = 5,    /* speaks from the address by leave of the owner, and wakes its peers */
	SEAT_PULLED = 6,   /* the same, and each of them is back, or was given up */
};

struct seat_state {
	char endpoint[PROTO_NAME_MAX + 1];
	enum seat_role role;
	struct epoch epoch;      /* under which it serves, served last, or is fenced */
	struct epoch highest;    /* highest ever seen for the endpoint, whoever owns it; on disk */
	uint32_t permit_left_ms; /* of the lease in the kernel; 0 when it holds none */
	struct epoch released;   /* it will never again serve under this or a lower epoch; zero: none */
};

bool seat_role_serves(enum seat_role role); /* it is the owner: serving or hosting */
/* The highest epoch that it will never serve under again, by its own word: what it released, or fenced itself under. */
struct epoch seat_let_go(const struct seat_state *seat);
/* "standby", "serving", "fenced", "hosting", "relaying", "guest", "pulled" */
const char *seat_role_name(enum seat_role role);
int seat_role_parse(const char *text, enum seat_role *ret_role);

#endif
