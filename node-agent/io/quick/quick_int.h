/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_INT_H
#define HOLDFAST_AGENT_QUICK_INT_H

#include <limits.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/json/read.h"
#include "node-agent/core/plan/plan.h"
#include "node-agent/core/quick/allowed.h"
#include "node-agent/core/quick/config.h"
#include "node-agent/core/quick/rules.h"
#include "node-agent/core/quick/sidecar.h"
#include "node-agent/core/quick/target.h"
#include "node-agent/io/netns/netns.h"
#include "node-agent/io/nft/nft.h"
#include "node-agent/io/quick/quick.h"
#include "node-agent/io/rtnl/address.h"
#include "node-agent/io/rtnl/batch.h"
#include "node-agent/io/rtnl/link.h"
#include "node-agent/io/rtnl/route.h"
#include "node-agent/io/rtnl/rtnl.h"
#include "node-agent/io/wireguard/wireguard.h"

/* ---- journal: what is ours ---- */

enum quick_stage {
	QUICK_STAGE_NONE,
	QUICK_STAGE_MAKING,
	QUICK_STAGE_UP,
	QUICK_STAGE_REMOVING,
	QUICK_STAGE_ADOPTING,  /* it runs, and passes from wg-quick's hands to ours */
	QUICK_STAGE_RELEASING, /* and back */
};
enum quick_dns {
	QUICK_DNS_NONE,
	QUICK_DNS_RESOLVCONF,
	QUICK_DNS_RESOLVED,
	QUICK_DNS_FILE,
	QUICK_DNS_NAMESPACE
};
enum { QUICK_LEFT_OUT_MAX = 1024, QUICK_RULES_MAX = 8, QUICK_DNS_NAME_MAX = 63, QUICK_SYSCTL_MAX = 15 };

enum quick_parameter { QUICK_VALID_MARK, QUICK_FORWARD4, QUICK_FORWARD6, QUICK_PARAMETERS };
struct quick_parameter_note {
	bool needed;
	char before[QUICK_SYSCTL_MAX + 1]; /* as it was before us; "": not changed */
};

/* A route to an endpoint around the tunnel: what tells it from all others. */
struct quick_host_route {
	struct prefix to;
	uint32_t table, metric;
};

/* A network namespace, as it was. */
struct quick_journal_space {
	char *where;            /* as NAME.yaml said; owned; NULL: where the command ran */
	uint64_t inode, cookie; /* of struct netns; 0: it was not there yet */
};

/* Name servers, as they were set. */
struct quick_dns_state {
	enum quick_dns way;
	char name[QUICK_DNS_NAME_MAX +
		  1]; /* resolvconf's name for it; of the namespace's file what we made */
	char *text;   /* what it was told; owned; NULL: nothing */
};

struct quick_journal {
	enum quick_stage stage;
	char name[IFNAMSIZ];
	bool link;            /* we make it, or have made it */
	unsigned ifindex;     /* of the link, once it is there; 0 */
	uint32_t mark;        /* chosen by us; 0: none */
	uint16_t listen_port; /* as it came up */
	bool firewall;
	bool forwards, silent;     /* what the sidecar said: its part of the firewall */
	unsigned firewall_without; /* of enum firewall_part: what this kernel cannot do */
	size_t rule_count;
	struct plan_rule rules[QUICK_RULES_MAX];
	bool foreign; /* rules and tables may be wg-quick's: not known to be ours by protocol and comment */
	struct quick_host_route *host_routes; /* owned */
	size_t host_route_count, host_route_capacity;
	struct quick_dns_state dns;
	struct quick_parameter_note parameters[QUICK_PARAMETERS];
	struct quick_memory memory;
	/* What PostUp took away or changed of what we had made: it stays so. */
	struct quick_texts left_out; /* operations */
	uint32_t mtu_left;           /* 0: it did not touch that */
	bool firewall_left;
	struct quick_journal_space target, birth; /* of the interface and of its socket */
	bool made_target;                         /* we make it, or have made it */
	bool loopback;                            /* set up by us, in target */
	bool program;                             /* the device is made by one */
	bool in_birth;                            /* and may still be where it was made */
};

/* ---- one command ---- */

