/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_FORWARD_H
#define HOLDFAST_QUICK_FORWARD_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/addr.h"
#include "common/base/err.h"
#include "common/yaml/conf.h"

/* `forward:` of a sidecar: the fleet file's, with names of interfaces for roles, and the address to translate to, since
 * there is no endpoint whose inside address that could be. */
enum { QUICK_SNAT_MAX = 16 }; /* of each kind; as PROTO_ADDRESSES_MAX */

struct quick_snat {
	struct prefix from; /* masked */
	char interface[IFNAMSIZ];
	struct addr to; /* family 0: an address of the interface (masquerade) */
};

struct quick_forward {
	bool is_wanted; /* the kernel shall forward */
	bool drop;      /* new connections, both ways */
	bool clamp_mss;
	struct quick_snat snat[2 * QUICK_SNAT_MAX];
	size_t snat_count;
};

/* `node`: the value of the key; NULL: there is none. -EINVAL with the place of the first mistake, -E2BIG over a limit. */
int quick_forward_read(const struct conf_node *node, struct quick_forward *ret_forward, struct err *err);

/* Does it say something of this family by itself? */
bool quick_forward_translates(const struct quick_forward *forward, int family);

#endif
