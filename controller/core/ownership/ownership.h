/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_OWNERSHIP_OWNERSHIP_H
#define HOLDFAST_OWNERSHIP_OWNERSHIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/cluster/verdict.h"
#include "controller/core/ownership/epoch_source.h"
#include "controller/core/ownership/holddown.h"
#include "proto/claim.h"
#include "proto/instruction.h"
#include "proto/limits.h"
#include "proto/seat.h"

/*
 * Who owns one virtual endpoint, as the controller decides it (FAILOVER sections 1, 2 and 5; one controller). Pure. (It is called `ownership` because `struct endpoint` is an address with a port.)
 *
 * Gateways are the truth about ownership: a controller that starts listens for OWNERSHIP_LISTEN_MS and adopts
 * the highest epoch that it hears served. It names an owner itself only when whoever holds the highest epoch of all has
 * spoken, is known to be down, or has let go of it by others' word (every member, where it is not known who that is), and
 * every order carries an epoch of its own that is higher than all heard.
 *
 * In `fence` (`exclusive`) nobody serves without leave that is granted to its claims, and nobody new is ordered before
 * whoever may be serving has released it, or all leave has run out: after a start that is one lease later. When lease
 * or pool change, leave on the terms before has run out one such lease after a member of that pool has taken up the new
 * ones: it promises on those before no more, and all would have to.
 *
 * Members are numbers, 0 .. member_count - 1, in order of preference, from the configuration given last. Before
 * preference comes choice: one that is held down (it flaps), or impaired (a check of its fails), gets the endpoint only
 * if nobody better can take it; better than nobody it always is.
 */
enum {
	OWNERSHIP_LISTEN_MS = 500,   /* after the start */
	OWNERSHIP_CONFIRM_MS = 300,  /* a taker that has not said "serving" by then is passed over */
	OWNERSHIP_HOST_MS = 300,     /* a planned move whose owner does not host by then is made without */
	OWNERSHIP_PULL_MS = 2300,    /* ... whose guest has not pulled by then goes on as it is */
	OWNERSHIP_RELEASE_MS = 2000, /* a planned move whose owner has not released by then is called off */
	OWNERSHIP_RESEND_MS = 100,   /* one who serves under a lower epoch is told again, that often */
	OWNERSHIP_FIRST_MS =
		3000,           /* how long a very first owner is waited for, if a preferred one is alive */
	OWNERSHIP_LOST_MS = 60, /* an owner that says "standby" for that long has lost it */
	OWNERSHIP_UNFENCE_MS = 300, /* one who fenced itself is fit again at the earliest after that */
	OWNERSHIP_PASSED_MS = 5000, /* one who did not confirm is asked again at the earliest after that */
	OWNERSHIP_SPOKEN_MS = 1500, /* one who has not spoken to me for that long gets no order */
	OWNERSHIP_BEHIND_MS =
		1000, /* an owner below the revocation floor for that long is moved away from, while it serves */
	OWNERSHIP_BARRED_MS =
		3000, /* ... and serves no more, reached or not: it fences itself after SEAT_FLOOR_MS */
	OWNERSHIP_EXTRA_MS = 3000, /* what a taker gets beyond CONFIRM_MS when nobody else could take it */
};
#define OWNERSHIP_NOBODY SIZE_MAX

struct ownership_config {
	char name[PROTO_NAME_MAX + 1];
	uint32_t lease_ms;
	bool exclusive;     /* `isolation: fence` */
	int64_t preempt_ms; /* after how long of fitness a preferred member gets it back; < 0: never */
	int64_t doubt_ms;   /* an impaired owner is left alone for that long: the others may find the same */
	size_t member_count;
	char members[PROTO_POOL_MAX][PROTO_NAME_MAX + 1];
};

