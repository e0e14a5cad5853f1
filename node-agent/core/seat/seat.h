/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_SEAT_SEAT_H
#define HOLDFAST_SEAT_SEAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cluster/timing.h"
#include "node-agent/core/seat/floor.h"
#include "node-agent/core/seat/tenure.h"
#include "proto/claim.h"
#include "proto/instruction.h"
#include "proto/limits.h"
#include "proto/seat.h"

/*
 * One gateway's part in one virtual endpoint: whether it serves (FAILOVER rules 1 to 7). Pure; times are ms of the own
 * monotonic clock; SEAT_NEVER: it has not happened.
 *
 * Whoever carries out the actions does so in their order, at once. When an ACQUIRE or a TAKE fails, the rest of that
 * list is left undone and SEAT_EVENT_FAILED is fed. When a RENEW fails, SEAT_EVENT_PERMIT_LOST is fed: at once for
 * ENOENT (the kernel's permit has run out), after one more try for anything else.
 *
 * Evidence is a moment of the own clock at which the underlay is known to have worked: the own time that a pool
 * member's datagram over the underlay echoes, or the moment at which an answered probe of the witness was sent. A
 * permit runs from evidence, never from the moment it is renewed.
 *
 * In `fence` (`exclusive`) that is not enough for an owner: its permit runs from its tenure (tenure.h), and it takes the
 * endpoint not when it is ordered to but when that is granted. The underlay must work all the same.
 *
 * Sessions of a time that is over are forgotten before any permit is asked for: WireGuard would go on with them instead of
 * shaking hands, and the clients have left them. It takes a while (wireguard-go, many peers) or for ever (one that hangs): from
 * RESIGN until SEAT_EVENT_FORGOTTEN an order, or a host's leave, waits, and holds only if it would be given then.
 *
 * Rule 10: below the revocation floor that it knows it takes nothing, and gives up what it has SEAT_FLOOR_MS after it
 * has learned of it: a commit that raises the floor is heard of before it is carried out. One that starts below what is
 * on its disk has no commit on its way, and gives up at once.
 */
#define SEAT_NEVER INT64_MIN

enum {
	SEAT_QUIET_MS = 300,  /* rule 4: of hearing nobody, before a witness alone is enough again */
	SEAT_BLIND_MS = 240,  /* beyond timing.contact_ms without evidence, though a witness exists: fence */
	SEAT_HIGHER_MS = 100, /* a higher epoch is known, but nobody serves it: an order may be on its way */
	SEAT_RENEWALS = 6,    /* per lease */
	SEAT_WITNESS_GAP_MS = 100,     /* between probes of the witness, without contact */
	SEAT_WITNESS_URGENT_MS = 10,   /* without any evidence for timing.contact_ms, until it is blind */
	SEAT_WITNESS_UNKNOWN_MS = 500, /* it has never answered */
	SEAT_WITNESS_IDLE_MS = 10000,  /* with contact: to know whether it answers at all */
	SEAT_WITNESS_KNOWN_MS =
		25000,           /* one that had not answered for that long when contact ended is none */
	SEAT_ANNOUNCE_COUNT = 5, /* at 0, 50, 150, 400 and 1000 ms after TAKE */
	/* Planned moves, FAILOVER section 4. */
	SEAT_HOST_MS = 3000,    /* an owner that hosts and is not told to release takes its peers back */
	SEAT_RETURN_MS = 1000,  /* ... and steers for that long, as does a guest that is to serve */
	SEAT_LINGER_MS = 500,   /* one who relays is nobody's guest before: packets to it are on their way */
	SEAT_PULL_MS = 2000,    /* a guest calls it done after that, whoever is not back */
	SEAT_GUEST_MS = 1500,   /* a guest's permit, since its host was last heard hosting or relaying */
	SEAT_SETTLE_MS = 3000,  /* one who relays ends that long after the new owner was heard serving */
	SEAT_RELAY_MS = 10000,  /* ... or that long after it released, at the latest */
	SEAT_INVITED_MS = 5000, /* an invitation is good for that long */
	SEAT_FLOOR_MS = 2000,   /* below the revocation floor: so long a commit may be on its way (L5) */
	SEAT_HEIR_MS = 400, /* a guest whose host has released, and whom nobody orders: it serves by itself */
	SEAT_CLAIM_URGENT_MS =
		15, /* fence: between claims of one who was ordered; an owner's go with its beats */
};

