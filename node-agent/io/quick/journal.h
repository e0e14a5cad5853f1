/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_JOURNAL_H
#define HOLDFAST_AGENT_QUICK_JOURNAL_H

#include <jansson.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/json/read.h"
#include "node-agent/core/plan/plan.h"
#include "node-agent/core/quick/config.h"
#include "node-agent/core/quick/target.h"

/* What is ours of a tunnel, written down before it is made. */

struct quick;

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

#endif
