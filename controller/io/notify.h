/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_NOTIFY_H
#define HOLDFAST_CONTROLLER_IO_NOTIFY_H

/* Tell the service manager ("READY=1"), as sd_notify(3) does: one datagram to $NOTIFY_SOCKET. Without that variable,
 * nothing. 0 or -errno. */
int notify_send(const char *state);

#endif