/* Why it is fenced, or refused an order. */
enum seat_why {
	SEAT_WHY_NONE = 0,
	SEAT_WHY_CARRIER = 1, /* the underlay has no carrier */
	SEAT_WHY_WITNESS = 2, /* nobody answers on the underlay */
	SEAT_WHY_LEASE = 3,   /* the permit ran out in the kernel */
	SEAT_WHY_FAILED = 4,  /* permit or addresses could not be set */
	SEAT_WHY_UNFIT = 5,   /* devices, firewall or configuration are not in order */
	SEAT_WHY_LOWER = 6,   /* a higher epoch is known */
	SEAT_WHY_SPENT = 7,   /* released, refused or lost that epoch before */
	SEAT_WHY_EQUAL = 8,   /* an equal epoch names another owner: two controllers, or a restored one */
	SEAT_WHY_FLOOR = 9,   /* what it holds is below the revocation floor */
	SEAT_WHY_UNCONFIRMED = 10, /* nobody has confirmed the revocation floor since it started */
};

/* What outlives the agent, on disk. */
struct seat_disk {
	struct epoch highest;  /* ever seen */
	struct epoch served;   /* under which it served when this was written; zero: it did not */
	struct epoch released; /* will never serve under this or a lower one again */
	struct epoch
		claimed; /* by this gateway itself, for a succession (core/succession); not looked at here */
};

struct seat_config {
	char endpoint[PROTO_NAME_MAX + 1];
	char gateway[PROTO_NAME_MAX + 1]; /* this one */
	uint32_t lease_ms;
	struct timing timing;
	bool exclusive;     /* `isolation: fence` */
	size_t other_count; /* the other members of the pool */
	char others[PROTO_POOL_MAX][PROTO_NAME_MAX + 1];
};

enum seat_event_kind {
	SEAT_EVENT_TICK = 0,
	SEAT_EVENT_START = 1,        /* first of all: what the disk and the kernel hold */
	SEAT_EVENT_ORDER = 2,        /* of the controller; owner "": release */
	SEAT_EVENT_HEARD = 3,        /* a pool member's seat state for this endpoint, from a beat */
	SEAT_EVENT_CARRIER = 4,      /* up: the dial interface has carrier */
	SEAT_EVENT_CONTACT = 5,      /* a pool member's datagram over the underlay echoes my time at_ms */
	SEAT_EVENT_WITNESS = 6,      /* the witness answered a probe that was sent at at_ms */
	SEAT_EVENT_STALLED = 7,      /* own loop stood still over timing.stall_ms, or CLOCK_BOOTTIME jumped */
	SEAT_EVENT_PERMIT_LOST = 8,  /* a renewal found no permit */
	SEAT_EVENT_FAILED = 9,       /* an action could not be done */
	SEAT_EVENT_FIT = 10,         /* up: this gateway could serve */
	SEAT_EVENT_PULLED = 11,      /* a guest's peers are back, or given up */
	SEAT_EVENT_NO_STEERING = 12, /* STEER away could not be done: it does not host */
	SEAT_EVENT_FLOOR =
		13, /* what this gateway holds, and the revocation floor that it knows, at every change */
	SEAT_EVENT_NOT_CLEARED =
		14, /* CLEAR could not be done: the kernel holds the permit until it runs out by itself */
	SEAT_EVENT_FORGOTTEN = 15, /* all that RESIGN is to forget; after its list at the earliest */
	SEAT_EVENT_GRANT = 20,     /* fence: the controller's signed answer to the own claim */
	SEAT_EVENT_PROMISE = 21,   /* fence: a pool member's answer to it */
	SEAT_EVENT_CLAIM = 22,     /* fence: a pool member asks for a promise */
};

