/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_QUICK_SPACES_H
#define HOLDFAST_AGENT_QUICK_SPACES_H

#include <limits.h>
#include <stdbool.h>

#include "common/base/err.h"
#include "node-agent/io/netns/netns.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/rtnl/rtnl.h"

/* The network namespaces of the interface and of its socket: a command works in the interface's. */

struct quick;

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

#endif
