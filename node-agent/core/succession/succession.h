/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_SUCCESSION_SUCCESSION_H
#define HOLDFAST_SUCCESSION_SUCCESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cluster/timing.h"
#include "common/cluster/verdict.h"
#include "proto/limits.h"
#include "proto/seat.h"

/*
 * Who follows a dead owner while no controller lives (FAILOVER rule 8; mode `hold`), as one gateway decides it for
 * itself and one endpoint. Pure; times are ms of the own monotonic clock; SUCCESSION_NEVER: it has not happened.
 *
 * It takes the endpoint when all of this holds:
 * - the owner, the member last heard serving under the highest epoch, is DEAD by this gateway's own verdict; or it says
 *   that it has let go, and holds a generation below the revocation floor: it can't serve again (rule 10);
 * - no controller was heard for SUCCESSION_LEADER_MS, by UDP or TLS, and one that was asked did not answer;
 * - no member says that it has one, or said so last, less than SUCCESSION_LEADER_MS ago;
 * - a witness has answered all that time: another member, or the endpoint's own;
 * - SUCCESSION_PROBES questions for the endpoint's addresses were not answered. A fence closes ARP and ND, so whoever
 *   answers holds a permit;
 * - the epoch that it would serve under is on its disk;
 * - people have not forbidden automatic moves: those are for work that looks like failures, of the controller, too;
 * - it is this gateway's turn: each member in contact that comes before it has SUCCESSION_TURN_MS.
 *
 * The epoch is the highest seen with the next minor that leaves this gateway's rank in the pool, modulo
 * PROTO_POOL_MAX: two successors of one generation that cannot hear each other never take the same. Of two generations
 * the ranks may be the same; then the seats settle it as soon as they hear each other.
 */
#define SUCCESSION_NEVER INT64_MIN

enum {
	SUCCESSION_LEADER_MS = 500, /* rule 8: without a word of a controller */
	SUCCESSION_ASK_MS = 100,    /* between questions to one over TLS, while the owner is in doubt */
	SUCCESSION_ANSWER_MS = 200, /* ... after the first of which its silence counts */
	SUCCESSION_STEADY_MS =
		400, /* longer without evidence is an interruption: as an owner would fence itself */
	SUCCESSION_WITNESS_MS = 10, /* between questions to the witness, while the owner is in doubt ... */
	SUCCESSION_DOUBT_MS = 2000, /* ... for that long; then as often as the controller is asked */
	SUCCESSION_PROBES =
		12, /* for the addresses: at 20 % loss each way, all answers lost once in 200,000 */
	SUCCESSION_PROBE_GAP_MS = 10,
	SUCCESSION_PROBE_AGAIN_MS = 100, /* after those: nobody may come up meanwhile either */
	SUCCESSION_PROBE_WAIT_MS = 40,   /* for the answer to the last of them */
	SUCCESSION_ALIVE_MS = 500,       /* after an answer: then from the beginning */
	SUCCESSION_TURN_MS = 100,
	SUCCESSION_AGAIN_MS =
		2000, /* after one that came to nothing, or a claim that the disk did not take */
};

struct succession_config {
	char gateway[PROTO_NAME_MAX + 1]; /* this one */
	struct timing timing;
	size_t member_count; /* the pool, in order of preference, this gateway included */
	char members[PROTO_POOL_MAX][PROTO_NAME_MAX + 1];
};

enum succession_event_kind {
	SUCCESSION_EVENT_TICK = 0,
	SUCCESSION_EVENT_LEADER = 1,  /* a controller was heard, by UDP (a contact) or TLS, at at_ms */
	SUCCESSION_EVENT_HEARD = 2,   /* a member's proven beat */
	SUCCESSION_EVENT_VERDICT = 3, /* on a member, at every change */
	SUCCESSION_EVENT_EVIDENCE =
		4, /* the underlay worked at at_ms: a member's contact, the witness's answer */
	SUCCESSION_EVENT_ANSWERED =
		5, /* somebody answers for one of the addresses; or nobody could be asked */
	SUCCESSION_EVENT_PERSISTED = 6, /* `epoch` is on disk */
	SUCCESSION_EVENT_STALLED = 7,   /* own loop stood still: what was silent meanwhile may have spoken */
};

/* What this gateway itself is; filled by the caller for every event. */
struct succession_view {
	struct epoch highest; /* ever seen for the endpoint */
	uint64_t generation;  /* that it holds */
	uint64_t floor;       /* the revocation floor that it knows */
	bool ready;           /* a standby that could serve now */
	bool frozen;          /* people have forbidden automatic moves, as the controller said last */
};

