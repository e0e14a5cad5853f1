/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_AGENT_INT_H
#define HOLDFAST_AGENT_AGENT_INT_H

#include <event2/event.h>

#include "common/icmp/icmp.h"
#include "common/io/health.h"
#include "common/io/http_server.h"
#include "common/liveness/liveness.h"
#include "node-agent/core/expiry/expiry.h"
#include "node-agent/core/firewall/firewall.h"
#include "node-agent/core/firewall/permit.h"
#include "node-agent/core/firewall/reach.h"
#include "node-agent/core/hearsay/hearsay.h"
#include "node-agent/core/leave/leave.h"
#include "node-agent/core/repair/repair.h"
#include "node-agent/core/seat/seat.h"
#include "node-agent/core/seat/sessions.h"
#include "node-agent/core/seat/wake.h"
#include "node-agent/core/succession/succession.h"
#include "node-agent/io/agent/agent.h"
#include "node-agent/io/agent/checking.h"
#include "node-agent/io/agent/devices.h"
#include "node-agent/io/agent/drill.h"
#include "node-agent/io/agent/flows.h"
#include "node-agent/io/agent/holding.h"
#include "node-agent/io/agent/hooks.h"
#include "node-agent/io/agent/journal.h"
#include "node-agent/io/agent/key_files.h"
#include "node-agent/io/agent/moments.h"
#include "node-agent/io/agent/names.h"
#include "node-agent/io/agent/repairs.h"
#include "node-agent/io/agent/standing.h"
#include "node-agent/io/agent/telling.h"
#include "node-agent/io/agent/tunnels.h"
#include "node-agent/io/agent/underlay.h"
#include "node-agent/io/agent/witness.h"
#include "node-agent/io/announce/announce.h"
#include "node-agent/io/answer/answer.h"
#include "node-agent/io/control/control.h"
#include "node-agent/io/device_reader/device_reader.h"
#include "node-agent/io/logind/logind.h"
#include "node-agent/io/nft/lease.h"
#include "node-agent/io/nft/watch.h"
#include "node-agent/io/probe/probe.h"
#include "node-agent/io/reconcile/reconcile.h"
#include "node-agent/io/renewal/renewal.h"
#include "node-agent/io/rtnl/monitor.h"
#include "node-agent/io/state/writer.h"

enum {
	AGENT_SECOND_MS = 1000,     /* housekeeping: sessions, clocks, sockets that could not be opened */
	AGENT_SLOW_POLL_MS = 30000, /* a look at everything, should no event have told */
	AGENT_CONFIRM_MS =
		250,           /* a look after one that changed something: are things now as they shall be? */
	AGENT_RETRY_MS = 1000, /* after operations failed; doubles up to the slow poll */
	AGENT_JUMP_MS = 100,   /* CLOCK_BOOTTIME against CLOCK_MONOTONIC: the host slept */
};

/* One generation and what was made of it. */
struct generation {
	struct desired *desired;
	struct key *preshared_keys; /* by index of desired->peers; NULL: none */
	struct desired *whole;      /* with those that are expired, as it is on disk; NULL: desired is */
	struct key *whole_keys;
	struct expiry expiry;
	struct fw_ruleset *ruleset;
	struct reach *reach;
	char hash[65]; /* of the whole */
};

/* An outer interface: since when all sessions made here have been learned (CLOCK_BOOTTIME); see core/firewall/steer.h. */
struct steered {
	char device[PROTO_INTERFACE_MAX + 1];
	int64_t complete_ms; /* INT64_MAX: nothing is learned here */
};

struct takeover_run; /* takeover.c */
struct asked;        /* claims.c */

/* The oldest probe that was not answered yet: an answer proves nothing later than that, and only the answer of one
 * that was asked proves anything. */
struct witness {
	size_t count;
	struct addr whom[PROTO_ADDRESSES_MAX];
	int64_t asked_ms; /* SEAT_NEVER: none is under way */
	uint16_t sequence;
};

