/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_NETNS_NETNS_INT_H
#define HOLDFAST_AGENT_NETNS_NETNS_INT_H

#include "node-agent/io/netns/netns.h"

/* Inside hf_agent_netns. ip-netns(8)'s directory, where a namespace is a file that it is mounted on. */
#define NETNS_DIRECTORY "/run/netns"
enum { NETNS_PATH_MAX = sizeof(NETNS_DIRECTORY) + 1 + NAME_MAX };

/* -EINVAL: that is no name. */
int netns_path(const char *name, char path[NETNS_PATH_MAX], struct err *err);
int netns_open_path(const char *path, struct netns *ret_netns, struct err *err);

#endif