enum ownership_phase {
	OWNERSHIP_RECOVERING = 0, /* listening, or waiting for members to speak or to be known dead */
	OWNERSHIP_STABLE = 1,     /* owner serves, as far as is known */
	OWNERSHIP_ARMED = 2,  /* owner's agent is down, or it may still serve (`fence`); moves at deadline_ms
				     unless it comes back */
	OWNERSHIP_TAKING = 3, /* an order is out, its target has not confirmed */
	OWNERSHIP_MOVING = 4, /* the owner has been told to release, for target */
	OWNERSHIP_ORPHAN = 5, /* nobody can serve: why */
	OWNERSHIP_FROZEN =
		6, /* as ORPHAN or ARMED or a wish to move, but people have said: no automatic moves */
};

/* How far a planned move is (FAILOVER section 4). Without the first two a client loses what is sent in the meantime. */
enum ownership_step {
	OWNERSHIP_STEP_HOST = 0,    /* the owner was told to host the target */
	OWNERSHIP_STEP_PULL = 1,    /* it does; the target wakes the peers */
	OWNERSHIP_STEP_RELEASE = 2, /* the owner was told to release */
};

enum ownership_event_kind {
	OWNERSHIP_EVENT_TICK = 0,
	OWNERSHIP_EVENT_SEAT = 1,    /* a member said its state, by beat or report */
	OWNERSHIP_EVENT_VERDICT = 2, /* a member's verdict, at every change */
	OWNERSHIP_EVENT_FITNESS = 3, /* a member's report: fit or not, and why not; with every report */
	OWNERSHIP_EVENT_LEAVING = 4, /* a member's report: is its host about to go down?; with every report */
	OWNERSHIP_EVENT_CLAIM =
		5, /* fence: a member asks for leave to serve; by itself, or another passed it on */
	OWNERSHIP_EVENT_HOLDS = 6,      /* a member reports that it holds the newest generation */
	OWNERSHIP_EVENT_GENERATION = 7, /* which one it holds, by beat or report */
	OWNERSHIP_EVENT_FLOOR = 8,      /* the revocation floor; of no member. A lower one changes nothing */
	OWNERSHIP_EVENT_RELAYED = 9, /* a member's report: whom it heard serve last, and what that one says */
};

struct ownership_event {
	enum ownership_event_kind kind;
	size_t member;
	const struct seat_state *seat; /* SEAT, RELAYED; its endpoint's name is not looked at */
	const char *about;             /* RELAYED: whose that is, in the pool or not */
	enum verdict_kind verdict;     /* VERDICT */
	int64_t last_sign_ms;          /* VERDICT: verdict_last_sign_ms() */
	bool fit;                      /* FITNESS: it could serve, and holds the committed generation */
	const char *why;               /* FITNESS: a short reason when not; may be NULL */
	const char *impaired;      /* FITNESS: why it would serve worse than it should; NULL: it would not */
	bool leaving;              /* LEAVING */
	const struct claim *claim; /* CLAIM; the names in it are not looked at */
	uint64_t generation;       /* GENERATION */
	uint64_t floor;            /* FLOOR */
};

enum ownership_action_kind {
	OWNERSHIP_ACTION_ORDER = 1,   /* send `order` to every member; it replaces the standing order */
	OWNERSHIP_ACTION_RELEASE = 2, /* the same, with owner "": whoever serves, release */
	OWNERSHIP_ACTION_EVENT = 3,   /* a line for `holdfast events` and the log */
	OWNERSHIP_ACTION_GRANT = 4,   /* sign the claim of this event, and send it back the way it came */
};

enum ownership_severity { OWNERSHIP_INFO = 0, OWNERSHIP_WARNING = 1, OWNERSHIP_ALARM = 2 };

struct ownership_action {
	enum ownership_action_kind kind;
	struct order order;
	enum ownership_severity severity;
	char text[PROTO_REASON_MAX + 1];
};

enum { OWNERSHIP_ACTIONS_MAX = 8 };

struct ownership_actions {
	size_t count;
	struct ownership_action items[OWNERSHIP_ACTIONS_MAX];
};