struct agent_seat {
	struct agent *agent;
	size_t index; /* in the endpoints of the generation held */
	struct seat seat;
	struct fw_permit permit;
	struct event *timer;
	struct takeover_run *takeover; /* NULL: none at work */
	struct takeover result;        /* of the last one; endpoint "": none yet */
	bool result_told;
	bool wake_wanted; /* TAKE was done: wake when the whole list of actions is */
	bool rest_wanted; /* the same for WAKE */
	bool forgotten_wanted; /* RESIGN was done, and nothing is left to forget: to be told when the list is done */
	bool pulled;           /* as a guest it has got all peers back: as an owner it wakes nobody */
	enum seat_steer steering;
	int64_t ordered_ms;
	struct epoch announced; /* the last one that was */
	struct hearsay hearsay; /* of who served it last */
	struct succession succession;
	struct event *succession_timer;
	unsigned succession_steps; /* so far: tells whether one was nested in another */
	struct epoch claim;        /* on its way to the disk ... */
	uint64_t claim_number;     /* ... as that of the seats written; 0: none */
	int64_t addresses_ms;      /* when the lifetime of its addresses was renewed last */
	struct witness witness;
	struct forgetting *forgetting;  /* NULL: of nothing */
	struct seat_flows *flows;       /* NULL: not yet, or nothing is mirrored here */
	struct seat_standing *standing; /* NULL: it is no standby, or was not judged yet */
	const struct asked *asked;      /* whose claim is being taken in; NULL: nobody's */
};

/* What came in of `isolation: fence`, and what was not taken: see claims.c. */
struct claim_counters {
	uint64_t claimed, granted, promised, relayed;
	uint64_t dropped[ANSWER_FORGED + 1]; /* by fault */
};

struct agent {
	struct event_base *base;
	const struct config *config;
	uint64_t boot;
	int64_t started_ms, sleep_offset_ms;

	struct reconcile *reconcile;
	struct nft_watch *watch;
	struct monitor *monitor;
	struct announce *announce;
	struct probe *probe;
	struct icmp *icmp;
	struct event *watch_event, *monitor_event, *probe_events[PROBE_FDS], *icmp_events[ICMP_FDS];
	struct event *second, *look, *standing;
	struct state_writer *writer;
	struct event *written; /* by it */

	struct generation held, staged;
	struct floor floor; /* of revocation */
	struct {
		uint64_t store, floor;
	} word;                   /* of the controller on it, over TLS, in this life; store 0: none */
	uint64_t contact_store;   /* of the controller that we talk to, by its last answer; 0: not known */
	uint64_t foreign;         /* the last of these that is not ours; 0: none */
	uint64_t foreign_refused; /* instructions of such */
	bool reach_holds;         /* the kernel has the rules of groups of the generation held */
	bool reach_missing;       /* it refused them: peers in groups are kept out */
	struct reach *reached;    /* or these, and nobody else has changed them; NULL: who knows */
	bool stranger;            /* the fleet knows this gateway no more: until it gives it a generation */
	struct desired *previous; /* the head before, until what it had is gone */
	struct plan_scope left;   /* of those before that, for as long as no look succeeds */
	struct state_seats disk;
	size_t seat_count;
	struct agent_seat *seats[PROTO_ENDPOINTS_MAX];

	size_t steered_count;
	struct steered steered[PROTO_ENDPOINTS_MAX];

	struct sessions *sessions;
	uint64_t session_change_told, session_change_sent;
	struct device_reader *reader;      /* of the devices that we serve; NULL: alone */
	struct newcomers *newcomers;       /* in them; NULL: alone */
	int64_t next_poll_ms;              /* of them */
	int64_t next_alone_ms;             /* of tunnels in no endpoint */
	int64_t committed_ms;              /* when the kernel had the generation held */
	bool sessions_told, sessions_sent; /* once as a whole, as owner */
	struct takeover takeover_sent;
	uint64_t events_sent, events_told; /* numbers in the journal */
	struct timeline moments;
	uint64_t moments_sent, moments_told; /* their numbers */

	struct liveness *liveness;
	struct liveness_config liveness_config;
	char liveness_failure[ERR_TEXT_MAX]; /* why it is not open; for /readyz */
	int64_t leader_ms;                   /* when a controller was last heard, by whatever path */
	bool frozen;                         /* ... and whether it forbade automatic moves, by UDP */
	bool has_way_to_controller;          /* its last local is the one to talk to it from */
	struct control *control;
	struct renewal *renewal; /* NULL: alone */
	struct key_files key_files;
	struct leave leave;
	struct logind *logind;
	struct event *leave_timer; /* NULL: alone, so nobody could take anything from it */
	struct http_server *health, *local;
	struct health_source health_source;
	struct journal journal;

