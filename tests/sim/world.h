/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_SIM_WORLD_H
#define HOLDFAST_TESTS_SIM_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cluster/contact.h"
#include "common/cluster/verdict.h"
#include "controller/core/ownership/ownership.h"
#include "node-agent/core/hearsay/hearsay.h"
#include "node-agent/core/seat/seat.h"
#include "node-agent/core/succession/succession.h"

/*
 * A whole cluster in one process: the real cores of a controller (of two, where that is the fault) and of up to three gateways, an invented network
 * between them, kernels that keep permits, and a clock that a loop turns from each millisecond in which something
 * happens to the next one. The same seed gives the same run.
 */
enum {
	GATEWAYS = 3,
	CTL = GATEWAYS, /* number of the controller's host */
	RIVAL,          /* a second one, on a database of its own: of killers alone */
	HOSTS,
	FLIGHT_MAX_MS = 2, /* of a datagram */
	BUCKETS = FLIGHT_MAX_MS + 1,
	RECORDED = 64,
	LEASE_MS = 1000,
	FENCE_MS = LEASE_MS + 400, /* L2 */
	REPORT_MS = 1000,
	FLUSHED_MAX_MS = 50, /* until the agent has put its fence back */
	OFF_MS = 1000000,    /* it does not come back */
	SETTLE_MS = 10000,   /* after the last fault has been repaired */
};

enum message_kind {
	MSG_DATAGRAM,
	MSG_KERNEL,
	MSG_WITNESS,
	MSG_ADDRESS,
	MSG_ORDER,
	MSG_REPORT,
	MSG_REPLY,
	MSG_CLAIM,
	MSG_GRANT,
	MSG_PROMISE,
	MSG_COMMIT,
};

/* A generation, as far as it says who may serve and for how long: its pool is the first so many gateways. */
struct terms {
	uint64_t generation;
	uint32_t lease_ms;
	size_t members;
};

struct message {
	struct message *next;
	enum message_kind kind;
	size_t from, to;
	int64_t due_ms, sent_ms;
	struct datagram_head head;
	struct seat_state seat; /* of a beat or a report */
	struct hearsay heard;   /* of a report; of nobody: there is none in it */
	bool leader_contact;    /* of a beat */
	struct datagram_silence silence;
	size_t suspect;
	struct order order;
	struct claim claim; /* of a claim, a grant or a promise */
	bool fit, leaving;
	struct terms terms; /* that a commit brings, or a report or beat tells of */
	uint64_t floor;     /* of revocation: of a beat, and of whatever a controller sends over TLS */
	bool floor_confirmed;
	bool frozen; /* of a controller's beat */
};

struct queue {
	struct message *first, **last;
};

/* What one host knows of another. */
struct watched {
	bool used, watch;
	struct contact contact;
	struct verdict verdict;
	uint64_t seq;
};

struct host {
	bool power, running;
	int64_t hung_until_ms, starts_ms; /* INT64_MAX: it does not start by itself */
	int64_t resumed_ms;               /* when it last started, or woke from a stall */
	int64_t hung_since_ms;
	uint64_t boot;
	int64_t next_beat_ms, next_report_ms;
	int64_t wakes_ms; /* when it next has something to do by itself */
	struct watched others[HOSTS];
	struct queue backlog;   /* arrived while it hung */
	bool underlay, carrier; /* its cable works; and the kernel sees it */
	bool deaf;              /* no liveness datagram comes or goes: its port is blocked */
	bool filtered;          /* nothing but ARP comes or goes */

	struct terms terms;    /* that it holds: a gateway's on its disk, a controller's in force */
	struct floor floor;    /* of revocation, as it knows it ... */
	uint64_t stored_floor; /* ... and as its disk does */
	bool frozen; /* people have forbidden moves: a controller's disk says it; a gateway heard it */

