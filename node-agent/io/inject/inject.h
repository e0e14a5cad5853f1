/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_IO_INJECT_H
#define HOLDFAST_IO_INJECT_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * Frames that come in by an interface of this host without having been on a wire: the kernel's test run of an XDP program
 * that passes everything (BPF_F_TEST_XDP_LIVE_FRAMES, Linux 5.18, Documentation/bpf/bpf_prog_run.rst). The program is attached
 * to nothing. The frame begins with an Ethernet header whatever the interface is; one without addresses, as a tunnel, takes
 * zeros for its own. Needs CAP_BPF and CAP_NET_ADMIN of the host, not of a user namespace.
 */
struct inject;

enum { INJECT_FRAME_MAX = 1500 };

/* -EPERM: without those rights; -EINVAL, -ENOSYS: the kernel does not do it. */
int inject_open(struct inject **ret_inject, struct err *err);
void inject_close(struct inject *inject); /* NULL-safe */

/* Into the network namespace that the caller is in. It has been through the kernel's receive path when this returns, unless
 * receive packet steering hands it to another processor. -EINVAL: the kernel does not do it, or there is no such interface. */
int inject_frame(
	const struct inject *inject, unsigned ifindex, const uint8_t *frame, size_t length, struct err *err);

#endif