struct ownership_member {
	char name[PROTO_NAME_MAX + 1];
	enum verdict_kind verdict;
	int64_t last_sign_ms;  /* INT64_MIN: never */
	int64_t down_since_ms; /* its agent has been down since; INT64_MAX: it is not */
	bool spoken;           /* seat is what it said, in this life of the controller */
	struct seat_state seat;
	int64_t seat_ms;          /* when it said it; INT64_MIN */
	int64_t word_ms;          /* ... itself, and not by a claim that others passed on; INT64_MIN */
	int64_t served_ms;        /* when it last said that it serves; INT64_MIN */
	int64_t standby_since_ms; /* it has said "standby" since; INT64_MAX: it says otherwise */
	unsigned standby_count;   /* ... in that many messages */
	int64_t fenced_since_ms;  /* it has said "fenced" since; INT64_MAX */
	struct epoch
		recalled; /* its highest in earlier lives of the controller, or by others' word; zero: none */
	bool fit_known;   /* it has reported fitness, in this life of its host */
	bool fit;
	int64_t fit_ms;                      /* when it last reported fitness; INT64_MIN */
	int64_t fit_since_ms;                /* INT64_MAX while unfit or impaired */
	int64_t impaired_since_ms;           /* INT64_MAX */
	char why[PROTO_REASON_MAX + 1];      /* not fit */
	char impaired[PROTO_REASON_MAX + 1]; /* what it lacks, though it could serve; "": nothing */
	struct holddown holddown;
	bool drained;
	bool before;            /* `fence`: it was a member on the terms before, too (ownership.settled_ms) */
	bool leaving;           /* as drained, but by its own word, and until its next life says otherwise */
	uint64_t generation;    /* that it holds, by its own word; 0: none, or it is not known */
	int64_t below_since_ms; /* that is below the revocation floor since; INT64_MAX: it is not */
	int64_t passed_until_ms; /* it did not confirm an order; INT64_MIN: may be asked */
	int64_t told_ms;         /* when it was last told to step down */
};

struct ownership {
	struct ownership_config config;
	struct epoch_source *source; /* not owned; outlives this */
	struct ownership_member members[PROTO_POOL_MAX];
	enum ownership_phase phase;
	bool frozen;
	uint64_t floor; /* of revocation: a generation's number */
	int64_t started_ms;
	int64_t seen_ms;                /* when it was last stepped */
	size_t owner;                   /* who serves, or served last; OWNERSHIP_NOBODY: not known */
	struct epoch epoch;             /* of owner: the highest that was ordered or adopted */
	struct epoch lost;              /* whose loss was counted last (holddown.h) */
	struct epoch highest;           /* ever heard or given out, for this endpoint */
	enum ownership_step step;       /* MOVING */
	size_t target;                  /* TAKING, MOVING: to whom; else OWNERSHIP_NOBODY */
	char cause[PROTO_NAME_MAX + 1]; /* of the present or last change: see struct order */
	char why[PROTO_REASON_MAX + 1]; /* ORPHAN, RECOVERING, FROZEN: a sentence */
	int64_t since_ms;               /* of this phase */
	int64_t deadline_ms;            /* of this phase; INT64_MAX: none */
	int64_t ordered_ms;             /* when the last order for the owner was sent; INT64_MIN */
	int64_t sign_ms;                /* the owner's last sign of life before the loss; for detect_ms */
	bool extended;                  /* TAKING: nobody else could, so its target was given more time */
	int64_t move_after_ms; /* no planned move by itself before that: the last one was called off */
	int64_t vacant_ms; /* nobody new before that: `leaver` may still serve, and nobody can tell it; INT64_MIN */
	char leaver[PROTO_NAME_MAX + 1];
	/* The highest that a gateway which is no member was heard serving under; zero: none, or a member is said to hold it. */
	struct epoch outside;
	char outsider[PROTO_NAME_MAX + 1]; /* which */
	/* fence */
	int64_t granted_ms; /* when leave that may be in use was last granted; before any in this life, when it began;
				 INT64_MIN: nobody has any under `epoch` */
	struct nonce granted; /* what that answered */
	uint64_t terms;       /* common/cluster/terms.h */
	/* The terms have changed, and whoever has leave may serve on those before until then; INT64_MAX: nobody who could
	 * have ended that has been heard yet; INT64_MIN: they have not changed. */
	int64_t settled_ms;
	uint32_t before_lease_ms; /* the longest lease of those before */
	bool withheld;            /* no more of it under `epoch`: somebody else shall have the endpoint */
	struct epoch promised;    /* to the target of a move; zero: none */
	struct order standing;    /* the order that every member should know now; epoch zero: none */
};