/* Where it works: see spaces.c. A network namespace that has no fd is the one that we were called in. */
struct quick_spaces {
	struct netns here, target, birth;
	bool missing, birth_missing;                       /* not there yet, or no longer */
	bool apart;                                        /* target and birth are two */
	bool elsewhere;                                    /* target is not simply where we were called */
	char name[NAME_MAX + 1], birth_name[NAME_MAX + 1]; /* of ip-netns(8); "": none */
	struct netns_visit visit;                          /* to target, as long as we work */
	struct rtnl *birth_rtnl;                           /* if apart */
};
#define QUICK_SPACES_NONE       \
	((struct quick_spaces){ \
		.here = {.fd = -1}, .target = {.fd = -1}, .birth = {.fd = -1}, .visit = {.back_fd = -1}})

struct quick {
	const struct quick_options *options;
	struct err *err;
	int status; /* of a hook or program that failed; 0: none did */
	char name[IFNAMSIZ];
	char path[PATH_MAX]; /* of the file, resolved */
	char *text;          /* of the file; wiped */
	size_t size;
	char sidecar_path[PATH_MAX]; /* NAME.yaml beside the file as it was given; need not be there */
	char *sidecar_text;          /* NULL: it is not */
	size_t sidecar_size;
	struct quick_config config;
	struct quick_sidecar sidecar;
	struct quick_allowed allowed;
	struct key public_key;
	uint32_t table_number;
	struct endpoint *endpoints; /* owned; by peer of the file */

	char directory
		[PATH_MAX]; /* of journals and locks, for the network namespace that we were called in */
	char route_directory[PATH_MAX]; /* of the lock of routes, for the interface's */
	int lock_fd, route_lock_fd;
	struct quick_journal journal;
	struct rtnl *rtnl;
	struct nft *nft; /* opened when needed */
	struct wg *wg;   /* opened when needed */
	bool device_known;
	struct wg_device device; /* as it was read last; see quick_read_device() */
	struct quick_spaces spaces;

	int signal_fd;
	int signal;                    /* that asked us to stop; 0 */
	bool undoing;                  /* signals no longer stop us */
	struct quick_keeping *keeping; /* what is made is kept, by no command; NULL: a command works */
	int child_timeout_ms;          /* 0: programs may take their time */
};