	struct {
		bool looks, tells; /* what is waited with ... */
		unsigned tries;
		struct staged staged; /* ... to tell */
	} aside;
	bool fit, look_is_near;
	char failure[RECONCILE_FAILURE_MAX]; /* why not */
	int64_t retry_ms;
	int64_t compared_ms; /* when the kernel was last found to be as it shall be, with nothing to do; INT64_MIN */
	uint64_t looks, operations, takeovers, stalls;
	struct repair repair;
	size_t repair_lines;      /* of the look under way */
	size_t bypasses;          /* routes to peers that follow the underlay's */
	struct underlay underlay; /* the agent's own namespace's */
	struct place *places;     /* others */
	struct names *names;
	struct tunnels *tunnels; /* of `holdfast up`; NULL: another agent's to keep, for now */
	int64_t last_takeover_ms;
	struct flows *flows; /* NULL: nothing is mirrored */
	struct claim_counters claims;
	struct checking *checking; /* NULL: alone */
	struct telling *telling;   /* NULL: alone */
	struct hooks *hooks;       /* NULL: alone */
	struct holding *holding;   /* NULL: alone */
	struct drill *drill;       /* NULL: none is going on, and none has a result to tell */
};

/* ---- agent.c ---- */
/* Liveness is told whether our own path over the underlay is known broken. */
void agent_tell_blind(struct agent *agent);
/* What every seat wants to have on disk. The number that the writer gave it; 0: there was nothing. */
uint64_t agent_save_seats(struct agent *agent);

/* ---- generation.c ---- */
void generation_clear(struct generation *generation);
int generation_make(struct desired *desired, struct key *preshared_keys, struct generation *ret_generation,
	struct err *err);
/* The same whole again, at another time. */
int generation_make_again(struct desired *desired, struct key *preshared_keys, const char hash[65],
	struct generation *ret_generation, struct err *err);
/* Takes it over, instead of the one held. */
void generation_hold(struct agent *agent, struct generation *generation);
void agent_stage(struct agent *agent, const struct desired_delta *delta);
void agent_commit(struct agent *agent, uint64_t generation);

/* ---- floor.c: the revocation floor ---- */
/* Somebody's word on it; see floor_hear(). */
void agent_floor_hear(struct agent *agent, uint64_t told, bool confirms);
/* A controller's word, over TLS: of that store's generations. */
void agent_floor_word(struct agent *agent, uint64_t store, uint64_t told);
/* Does the controller that we talk to have another store than the generation held is of (FAILOVER rule 6)? */
bool agent_contact_is_foreign(const struct agent *agent);
/* Another generation is held. */
void agent_floor_held(struct agent *agent);
void agent_floor_tell(struct agent_seat *seat);

/* ---- expiry.c ---- */
/* What it desires now. */
void generation_expire(struct generation *generation);
void agent_expiry_second(struct agent *agent);

/* ---- reach.c ---- */
/* Before another generation is held. */
void reach_replaced(struct agent *agent);
/* Somebody else has changed them. */
void reach_forget(struct agent *agent);
/* What peers of the generation held may reach is there, and what keeps those in bounds that have not gone yet. Fails:
 * agent->reach_missing. */
int reach_before_peers(struct agent *agent, struct err *err);
/* Would the kernel take those of another generation? Nothing is changed. */
int reach_try(struct agent *agent, const struct reach *to, struct err *err);
/* Just what the generation held wants. */
int reach_after_peers(struct agent *agent, struct err *err);

/* ---- adoption.c ---- */
/* What the disk holds; nothing is fine. */
int agent_adopt(struct agent *agent, struct err *err);

/* ---- seats.c ---- */
/* Those whose endpoint the next generation lacks. Before it is held: its ruleset has no fence for what they had. */
void agent_seats_leave(struct agent *agent, const struct desired *next);
/* Seats for the endpoints of the generation held: kept, made. */
void agent_seats_update(struct agent *agent);
void agent_seats_free(struct agent *agent);
struct agent_seat *agent_seat_find(struct agent *agent, const char *endpoint);
/* Does this gateway serve the endpoint that the tunnel belongs to? */
bool agent_serves_tunnel(struct agent *agent, const char *tunnel);
/* It is in no endpoint: always spoken through, and its sessions are known to this gateway alone. */
bool agent_has_alone(const struct agent *agent, const char *tunnel);
/* Are its sessions here, either way? */
bool agent_tells_of(struct agent *agent, const char *tunnel);
struct agent_seat *agent_seat_of_tunnel(
	struct agent *agent, const char *tunnel); /* NULL: it is in no endpoint */
const struct desired_endpoint *agent_seat_endpoint(const struct agent_seat *seat);
bool agent_seat_has_member(const struct agent_seat *seat, const char *gateway);
bool agent_seat_serves(const struct agent_seat *seat); /* it is the owner */
/* Of the lease that it serves under; 0: it has none. */
int64_t agent_seat_left_ms(const struct agent_seat *seat);
void agent_seat_step(struct agent_seat *seat, const struct seat_event *event);
void agent_seats_step(struct agent *agent, const struct seat_event *event);

