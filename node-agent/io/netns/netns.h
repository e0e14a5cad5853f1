/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_NETNS_NETNS_H
#define HOLDFAST_AGENT_NETNS_NETNS_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"

/*
 * Network namespaces (network_namespaces(7)), given by a name, as ip-netns(8) keeps them in /run/netns, or by the
 * absolute path of a file that stands for one (/proc/PID/ns/net).
 *
 * A socket stays in the namespace in which it was opened, and a process starts in the one of who starts it.
 */
struct netns {
	int fd;
	uint64_t inode;  /* the kernel gives it to another when this one is gone */
	uint64_t cookie; /* never given again (SO_NETNS_COOKIE, Linux 5.14); 0: not known */
};
#define NETNS_NONE ((struct netns){.fd = -1})

/* Whether the calling thread may enter it is tried. -ENOENT: there is none of that name or path; -EINVAL: it is no
 * network namespace; -EPERM. Close it with netns_close(). */
int netns_open(const char *where, struct netns *ret_netns, struct err *err);
/* The calling thread's own. */
int netns_open_own(struct netns *ret_netns, struct err *err);
void netns_close(struct netns *netns); /* NETNS_NONE is fine, and what is left */
#define CLEANUP_NETNS __attribute__((cleanup(netns_close)))

/* Two that were both open at some time: by cookie where both know it. */
bool netns_same(const struct netns *one, const struct netns *other);

/* Is it still what is found there? Without looking into it. */
bool netns_leads_to(const char *where, const struct netns *netns);

/* The name that ip-netns(8) knows it by, with which /etc/netns/NAME is found: false if it has none. */
bool netns_name(const char *where, char name[NAME_MAX + 1]);

/* ---- being there ---- */

/* The calling thread is there until it leaves; a thread that cannot come back aborts. */
struct netns_visit {
	int back_fd; /* -1: not away */
};
int netns_enter(const struct netns *netns, struct netns_visit *ret_visit, struct err *err);
void netns_leave(struct netns_visit *visit);
#define CLEANUP_NETNS_VISIT __attribute__((cleanup(netns_leave)))

/* For a child before it executes a program: a mount namespace of its own with /sys of the network namespace that it is in
 * and what lies in /etc/netns/NAME over what it is called in /etc, as `ip netns exec` does it (name NULL: no such
 * files). What cannot be mounted is told on stderr. -errno: there is no mount namespace. */
int netns_unshare_mounts(const char *name);

/* ---- making ---- */

/* As `ip netns add`, and in /run/netns for others to see. -EEXIST. */
int netns_make(const char *name, struct err *err);
/* A new one without a name: it ends with the last that is in it or holds it open. */
int netns_open_fresh(struct netns *ret_netns, struct err *err);
/* As `ip netns delete`: it ends with the last that is in it. A file left of one that was never finished goes, too.
 * -ENOENT. */
int netns_delete(const char *name, struct err *err);

/* ---- who lives there ---- */

/* Is a process in it, other than the caller? Then its id and name. */
enum { NETNS_COMMAND_MAX = 16 };
bool netns_inhabitant(const struct netns *netns, pid_t *ret_pid, char command[NETNS_COMMAND_MAX]);
/* One that has lost its name but in which a process lives: as it was when it was open, its fd does not count.
 * -ENOENT. */
int netns_open_inhabited(const struct netns *lost, struct netns *ret_netns);

#endif