void ownership_init(struct ownership *ownership, const struct ownership_config *config,
	struct epoch_source *source, int64_t now_ms);

/* A new generation: members are matched by name and keep what is known of them. An owner that is no member any
 * more is told to release; where it cannot be reached and is not known to be dead, nobody follows it before its lease
 * is over. */
void ownership_configure(struct ownership *ownership, const struct ownership_config *config, int64_t now_ms,
	struct ownership_actions *actions);

/* `fence`: whether this may follow the present configuration. -EBUSY: it is not settled yet on which terms the endpoint is
 * served; -ENOTSUP: none of its members would stay, so nobody could tell when the last leave has run out. */
int ownership_check_change(const struct ownership *ownership, const struct ownership_config *config,
	int64_t now_ms, struct err *err);

/* All append to *actions, which the caller has emptied. */
void ownership_step(struct ownership *ownership, const struct ownership_event *event, int64_t now_ms,
	struct ownership_actions *actions);
int64_t ownership_deadline(const struct ownership *ownership);

/*
 * What people ask for. 0, or -errno with a sentence that says why not:
 * move: -EALREADY it is there already, -EBUSY another change is going on, or the owner has not reported yet, -EHOSTDOWN, -ENOTSUP the target is
 * down, or not fit, or drained, or holds a generation below the revocation floor.
 * drain: always accepted; the endpoint leaves the member as soon as somebody else can have it, and the member
 * gets nothing until resume. resume moves nothing by itself (`preempt` may, later).
 */
int ownership_move(struct ownership *ownership, size_t member, int64_t now_ms,
	struct ownership_actions *actions, struct err *err);
void ownership_drain(
	struct ownership *ownership, size_t member, int64_t now_ms, struct ownership_actions *actions);
void ownership_resume(
	struct ownership *ownership, size_t member, int64_t now_ms, struct ownership_actions *actions);
void ownership_freeze(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions);
void ownership_thaw(struct ownership *ownership, int64_t now_ms, struct ownership_actions *actions);

/* Before the first step: an order of an earlier life of this controller (struct order's names and cause; at_ms may be
 * before this machine started), the oldest first. Who lost the endpoint by faults is held down as if this controller had
 * lived on; nothing else is taken from it: the gateways are the truth about who serves. */
void ownership_recall(
	struct ownership *ownership, const char *from, const char *to, const char *cause, int64_t at_ms);

/* Likewise, in any order: the epoch of an order, which is nobody else's, ever. If the gateways know of none that is higher, it
 * is known who holds the highest, although that one may not be there any more to say so. */
void ownership_recall_epoch(struct ownership *ownership, const char *owner, const struct epoch *epoch);

/* May the standing order be told to this member once more? There is one, and it is none that this member would have to
 * refuse (FAILOVER rule 10): it would get no other. */
bool ownership_repeats_to(const struct ownership *ownership, size_t member);

/* The number of a member by name; OWNERSHIP_NOBODY. */
size_t ownership_find(const struct ownership *ownership, const char *name);
/* Does `owner` serve under `epoch` right now, by its own word and its life? */
bool ownership_is_served(const struct ownership *ownership);
/* Is it one of those who come first? Else err, if not NULL, says why not. */
bool ownership_is_first_choice(
	const struct ownership *ownership, size_t member, int64_t now_ms, struct err *err);
/* Could this member take it over now? If not, and err is not NULL, err says why. */
bool ownership_can_take(const struct ownership *ownership, size_t member, int64_t now_ms, struct err *err);

/* "recovering", "stable", "armed", "taking", "moving", "orphan", "frozen" */
const char *ownership_phase_name(enum ownership_phase phase);

#endif
