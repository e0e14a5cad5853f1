/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_WIREGUARD_USERSPACE_SETTINGS_H
#define HOLDFAST_AGENT_WIREGUARD_USERSPACE_SETTINGS_H

#include <stddef.h>

/*
 * What some userspace WireGuards are set by: variables of our environment that begin with WG_, such as boringtun's WG_SUDO,
 * which wg-quick hands on with all others. WG_TUN_FD and WG_UAPI_FD are not among them, for no file is handed on.
 */

/* `before` empty places, then the variables, "NAME=value", then NULL. The caller frees the array; the texts are the
 * environment's. */
char **userspace_settings(size_t before);

#endif