struct seat_event {
	enum seat_event_kind kind;
	const struct order *order;      /* ORDER */
	const char *from;               /* HEARD, PROMISE: the member */
	const struct seat_state *heard; /* HEARD */
	bool proven; /* HEARD: the beat is fresh for certain (a contact), not perhaps a repeated one */
	const struct seat_disk *disk; /* START; NULL: nothing on disk */
	uint32_t permit_left_ms;      /* START: of the permit in the kernel; 0: none */
	bool up;                      /* CARRIER, FIT; NOT_CLEARED: the permit is an owner's */
	int64_t at_ms; /* CONTACT, WITNESS; GRANT, PROMISE: the nonce's; CLAIM: of the latest contact
					with a controller, or SEAT_NEVER */
	const struct claim *claim; /* GRANT, PROMISE: the own one; CLAIM */
	uint64_t generation;       /* FLOOR: the whole one that is held */
	const struct floor *floor; /* FLOOR */
};

enum seat_action_kind {
	SEAT_ACTION_ACQUIRE = 1, /* permit for timeout_ms: exclusive create (an old one is removed first) */
	SEAT_ACTION_RENEW = 2,   /* permit for timeout_ms from now: delete and add in one batch */
	SEAT_ACTION_CLEAR = 3,   /* remove the permit: the kernel fences */
	SEAT_ACTION_TAKE = 4,    /* addresses and routes of an owner; once the list is done, wake the peers */
	SEAT_ACTION_ANNOUNCE = 5, /* gratuitous ARP, unsolicited NA; never without permit */
	SEAT_ACTION_RESIGN = 6,   /* a standby again: addresses and routes gone, sessions to be forgotten */
	SEAT_ACTION_PERSIST = 7,  /* seat->disk; nothing waits for it */
	SEAT_ACTION_REPORT = 8,   /* the seat state changed: beat and report at once */
	SEAT_ACTION_WITNESS = 9,  /* probe the witness once, if there is one */
	SEAT_ACTION_REFUSED = 10, /* an order was refused: why */
	SEAT_ACTION_ALARM = 11,   /* SEAT_WHY_EQUAL: two owners under one epoch */
	SEAT_ACTION_CHANGE =
		12, /* the permit held becomes one with `announces`, for timeout_ms; fails as RENEW */
	SEAT_ACTION_STEER = 13, /* `steer`, to seat->partner */
	SEAT_ACTION_WAKE = 14,  /* wake the peers, once the list is done; after a pull, those not back only */
	SEAT_ACTION_REST = 15,  /* no more waking */
	SEAT_ACTION_CLAIM = 20, /* send seat_claim_fill() with a nonce of now to the controllers */
	SEAT_ACTION_PROMISE = 21, /* answer the claim of this event */
};

/* What the dial interface does with WireGuard packets for the endpoint's addresses. */
enum seat_steer {
	SEAT_STEER_OFF = 0, /* nothing */
	SEAT_STEER_AWAY =
		1, /* initiations, and all that is of no session of this gateway, go to the partner; this
				gateway makes no new sessions */
	SEAT_STEER_BACK = 2, /* what is of no session of this gateway goes to the partner; initiations stay */
};

struct seat_action {
	enum seat_action_kind kind;
	uint32_t timeout_ms;   /* ACQUIRE, RENEW, CHANGE: from now on; later it is seat_permit_ms() */
	enum seat_why why;     /* CLEAR, RESIGN: NONE if it was told to release; REFUSED, ALARM */
	bool announces;        /* ACQUIRE, CHANGE: the permit is an owner's */
	enum seat_steer steer; /* STEER */
	bool widely;           /* CLAIM: to the other members of the pool as well */
};

enum { SEAT_ACTIONS_MAX = 16 };

struct seat_actions {
	size_t count;
	struct seat_action items[SEAT_ACTIONS_MAX];
};