	/* a gateway's */
	struct seat seat;
	struct seat_disk disk;
	int64_t permit_until_ms;  /* the kernel's, which outlives the agent; 0: none */
	int64_t address_until_ms; /* likewise */
	bool flushed;             /* its nftables are empty, until the agent sees it */
	int64_t restored_ms;      /* ... which is then, if it works */
	bool announces;           /* ... and it is an owner's */
	int64_t alone_ms;         /* for how long it has been a guest without a host */
	int64_t pulled_ms;        /* a guest's peers will be back; 0: nothing is under way */
	int64_t forgotten_ms;     /* what it has resigned from will be forgotten; 0: nothing is under way */
	bool cannot_steer;
	bool leaving;               /* its host is about to go down, and its agent knows */
	bool slow;                  /* its clock runs slower by 1 %: its kernel's permits last longer */
	const struct message *at;   /* the claim that its seat, or its ownership, is looking at */
	struct epoch served, burnt; /* under which it serves; the highest it released or refused */
	struct hearsay hearsay;     /* of who served last */
	struct succession succession;
	int64_t leader_ms;        /* when a controller was last heard */
	struct epoch claim;       /* on its way to the disk */
	int64_t claim_written_ms; /* when it will be there; 0: none is */
	struct terms taken;       /* a commit that is being carried out ... */
	int64_t holds_ms;         /* ... until then; INT64_MAX: none is */

	/* the controller's */
	struct ownership ownership;
	struct epoch_source source;
	uint32_t stored_term;
	int64_t claim_ms;
	struct terms before;  /* the generation before; 0: there was none */
	struct terms stored;  /* on its disk */
	struct order noted;   /* the last order among its events, on its disk ... */
	struct order noting;  /* ... and the one that will be ... */
	int64_t noted_ms;     /* ... then; INT64_MAX */
	struct terms next;    /* being prepared by the gateways ... */
	bool next_raises;     /* ... and the floor rises with it ... */
	int64_t stored_ms;    /* ... until it is stored, and ... */
	int64_t commits_ms;   /* ... until it is committed; INT64_MAX */
	uint64_t newest_held; /* by any gateway, as heard: above its own its database is an old one */
};

struct world {
	uint64_t seed, random;
	int64_t forgets_ms; /* what forgetting sessions takes */
	int64_t now;
	bool verbose, every_ms; /* ... looks at those in which nothing happens, too */
	bool exclusive;         /* mode `fence` */
	size_t gateways;
	bool rival; /* there may be a second controller */
	double loss;
	bool duplicates; /* the network delivers some twice */
	bool attacker;   /* records datagrams, and sends them again whenever it likes */
	bool hoarder;    /* the same, with grants and promises alone */
	size_t recorded_count;
	int64_t replays_ms; /* when next */
	struct message recorded[RECORDED];
	bool witness; /* there is one on the segment */
	struct timing timing;
	struct host hosts[HOSTS];
	bool cut[HOSTS][HOSTS]; /* no message of any kind from, to */
	struct queue flying[BUCKETS];
	struct queue tls[HOSTS][HOSTS];
	struct queue spare; /* messages to be used again */

	/* what the invariants remember */
	unsigned orders, moves, successions, unserved_ms, longest_ms;
	int64_t open_ms[HOSTS][HOSTS]; /* for how long the network has been open from, to */
	int64_t works_ms[HOSTS];       /* for how long a host has worked, and spoken to others */
	int64_t serves_ms[GATEWAYS];   /* for how long it has served */
	int64_t served_ms;             /* when the last epoch began to be served */
	int64_t below_ms[GATEWAYS];    /* for how long it has served below the floor that it knows */
	int64_t behind_ms[GATEWAYS];   /* for how long it has been reached, and lacks what is committed */
	uint64_t held_before[HOSTS], floor_before[HOSTS];
	int64_t both_ms[GATEWAYS]
		       [GATEWAYS]; /* how long both serve with a path from the higher to the lower */
	struct {
		struct epoch epoch;
		size_t gateway;
	} held[512];
	size_t held_count;
	char failure[256];
	char cause[PROTO_NAME_MAX + 1]; /* of the last order */
};

