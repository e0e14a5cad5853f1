/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_ICMP_STAMP_H
#define HOLDFAST_ICMP_STAMP_H

#include <stdint.h>
#include <sys/socket.h>

/* Room for the control message of one time stamp (SO_TIMESTAMPNS, socket(7)). */
enum { STAMP_CONTROL_BYTES = 64 };

/* Ask the kernel to stamp what arrives. 0 or -errno. */
int stamp_enable(int fd);

/*
 * When a message arrived, in microseconds of CLOCK_MONOTONIC. The kernel stamps in wall time: the age of the stamp is
 * taken off the present. Without a stamp, or with one that a clock which was set meanwhile makes senseless: now.
 */
int64_t stamp_received_us(const struct msghdr *message);

#endif
