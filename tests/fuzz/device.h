/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_TESTS_FUZZ_DEVICE_H
#define HOLDFAST_TESTS_FUZZ_DEVICE_H

#include "node-agent/io/wireguard/wireguard.h"

/* What holds for every device that was read, whoever told of it. */
void device_check(const struct wg_device *device);

/* The change that makes a device such a one, borrowed from it. device_change_clear() frees the peers. */
struct wg_change device_change(const struct wg_device *device);
void device_change_clear(struct wg_change *change);

/* Are they the same, as far as a change can say it? */
void device_check_same(const struct wg_device *a, const struct wg_device *b);

#endif