/* world.c */
void world_init(struct world *world, uint64_t seed, size_t gateways, double loss);
void world_clear(struct world *world);
void world_run(struct world *world, int64_t until_ms);
uint64_t world_random(struct world *world, uint64_t below);
bool world_chance(struct world *world, double probability);
void world_fail(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
void world_say(struct world *world, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *world_name(size_t host); /* gw-a, gw-b, gw-c, ctl, rival */
bool host_exists(const struct world *world, size_t host);
bool host_controls(size_t host);                         /* it is a controller */
bool host_works(const struct world *world, size_t host); /* powered, its process runs and does not hang */

/* faults */
/* Not a fault: its host is told to go down, and waits for what it serves to move. */
void fault_leave(struct world *world, size_t gateway);
void fault_power(struct world *world, size_t gateway, int64_t back_ms);
void fault_kill(struct world *world, size_t host, int64_t back_ms);
void fault_hang(struct world *world, size_t host, int64_t ms);
void fault_cable(struct world *world, size_t gateway, bool carrier);
void fault_restore(struct world *world); /* the controller's database, from before its first start */
void fault_plug(struct world *world, size_t gateway);
void fault_flush(struct world *world, size_t gateway); /* kernel.c */

/* message.c: whoever has one hands it on to a queue, or drops it */
struct message *message_copy(struct world *world, const struct message *message);
void message_drop(struct world *world, struct message *message);
void message_free_spare(struct world *world);
void queue_add(struct queue *queue, struct message *message);
struct message *queue_take(struct queue *queue); /* NULL: it is empty */
void queue_drop(struct world *world, struct queue *queue);

/* network.c */
bool network_is_open(const struct world *world, size_t from, size_t to);
void network_send(struct world *world, const struct message *message);     /* may be lost */
void network_send_tls(struct world *world, const struct message *message); /* in order, waits for the link */
void network_forget(struct world *world, size_t host);                     /* its connections are gone */
void network_deliver(struct world *world);

/* watcher.c: the liveness of a gateway or a controller, as the engine does it */
void watcher_start(struct world *world, size_t host);
void watcher_beat(struct world *world, size_t host);
void watcher_tick(struct world *world, size_t host);
void watcher_event(struct world *world, size_t host, size_t about, struct verdict_event event);
void watcher_receive(struct world *world, size_t host, const struct message *message);

/* kernel.c: what a gateway's kernel does by itself */
bool kernel_serves(const struct world *world, size_t gateway);
bool kernel_permits(const struct world *world, size_t gateway); /* anything: a guest's, too */
int64_t kernel_permit_left_ms(const struct world *world, size_t gateway);
void kernel_permit(struct world *world, size_t gateway, uint32_t timeout_ms);
void kernel_clear(struct world *world, size_t gateway);
void kernel_adopt(struct world *world, size_t gateway);
void kernel_tick(struct world *world, size_t gateway);
int64_t kernel_end_ms(const struct world *world, size_t gateway);

/* gateway.c, controller.c */
void gateway_start(struct world *world, size_t gateway);
void gateway_step(struct world *world, size_t gateway, struct seat_event event);
void gateway_receive(struct world *world, size_t gateway, const struct message *message);
void gateway_heard(
	struct world *world, size_t gateway, size_t from, const struct message *message, bool proven);
void gateway_tick(struct world *world, size_t gateway);
void gateway_report(struct world *world, size_t gateway);
/* What an agent that starts, or a gateway that has joined the pool, makes of its disk and its kernel. */
void gateway_begin(struct world *world, size_t gateway);
void controller_start(struct world *world, size_t controller);
void controller_receive(struct world *world, const struct message *message);
void controller_heard(struct world *world, size_t controller, size_t from, const struct message *message);
void controller_verdict(struct world *world, size_t controller, size_t gateway);
void controller_claimed(struct world *world, size_t controller, size_t gateway, const struct claim *claim);
void controller_tick(struct world *world, size_t controller);
/* Another lease, another pool. -1: it is refused, or there is no controller. */
int controller_change(struct world *world, uint32_t lease_ms, size_t members);
int controller_move(struct world *world, size_t gateway);
void controller_freeze(struct world *world, bool freeze);

/* action.c: what an agent does with an action of its seat. False: the rest of the list is void. */
bool gateway_act(struct world *world, size_t gateway, const struct seat_action *action);
/* It has released or refused this epoch, and may not serve under it again. */
void gateway_burn(struct world *world, size_t gateway, const struct epoch *epoch);

/* moment.c: when something happens next, if no fault does; INT64_MAX: never */
int64_t moment_next(struct world *world);

/* successor.c: what a gateway does when no controller lives */
void successor_start(struct world *world, size_t gateway);
void successor_event(struct world *world, size_t gateway, struct succession_event event);
void successor_leader(struct world *world, size_t gateway);
bool successor_has_leader(const struct world *world, size_t gateway);
void successor_verdict(struct world *world, size_t gateway, size_t about);
void successor_evidence(struct world *world, size_t gateway, int64_t at_ms);
void successor_heard(struct world *world, size_t gateway, const struct message *message);
void successor_tick(struct world *world, size_t gateway);
int64_t successor_deadline(const struct world *world, size_t gateway);

/* invariant.c */
void invariant_serves(struct world *world, size_t gateway);   /* has just begun under hosts[gateway].served */
void invariant_succeeds(struct world *world, size_t gateway); /* is about to, without a controller */
void invariant_check(struct world *world, int64_t ms);        /* for so long all has been as it is now */
void invariant_settled(struct world *world);                  /* L1, L6 at the end */

/* course.c */
int64_t course_between(struct world *world, int64_t least, int64_t most); /* at random, both included */
size_t course_owner(const struct world *world);                           /* SIZE_MAX: nobody serves */
size_t course_other(struct world *world, size_t gateway);                 /* another gateway, at random */
void course_run(struct world *world, int64_t ms);
void course_power_on(struct world *world); /* those whose time has come */
/* Both in turn, until it fails. */
void course_run_powered(struct world *world, int64_t ms);
void course_begin(struct world *world); /* until the first owner has served for a while */
void course_end(struct world *world);   /* all is repaired, comes to rest, and is looked at */

/* killer.c: runs that were thought of because they would break a worse protocol; each is in killers/ */
size_t killer_count(void);
const char *killer_name(size_t index);
bool killer_exists(const char *name);
bool killer_wants_rival(const char *name);
void killer_run(struct world *world, const char *name);

/* claim.c: claims, grants and promises on their ways */
void claim_send(struct world *world, size_t gateway, bool widely);
void claim_promise(struct world *world, size_t gateway);
void claim_grant(struct world *world, size_t controller);
void claim_receive(struct world *world, size_t host, const struct message *message);

/* terms.c: generations with other pools and leases */
void terms_init(struct world *world);
bool terms_has(const struct terms *terms, size_t gateway);
void terms_of_controller(
	const struct world *world, const struct terms *terms, struct ownership_config *ret_config);
void terms_of_gateway(const struct world *world, size_t gateway, struct seat_config *ret_config);
/* A commit has come; an old one says nothing. */
void terms_hold(struct world *world, size_t gateway, const struct terms *terms);
void terms_send(struct world *world, size_t controller, size_t gateway);

/* generation.c: from the apply to the gateway that holds it */
void generation_init(struct world *world);
void generation_start(struct world *world, size_t controller);
int generation_apply(struct world *world, bool revokes); /* -1: there is no controller, or one is under way */
bool generation_has_old_store(const struct world *world, size_t controller);
void generation_tick(struct world *world);
int64_t generation_deadline(const struct world *world);
void generation_take(struct world *world, size_t gateway, const struct terms *terms); /* a commit has come */
void generation_hold(struct world *world, size_t gateway);

/* floor.c: the revocation floor, as it is told and heard */
void floor_rise(struct world *world, size_t controller, uint64_t floor);
void floor_learn(struct world *world, size_t controller, const struct message *beat);
void floor_tell(struct world *world, size_t gateway);
void floor_start(struct world *world, size_t gateway);
void floor_take(struct world *world, size_t gateway, uint64_t told, bool confirms);
void floor_fill(const struct world *world, size_t host, struct message *message);
void controller_floor(struct world *world, size_t controller); /* controller.c */

/* revoked.c: S7 and L5 */
void revoked_takes(struct world *world, size_t gateway);
void revoked_adopts(struct world *world, size_t gateway);
void revoked_restored(struct world *world);
void revoked_check(struct world *world, int64_t ms);
void revoked_settled(struct world *world);

/* sort.c: what happens in a run without a killer. */
void sort_run(struct world *world);

/* schedule.c: one run, of all sorts or, with a killer, of that one. 0, or 1 with the failure. */
enum mode { MODE_OF_SEED, MODE_HOLD, MODE_FENCE };
struct schedule {
	uint64_t seed;
	enum mode mode;
	const char *killer; /* NULL: of all sorts */
	bool verbose, every_ms;
};
int schedule_run(const struct schedule *schedule, char *ret_failure, size_t size);
bool schedule_skips_nothing(
	const struct schedule *schedule); /* it ends as if every millisecond were looked at */

#endif
