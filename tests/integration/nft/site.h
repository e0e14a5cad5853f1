/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TEST_SITE_H
#define HOLDFAST_TEST_SITE_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Network namespaces for one test. Check runs each test in a process of its own, so they are anonymous, unseen by other
 * runs, and gone with that process however it ends.
 *
 * site_open(): the caller moves into a new namespace, the gateway. site_join() adds a peer: a namespace with a veth pair
 * to the gateway, named `here` in the gateway and eth0 in the peer.
 */
struct site {
	int gateway; /* namespace */
};

struct peer {
	int namespace;
	pid_t keeper; /* a process that lives in it */
};

struct site site_open(void);
struct peer site_join(const char *here);
void site_enter(int namespace); /* go there, and stay */
/* Stay on one processor: packets of a veth pair keep their order only within one. */
void site_keep_order(void);

/* Run a program to its end; arguments end with NULL. It must succeed. */
void run(const char *program, ...) __attribute__((sentinel));
/* Its output, the caller frees; input (may be NULL) goes to its standard input. */
char *run_with_input(const char *input, const char *program, ...) __attribute__((sentinel));
int run_status(const char *program, ...) __attribute__((sentinel)); /* quietly; its exit status */

/* Wait until the kernel hears neighbour solicitations for an IPv6 address of the interface: it joins the group some time
 * after the address was added. */
void site_await_group(const char *interface, const char *address);

void write_sysctl(const char *path, const char *value); /* below /proc/sys/net */

#endif