struct seat {
	struct seat_config config;
	enum seat_role role;
	enum seat_why why;     /* FENCED: why */
	struct epoch epoch;    /* as seat_state.epoch */
	struct epoch spent;    /* never to be served again, this or lower; >= disk.released */
	bool highest_is_other; /* disk.highest is known to name another owner */
	struct seat_disk disk; /* as it should be on disk */
	bool started, carrier, fit;
	bool forgets; /* since RESIGN: it may hold sessions still */
	struct floor floor;
	bool floor_told; /* in this life */
	int64_t below_ms; /* since when it is known that the generation held is below it; SEAT_NEVER: it is not */
	bool alarmed;     /* about an equal epoch */
	int64_t contact_ms;       /* latest evidence by a pool member */
	int64_t contact_heard_ms; /* when that came in */
	int64_t witness_ms;       /* latest evidence by the witness; SEAT_NEVER: it never answered */
	int64_t probed_ms;        /* when the witness was last probed */
	int64_t unqualified_ms;   /* rule 4: since the stall or restart; SEAT_NEVER: qualified */
	int64_t higher_ms;        /* since when a higher epoch is known that nobody serves; SEAT_NEVER */
	int64_t permit_until_ms;  /* as last set */
	int64_t renewed_ms;       /* when it was last set */
	int64_t cleared_until_ms; /* of the one that was cleared last */
	int64_t open_until_ms; /* it could not be: until then it tells that it serves, since it may; SEAT_NEVER */
	int64_t taken_ms;      /* when TAKE was given, or it was adopted */
	size_t announced;      /* of SEAT_ANNOUNCE_COUNT */
	struct order order; /* the one it serves under; for the takeover's log line */
	/* planned moves */
	char partner[PROTO_NAME_MAX + 1]; /* HOSTING, RELAYING: the guest; GUEST, PULLED, invited: the host */
	struct epoch hosted;              /* invited, GUEST, PULLED: under which the host serves */
	struct order
		will; /* invited, GUEST, PULLED: to be carried out should nobody order it; epoch zero: none */
	int64_t invited_ms;    /* SEAT_NEVER: not invited */
	int64_t step_ms;       /* since when HOSTING, RELAYING, GUEST or PULLED */
	int64_t host_heard_ms; /* GUEST, PULLED: when it was last heard hosting or relaying; invited: hosting */
	int64_t released_ms;   /* GUEST, PULLED: since when its host was heard relaying; SEAT_NEVER */
	int64_t successor_ms;   /* RELAYING: since when a higher epoch was heard served; SEAT_NEVER */
	int64_t steer_until_ms; /* SERVING after a move: when steering ends; SEAT_NEVER: it does not steer */
	/* fence */
	struct tenure tenure;
	uint64_t terms;        /* common/cluster/terms.h: what it promised by others counts no more */
	struct order awaited;  /* not taken yet: no leave, or sessions to forget; epoch zero: none */
	bool awaited_in_fence; /* that is how it was ordered */
	int64_t claimed_ms;    /* when it last asked; SEAT_NEVER: at once */
	int64_t bound_until_ms; /* it takes nothing before: it has promised so, or may have before it restarted */
};

void seat_init(struct seat *seat, const struct seat_config *config, int64_t now_ms);
/* A new generation: another lease or pool; changes no role. */
void seat_configure(struct seat *seat, const struct seat_config *config, int64_t now_ms);

/* Appends to *actions, which the caller has emptied. */
void seat_step(
	struct seat *seat, const struct seat_event *event, int64_t now_ms, struct seat_actions *actions);
int64_t seat_deadline(const struct seat *seat);

/* For how long the permit may run in a kernel that is told at now_ms, which may be a while after the step that asked for it:
 * links are taken down in between, connections loaded. At least 1: what is over is over at once. */
uint32_t seat_permit_ms(const struct seat *seat, int64_t now_ms);

/* For beats and reports. */
void seat_state_fill(const struct seat *seat, int64_t now_ms, struct seat_state *ret_state);
/* The carrier is up and somebody on the underlay answers (or nobody is known who could): what a beat's
 * underlay_ok says. */
bool seat_underlay_is_ok(const struct seat *seat, int64_t now_ms);

/* Below the revocation floor for longer than a commit is waited for. */
bool seat_is_below_floor(const struct seat *seat, int64_t now_ms);

/* What SEAT_ACTION_CLAIM asks for, but its nonce. */
void seat_claim_fill(const struct seat *seat, struct claim *ret_claim);

/* `hold`: a standby or a guest that would carry out an order to serve, and at once: not one that has sessions to forget first, as who
 * still relays has. */
bool seat_is_ready(const struct seat *seat, int64_t now_ms);

/* The host's or the guest's addresses and routes are in place: every role but STANDBY and FENCED. */
bool seat_holds(const struct seat *seat);

const char *seat_why_text(enum seat_why why); /* "no carrier", ... a few words for a person */

#endif