bool agent_has_carrier(struct agent *agent, const char *interface);

/* ---- act.c ---- */
void agent_seat_act(struct agent_seat *seat, const struct seat_actions *actions);
/* Its endpoint is about to leave this gateway: the permit goes, and with it all that an owner has. */
void agent_seat_vacate(struct agent_seat *seat);

/* ---- steering.c ---- */
/* The tables that learn are in place, before the devices whose sessions are to be learned. */
void steering_look(struct agent *agent);
/* -errno with a reason that was logged: then nothing is steered. Off never fails. */
int steering_set(struct agent_seat *seat, enum seat_steer steering);
/* A new life: nothing is steered any more. True if something was. */
bool steering_reset(struct agent_seat *seat);

/* ---- session_list.c ---- */
void agent_answer_sessions(struct http_request *request, void *context);

/* ---- look.c ---- */
/* Observe, plan, apply: now, or after the events of a burst are in. */
void agent_look_now(struct agent *agent);
void agent_look_soon(struct agent *agent);
int agent_look_open(struct agent *agent, struct err *err);
void agent_look_close(struct agent *agent);
/* Make the fence whole, with the permits held now. */
int agent_restore_fence(struct agent *agent);

/* ---- diagnose.c ---- */
/* What is allowed but likely to hurt. */
void agent_diagnose(const struct agent *agent, struct health *health);
/* key_files.c */
void agent_key_files_second(struct agent *agent);
/* certificate.c: nothing of an agent alone, which has none. */
void agent_certificate_warn(const struct agent *agent, struct health *health);
void agent_certificate_metrics(const struct agent *agent, struct text *out);

/* ---- hearsay.c ---- */
/* A member's word on this endpoint, proven fresh. */
void agent_hearsay_hear(struct agent_seat *seat, const char *from, const struct seat_state *state);
void agent_hearsay_fill(const struct agent *agent, struct report *report);

/* ---- succession.c: when no controller lives ---- */
void agent_succession_begin(struct agent_seat *seat);
/* A new generation. */
void agent_succession_refresh(struct agent_seat *seat);
void agent_succession_end(struct agent_seat *seat);
/* The view is filled in here. */
void agent_succession_step(struct agent_seat *seat, struct succession_event event);
void agent_successions_stalled(struct agent *agent);
/* A controller was heard at at_ms. */
void agent_leader_heard(struct agent *agent, int64_t at_ms);
/* Lately enough to be relied on. */
bool agent_has_leader(const struct agent *agent);
/* By a controller's proven beat: whether people have forbidden automatic moves. */
void agent_frozen_heard(struct agent *agent, bool frozen);
/* A member's word on this endpoint, proven fresh. */
void agent_succession_heard(struct agent_seat *seat, const char *from, const struct datagram_beat *beat,
	const struct seat_state *state);
/* Somebody answers for that address on that interface. */
void agent_succession_answered(struct agent *agent, const struct probe_answer *answer);
/* What was to be on disk is. */
void agent_succession_open(struct agent *agent);
void agent_succession_close(struct agent *agent);

/* ---- beats.c ---- */
/* (Re)open the liveness engine for the generation held; does nothing when all is as it was. */
void agent_beats_update(struct agent *agent);

/* ---- claims.c: leave to serve, in `isolation: fence` ---- */
/* To the controllers, and `widely` to the other members of the pool. */
void claims_ask(struct agent_seat *seat, bool widely);
/* Of the claim that is being taken in. */
void claims_promise(const struct agent_seat *seat);
/* A claim, grant or promise came in: for this gateway, or to be passed on. */
void claims_take(void *agent, const char *partner, const struct datagram *datagram,
	const struct liveness_receipt *receipt);

/* ---- leaving.c ---- */
void leaving_open(struct agent *agent);
void leaving_close(struct agent *agent);
/* After every step of a seat, and when contact with a controller was made or lost. */
void leaving_look(struct agent *agent);

/* ---- orders.c ---- */
int agent_control_open(struct agent *agent, struct err *err);

/* ---- status.c, health.c ---- */
int agent_serve_local(struct agent *agent, struct err *err);
int agent_serve_health(struct agent *agent, struct err *err);
/* Is it able to serve? Up to max sentences why not. */
size_t agent_reasons(
	const struct agent *agent, char (*reasons)[PROTO_REASON_MAX + 1], size_t max, bool *ret_fit);

#endif
