/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_PROBE_H
#define HOLDFAST_IO_PROBE_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/addr.h"
#include "common/base/err.h"

/*
 * Does a kernel on this segment answer for an address? ARP requests (RFC 826, RFC 5227) and neighbour solicitations
 * (RFC 4861) by packet sockets: they work towards addresses that are also ours (a virtual address is local on every
 * member of its pool) and through our own fence. For ICMP see common/icmp/icmp.h.
 */
struct probe;

enum { PROBE_FDS = 2 };

struct probe_answer {
	struct addr address; /* who was asked for */
	unsigned interface;  /* index */
	uint8_t mac[6];      /* of the one that answered */
	int64_t received_us; /* CLOCK_MONOTONIC, from the kernel's time stamp of the packet */
};

int probe_open(struct probe **ret_probe, struct err *err); /* needs CAP_NET_RAW */
void probe_close(struct probe *probe);                     /* NULL-safe */

/* Sockets to watch for reading: of ARP and of ND. On either: probe_read() until it says 0. Only answers wake them, a
 * filter in the kernel drops the rest. */
void probe_fds(const struct probe *probe, int ret_fds[PROBE_FDS]);

/* Ask once, without blocking. source: an own address on that interface, of the same family; without a family: asks as
 * RFC 5227 probes and duplicate address detection do, naming no sender (answers to those may come by multicast).
 * Errors as announce_send(); -EAFNOSUPPORT for another family. */
int probe_send(
	struct probe *probe, const char *interface, const struct addr *address, const struct addr *source);

/* 1: an answer; 0: none is waiting; -errno. Answers by this host itself never count. */
int probe_read(struct probe *probe, struct probe_answer *ret_answer);

#endif