struct succession_event {
	enum succession_event_kind kind;
	struct succession_view view;
	const char *from;               /* HEARD, VERDICT: the member */
	const struct seat_state *heard; /* HEARD */
	bool leader_contact;            /* HEARD: it says so */
	uint64_t generation;            /* HEARD: that it holds */
	enum verdict_kind verdict;      /* VERDICT */
	int64_t last_sign_ms;           /* VERDICT: verdict_last_sign_ms() */
	struct epoch epoch;             /* PERSISTED */
	int64_t at_ms;                  /* LEADER, EVIDENCE */
};

enum succession_action_kind {
	SUCCESSION_ACTION_ASK_LEADER = 1,  /* speak to a controller over TLS: an answer is LEADER */
	SUCCESSION_ACTION_ASK_WITNESS = 2, /* an answer is EVIDENCE */
	SUCCESSION_ACTION_PROBE = 3,       /* ask for the addresses once, naming no sender */
	SUCCESSION_ACTION_PERSIST = 4,     /* `epoch`; then PERSISTED */
	SUCCESSION_ACTION_TAKE =
		5, /* serve under `epoch`, as if ordered so: from, detect_ms, cause no-controller */
};

struct succession_action {
	enum succession_action_kind kind;
	struct epoch epoch;            /* PERSIST, TAKE */
	char from[PROTO_NAME_MAX + 1]; /* TAKE: the dead owner */
	uint32_t detect_ms;            /* TAKE: since its last sign of life */
};

enum { SUCCESSION_ACTIONS_MAX = 8 };

struct succession_actions {
	size_t count;
	struct succession_action items[SUCCESSION_ACTIONS_MAX];
};

struct succession_member {
	char name[PROTO_NAME_MAX + 1];
	enum verdict_kind verdict;
	int64_t last_sign_ms;
	int64_t heard_ms; /* its last proven beat */
	bool leader_contact;
	uint64_t generation;
};

/* A controller, as far as it is heard. */
struct succession_leader {
	int64_t heard_ms;
	int64_t asked_ms;       /* first since then; NEVER */
	int64_t asked_again_ms; /* last */
};

struct succession_witness {
	int64_t at_ms;     /* latest evidence */
	int64_t steady_ms; /* without an interruption since */
	int64_t asked_ms;
};

/* The questions for the addresses. */
struct succession_address {
	unsigned asked;     /* since the run began, SUCCESSION_PROBES at most */
	int64_t counted_ms; /* when the last of those was */
	int64_t last_ms;    /* when any was; NEVER */
	int64_t next_ms;    /* the next question, at the earliest */
};

/* The epoch that this gateway may serve under. */
struct succession_claim {
	struct epoch epoch; /* the last that was ever written, or is about to be; nobody else's */
	bool on_disk;
	int64_t written_ms; /* when that was asked for */
	int64_t used_ms;    /* when TAKE was given */
};

struct succession {
	struct succession_config config;
	size_t member_count; /* without this gateway */
	struct succession_member members[PROTO_POOL_MAX];
	size_t rank;        /* of this gateway in the pool; SIZE_MAX: it is no member */
	size_t before;      /* so many of `members` are preferred to it */
	size_t owner;       /* in members; SIZE_MAX: not known, or it is this gateway */
	struct epoch epoch; /* of the owner */
	bool let_go;        /* by the owner's own word, and it is below the revocation floor */
	int64_t doubt_ms;   /* since when the owner is not known to be alive */
	struct succession_leader leader;
	struct succession_witness witness;
	struct succession_address address;
	struct succession_claim claim;
};

/* claimed: the last epoch of SUCCESSION_ACTION_PERSIST in any life before; zero: none. */
void succession_init(struct succession *succession, const struct succession_config *config,
	const struct epoch *claimed, int64_t now_ms);
/* A new generation. What is known of members that stay is kept. */
void succession_configure(struct succession *succession, const struct succession_config *config);

/* Appends to *actions, which the caller has emptied. */
void succession_step(struct succession *succession, const struct succession_event *event, int64_t now_ms,
	struct succession_actions *actions);
/* When succession_step() wants a TICK, if the view stays as it was; INT64_MAX: never. */
int64_t succession_deadline(
	const struct succession *succession, const struct succession_view *view, int64_t now_ms);

#endif
