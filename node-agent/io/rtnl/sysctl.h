/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_RTNL_SYSCTL_H
#define HOLDFAST_AGENT_RTNL_SYSCTL_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/err.h"

/*
 * Kernel parameters under /proc/sys. Nothing is remembered between calls: the kernel is the truth.
 *
 * Keys are as sysctl(8) takes them: "net.ipv4.ip_forward", where a '/' stands for a dot within a name
 * ("net.ipv4.conf.eth0/100.arp_ignore"); or, if the first separator is a slash,
 * "net/ipv4/conf/eth0.100/arp_ignore". Use the second form with interface names. -EINVAL for keys that leave
 * /proc/sys or are too long.
 */
enum { SYSCTL_KEY_MAX = 256, SYSCTL_VALUE_MAX = 256 };

/* The value without white space at its ends. -ENOENT: this kernel has no such parameter (IPv6 off, device
 * gone). */
int sysctl_read(const char *key, char *value, size_t size, struct err *err);

/* Read, and write only if it differs, so that a read-only /proc does no harm where all is well already.
 * *ret_changed (may be NULL) tells whether it was written. */
int sysctl_ensure(const char *key, const char *value, bool *ret_changed, struct err *err);

/* May it be written? The file is opened and left as it is. -EROFS, -EACCES: no, with what to do. */
int sysctl_try(const char *key, struct err *err);

/* "net/FAMILY/conf/DEVICE/NAME": sysctl_device_key(key, sizeof key, "ipv4", "eth0.100", "arp_ignore").
 * Returns key. */
char *sysctl_device_key(char *key, size_t size, const char *family, const char *device, const char *name);

#endif
