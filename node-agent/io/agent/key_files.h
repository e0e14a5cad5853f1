/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_KEY_FILES_H
#define HOLDFAST_AGENT_KEY_FILES_H

#include <sys/stat.h>

#include "common/base/key.h"
#include "proto/limits.h"

/*
 * A tunnel's key file is read when a generation is taken and when a device is made, which may be months later, at a
 * takeover. One that was removed or replaced meanwhile is told at once: it is looked at each second, and read when it is
 * another.
 */
struct key_file {
	char tunnel[PROTO_INTERFACE_MAX + 1];
	struct key public_key; /* that it shall have */
	struct stat seen;      /* as it was when it was read */
	char failure[PROTO_REASON_MAX + 1];
};

struct key_files {
	size_t count;
	struct key_file items[PROTO_TUNNELS_MAX];
};

#endif