void quick_say(const struct quick *quick, enum quick_word word, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* ---- find.c, names.c: the file and the names in it. Nothing is changed. ---- */
int quick_find(struct quick *quick);
void quick_warn_if_open(const struct quick *quick, const char *path); /* to the world */
int quick_load(struct quick *quick); /* finds, reads, checks; says the warnings */
int quick_load_for_down(struct quick *quick);
int quick_resolve_names(struct quick *quick);
int quick_service_port(const char *name, uint16_t *ret_port); /* a number, or of /etc/services; -ENOENT */

/* ---- sidecar.c: NAME.yaml ---- */
/* Reads it, if it is there, and the key files that it names, and completes quick->config. */
int quick_load_sidecar(struct quick *quick);

/* ---- spaces.c: the network namespaces of the interface and of its socket ---- */
/* Be in the interface's, with quick->rtnl: as the files say, or as the journal does, if there is one. What is not there
 * is no error yet. */
int quick_enter_as_asked(struct quick *quick);
int quick_enter_as_made(struct quick *quick);
int quick_spaces_settle(struct quick *quick); /* after quick->spaces changed */
void quick_spaces_leave(struct quick *quick);
void quick_spaces_note(struct quick *quick);        /* in the journal */
void quick_spaces_note_made(struct quick *quick);   /* there, which the target is that it has the name of */
int quick_require_spaces(struct quick *quick);      /* -ENOENT: they are not there, and not ours to make */
int quick_require_same_spaces(struct quick *quick); /* -EBUSY: the files say others than the journal */
bool quick_is_elsewhere(const struct quick *quick);
bool quick_is_here(const struct quick *quick);  /* interface and socket both, where we were called */
int quick_target_fd(const struct quick *quick); /* -1: where the socket is */
/* For what is the socket's: where it is, and routing netlink there. */
int quick_visit_birth(struct quick *quick, struct netns_visit *ret_visit);
struct rtnl *quick_birth_rtnl(const struct quick *quick);
int quick_live_in_birth(const struct quick *quick, struct err *err); /* for a child, from now on */

/* ---- namespace.c: the interface's, made if it is not there ---- */
int quick_make_namespace(struct quick *quick); /* and its loopback set up */
int quick_undo_loopback(struct quick *quick);
/* The last thing of all, if we made it, and with the journal: only if nobody lives there. */
int quick_remove_namespace(struct quick *quick);

/* ---- lock.c: -EINTR if a signal came first ---- */
int quick_lock(struct quick *quick);
void quick_unlock(struct quick *quick);  /* both */
int quick_try_lock(struct quick *quick); /* -EAGAIN: a command has it */
/* Marks, tables and parameters of the kernel are chosen and used under one lock for all interfaces of the namespace. */
int quick_lock_routes(struct quick *quick);
void quick_unlock_routes(struct quick *quick);

/* ---- journal.c ---- */
int quick_journal_read(struct quick *quick); /* stage NONE if there is none */
/* Under the lock of routes, which is taken unless it is held. What others can hand over (parameters, what was done to the
 * namespace) is taken back, too, with that lock only, and written before it is let go. */
int quick_journal_write(struct quick *quick);
void quick_journal_remove(struct quick *quick); /* with the copy of the file */
void quick_journal_clear(struct quick_journal *journal);
void quick_journal_forget_left_out(struct quick_journal *journal); /* a reload makes all of it again */
/* Those of the other tunnels whose interface is in the same network namespace, until one says that it was enough; whether
 * one did. */
typedef bool quick_journal_visit(struct quick *quick, struct quick_journal *other, void *data);
bool quick_journal_visit_others(struct quick *quick, quick_journal_visit *visit, void *data);
/* Is the parameter still needed by another tunnel of this namespace? Then that one shall restore it: it is given the
 * value that we found. */
bool quick_journal_hand_over(struct quick *quick, enum quick_parameter parameter, const char *value);

/* Likewise what was done to the interface's network namespace. */
enum quick_space_part { QUICK_SPACE_LOOPBACK, QUICK_SPACE_MADE };
bool quick_journal_hand_over_space(struct quick *quick, enum quick_space_part part);
/* Under the lock of routes, which such things change hands under: what we were given since we read our journal. */
void quick_journal_take_handed(struct quick *quick);

int quick_journal_read_of(
	struct quick *quick, const char *name, struct quick_journal *ret_journal); /* another's */
int quick_journal_write_of(struct quick *quick, const struct quick_journal *journal);

/* ---- journal_json.c ---- */
json_t *quick_journal_to_json(const struct quick_journal *journal);
int quick_journal_from_json(const struct jnode *root, struct quick_journal *journal, struct err *err);

/* ---- journal_spaces.c ---- */
void quick_journal_put_spaces(json_t *root, const struct quick_journal *journal);
int quick_journal_get_spaces(const struct jnode *root, struct quick_journal *journal, struct err *err);
void quick_journal_clear_spaces(struct quick_journal *journal);

/* ---- copy.c: the file as it was read, without its secrets: what `up` was asked for ---- */
int quick_copy_write(struct quick *quick);
int quick_copy_load(struct quick *quick); /* as quick_load(); -ENOENT: there is none */
void quick_copy_remove(const struct quick *quick);

struct quick_files {
	struct quick_config config;
	struct quick_sidecar sidecar;
};
/* From now on quick has what `up` read, instead of what the files say now; false: there is no copy. Then back again. */
bool quick_files_take_made(struct quick *quick, struct quick_files *ret_now);
void quick_files_leave_made(struct quick *quick, struct quick_files *now);

/* ---- signals.c ---- */
int quick_signals_block(struct quick *quick);
void quick_signals_restore(struct quick *quick);
/* -EINTR, with status and err, if a signal asks us to stop. timeout_ms to wait for one. */
int quick_check_signal(struct quick *quick, int timeout_ms);

/* ---- child.c: programs ---- */
/* Runs to its end with `input` (NULL: our own) as its stdin. A status other than 0 is -ECHILD, in quick->status;
 * -EINTR: a signal, and the program was ended with it. */
int quick_run(struct quick *quick, const char *path, const char *const argv[], const char *input);
/* Wait for a process that leads a group of its own (or has its own pid only). */
int quick_wait(struct quick *quick, pid_t pid, bool group, int *ret_status);
bool quick_has_program(const char *name, char path[PATH_MAX]);

/* ---- supervisor.c: a program, and all that it starts, dies with us while it runs ---- */
struct quick_program {
	const char *path;
	/* Whose /etc/netns/NAME it shall see, as `ip netns exec` has it; "": of one without a name. NULL: it is where we are. */
	const char *namespace;
	char *const *words, *const *environment;
	int stdin_fd; /* -1: ours */
	bool group;   /* of its own, led by *ret_pid */
};
/* *ret_pid ends as the program does; a signal is passed on to it. -errno: it did not start. */
int quick_spawn(const struct quick_program *program, pid_t *ret_pid);
int quick_die_with(pid_t parent); /* for a child: -ESRCH: the parent is dead already */

/* ---- hook.c ---- */
int quick_hooks(struct quick *quick, enum quick_hook hook);

/* ---- resolve.c ---- */
/* Endpoints by number: those that are needed (fresh, or changed since the memory). */
int quick_resolve_endpoints(struct quick *quick, bool all);

/* ---- observe.c ---- */
struct quick_view {
	struct plan_world world; /* what of it is ours to change */
	const struct wg_device
		*device; /* borrowed; NULL: there is none. Peers of world borrow its allowed IPs */
	struct rtnl_address *addresses;
	size_t address_count;
};
int quick_observe(struct quick *quick, struct quick_view *ret_view);
void quick_view_clear(struct quick_view *view);
const struct plan_device *quick_view_device(const struct quick_view *view);
bool quick_family_works(const struct quick *quick, int family);
/* Of one family or both (0), in the kernel's order. The caller frees *ret_rules. */
int quick_list_rules(struct quick *quick, int family, struct quick_rule **ret_rules, size_t *ret_count);
bool quick_has_journalled(const struct quick *quick, const struct plan_rule *rule);
int quick_device(struct quick *quick, struct wg **ret_wg);
/* What the device holds. Reading 10,000 peers takes longer than all that is done with them, so it is read once, and again
 * after quick_forget_device(): a hook may have changed it, or what came up. Valid until then. */
int quick_read_device(struct quick *quick, const struct wg_device **ret_device);
void quick_forget_device(struct quick *quick);
/* wg_set(); what is known of the device stays known, where it can be said what the change made of it. */
int quick_set_device(struct quick *quick, const struct wg_change *change);

/* ---- up.c ---- */
/* Link, addresses and WireGuard as the file wants them. `memory`: what it said before; NULL: it comes up now. */
int quick_make_device(struct quick *quick, const struct quick_memory *memory, size_t *ret_changes);

/* ---- mtu.c ---- */
uint32_t quick_choose_mtu(struct quick *quick, uint32_t mark);

/* ---- link.c ---- */
int quick_make_link(struct quick *quick);
/* A program whose device was moved finds out within a second that it is up. */
int quick_await_program(struct quick *quick);

/* ---- apply.c ---- */
/* The operations of these kinds (a mask of 1 << enum plan_kind), in order, stopping at the first that fails. */
int quick_apply(struct quick *quick, const struct plan *plan, unsigned kinds);
/* false: it is no request to routing netlink. Exclusive: what is there already is another's, and not to be taken over. */
bool quick_batch_add(struct rtnl_batch *batch, const char *name, const struct plan_op *op);

/* ---- parameter.c ---- */
const char *quick_parameter_key(enum quick_parameter parameter);
void quick_parameters_observe(struct plan_world *world);
/* In the journal, before they are set: which are wanted, and what they are now. */
void quick_parameters_note(struct quick *quick, const struct plan_world *wanted);
enum {
	QUICK_FORWARDING = 1u << QUICK_FORWARD4 | 1u << QUICK_FORWARD6,
	QUICK_ALL_PARAMETERS = (1u << QUICK_PARAMETERS) - 1
};
unsigned quick_parameters_unneeded(
	const struct quick_journal *journal); /* a mask of 1 << enum quick_parameter */
int quick_parameters_give_back(struct quick *quick, unsigned which);
/* What is needed is set and noted once more, after it was given back. */
int quick_parameters_take_again(struct quick *quick, unsigned which);

/* ---- routing.c: what the routes of what the device holds need ---- */
struct quick_routing {
	struct quick_view view;
	struct quick_route_facts facts; /* mark and priorities are the caller's to choose */
	struct quick_routed *routed;    /* owned; of facts, as covering */
	struct prefix *covering, *rivals;
	struct addr *endpoints;
	struct quick_other *others;
};
/* `from_file`: as a device would be that was made of the file. */
int quick_routing_look(struct quick *quick, bool from_file, struct quick_routing *routing);
void quick_routing_clear(struct quick_routing *routing);
bool quick_routing_needs_mark(const struct quick_routing *routing); /* in either family */
/* wg-quick's tables for the mark that was chosen, under our name or nobody's. Free with fw_ruleset_free(). */
int quick_routing_firewall(
	struct quick *quick, const struct quick_routing *routing, bool ours, struct fw_ruleset **ret_ruleset);

/* ---- host_route.c: routes around the tunnel to its endpoints ---- */
int quick_observe_host_routes(struct quick *quick, struct plan_world *world);
/* What they depend on, if the sidecar asks for them. `ahead`: also for the endpoints that the device is about to get. */
int quick_look_around(struct quick *quick, bool ahead, struct quick_routing *routing);
void quick_note_host_routes(
	struct quick *quick, const struct plan_target *target); /* to be ours from now on, too */
void quick_settle_host_routes(struct quick *quick, const struct plan_target *target); /* no others are */
int quick_undo_host_routes(struct quick *quick);
/* Those with our protocol for host routes, whichever tunnel's. The caller frees *ret_routes. */
int quick_list_host_routes(struct quick *quick, struct plan_route **ret_routes, size_t *ret_count);
void quick_note_host_route(struct quick_journal *journal, const struct plan_route *route);
bool quick_has_host_route(const struct quick_journal *journal, const struct plan_route *route);

/* ---- route.c ---- */
int quick_make_routes(struct quick *quick);
/* Before a reload gives the device other endpoints: the ways around it to those. */
int quick_make_ways(struct quick *quick);
/* The priorities of its rules, as the journal has them; false: there are none. */
bool quick_had_rules(
	const struct quick *quick, uint8_t family, uint32_t mark, struct quick_priorities *ret_priorities);

/* ---- handover_look.c, handover_routes.c, handover.c: a running tunnel passes from wg-quick's hands to ours, or back ---- */
enum { QUICK_HANDOVER_RULES_MAX = 4 };
struct quick_handover {
	struct quick_routing routing; /* as wg-quick would: without the sidecar */
	struct quick_routed *asked;   /* owned; with it */
	size_t asked_count;
	struct plan_target target; /* routes as `up` would make them */
	struct rtnl_route *routes; /* owned; those that pass, as they are; sorted */
	size_t route_count;
	/* The rules that are there, as they are with us and with them, pair by pair. */
	struct quick_rule ours[QUICK_HANDOVER_RULES_MAX], theirs[QUICK_HANDOVER_RULES_MAX];
	size_t rule_count;
	bool has_table4, has_table6;
	bool begun; /* what is in the kernel may be either's */
};
/* journal.ifindex is known. Clear it also after an error. */
int quick_handover_look(struct quick *quick, struct quick_handover *handover);
int quick_handover_look_at_routes(struct quick *quick, struct quick_handover *handover);
bool quick_handover_has_route(const struct quick_handover *handover, const struct plan_route *route);
bool quick_is_made(const struct quick *quick, const struct rtnl_route *route);
void quick_handover_clear(struct quick_handover *handover);
/* What comes to us is as `up` made it, if a journal told, whatever the files say by now. */
int quick_handover_pass(struct quick *quick, struct quick_handover *handover, bool to_us);
/* The journal before it passes: all that may be in the kernel meanwhile; and when it is ours. */
int quick_handover_note(struct quick *quick, const struct quick_handover *handover, enum quick_stage stage);
void quick_handover_settle(struct quick *quick, const struct quick_handover *handover);
/* After a failure: to whose it was. quick->err and status survive it. To us also the name servers as they were before. */
void quick_handover_back_to_them(struct quick *quick, struct quick_handover *handover);
void quick_handover_back_to_us(
	struct quick *quick, struct quick_handover *handover, struct quick_dns_state *dns);

/* ---- differs.c ---- */
/* Warnings: where what runs is not what the file says. quick->endpoints are there. */
void quick_say_differences(struct quick *quick, const struct quick_handover *handover);

/* ---- fleet.c ---- */
int quick_require_not_agents(struct quick *quick); /* -EPERM: the tunnel is one of the fleet's */

/* ---- adopt.c ---- */
/* What runs is ours from now on, whatever of it was so before; or as it was. */
int quick_take_over(struct quick *quick);
bool quick_is_between(const struct quick *quick); /* interrupted while it passed */
int quick_require_this_link(
	struct quick *quick); /* a WireGuard interface, and the journal's, if there is one */
int quick_refuse_half(struct quick *quick);

/* ---- firewall.c ---- */
bool quick_needs_firewall(const struct quick *quick, const struct quick_routing *routing);
/* What the kernel cannot do is told and left out; but where it could not drop what it shall, -EOPNOTSUPP. */
int quick_load_firewall(struct quick *quick, const struct quick_routing *routing);
int quick_undo_firewall(struct quick *quick);
/* Of forwarding and multicast, in a table of our own. */
bool quick_has_own_table(const struct quick_journal *journal);
bool quick_wants_silence(const struct quick *quick); /* multicast: false */
/* For wg-quick, whose `down` would not: that table goes, after forwarding. If it fails, the table is as it was. */
int quick_undo_forwarding(struct quick *quick);

/* ---- dns.c ---- */
int quick_set_dns(struct quick *quick);
int quick_take_dns_away(struct quick *quick);
int quick_unset_dns(struct quick *quick);  /* what stays is told, and no failure */
void quick_guess_dns(struct quick *quick); /* as wg-quick told it to resolvconf, if that is there */
int quick_change_dns(struct quick *quick); /* on a reload: only if the file says something else now */
/* As they were set before. A warning if that cannot be. */
void quick_restore_dns(struct quick *quick, struct quick_dns_state *before);
void quick_dns_state_clear(struct quick_dns_state *state); /* none are set */
/* Are the servers still set, as far as that can be seen without asking a program? */
bool quick_dns_is_set(struct quick *quick);

/* ---- overwrite.c ---- */
/* What is in the file, changed in place: it is all there at any moment. */
int quick_overwrite(const char *path, const char *before, const char *after, struct err *err);

/* ---- dns_resolvconf.c, dns_resolved.c, dns_file.c, dns_namespace.c: the ways to set them ---- */
struct quick_dns_backend {
	int (*add)(struct quick *quick); /* as the files say */
	int (*remove)(struct quick *quick);
	bool (*has)(const struct quick *quick); /* as far as that can be seen without asking a program */
};
extern const struct quick_dns_backend quick_dns_resolvconf, quick_dns_resolved, quick_dns_file,
	quick_dns_namespace;

/* What resolvconf reads, which also tells whether the files say the same as before. The caller frees it. */
char *quick_dns_text(const struct quick_config *config, const struct quick_texts *domains);
void quick_dns_choose_name(struct quick *quick, const char *program, char name[QUICK_DNS_NAME_MAX + 1]);
bool quick_resolved_runs(char program[PATH_MAX]);
void quick_namespace_dns_note(struct quick *quick); /* what will be made of /etc/netns/NAME/resolv.conf */

/* ---- undo.c ---- */
/* All that the journal says is ours; the first failure is returned, the rest is tried. Then the journal goes, unless the
 * namespace is ours, too: quick_remove_namespace(). */
int quick_undo(struct quick *quick);
/* quick->err and status survive it. */
void quick_roll_back(struct quick *quick);

/* ---- down.c ---- */
int quick_require_device(struct quick *quick); /* -ENODEV: no WireGuard interface of that name */

/* ---- guess.c ---- */
/* For a tunnel that wg-quick brought up, or whose journal is lost: the journal that we would have had. */
int quick_guess_journal(struct quick *quick);

/* ---- keep.c, while quick->keeping ---- */
struct quick_keeping {
	bool noting;              /* do nothing: what is not as it was made, PostUp wanted so */
	uint32_t mtu, wanted_mtu; /* of the device; as it shall be */
	struct quick_kept *kept;  /* NULL: only noting */
};
void quick_keep_see(struct quick *quick, const struct quick_view *view); /* endpoints and MTU as they are */
/* What is missing of these kinds is made; nothing is removed, and one that fails does not stop the others. */
int quick_keep_apply(struct quick *quick, const struct plan *plan, unsigned kinds);
/* The mark and families that `up` made rules for. */
int quick_keep_mark(struct quick *quick, struct quick_routing *routing);
int quick_keep_host_routes(struct quick *quick, const struct plan_target *target);
int quick_keep_settled(
	struct quick *quick, const struct plan_target *target); /* those that went are not ours */
int quick_keep_firewall(struct quick *quick, const struct fw_ruleset *ruleset);
/* What of the file is not so now: PostUp, or wg-quick's user, wanted that. */
int quick_note_left_out(struct quick *quick);
bool quick_has_keeper(const struct quick *quick); /* an agent in this namespace */

/* ---- save.c ---- */
int quick_save_config(struct quick *quick);

/* ---- session.c ---- */
int quick_begin(struct quick *quick, const struct quick_options *options, struct err *err);
/* Frees; the exit status for a result. */
int quick_end(struct quick *quick, int result);

/* All that a command is made of between the two: its files are loaded, the tunnel is locked, its journal read and its
 * namespaces entered. */
struct quick_command {
	int (*load)(struct quick *quick);
	int (*may)(struct quick *quick);  /* before anything is entered; NULL: it always may */
	int (*work)(struct quick *quick); /* as what the journal says, and where the interface is */
};
int quick_session(const struct quick_options *options, const struct quick_command *command, struct err *err);

#endif
