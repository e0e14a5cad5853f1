/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_QUICK_SIDECAR_INT_H
#define HOLDFAST_QUICK_SIDECAR_INT_H

#include "common/yaml/conf.h"
#include "node-agent/core/quick/sidecar.h"

/* The parts of quick_sidecar_read(), by subject. Each reads its keys of the root; what is absent stays as it is. */
struct quick_place quick_sidecar_place(const struct conf_node *node);
/* A path under a key, as written; the caller frees. */
int quick_sidecar_path(const struct conf_node *map, const char *key, char **ret_path, struct err *err);

int quick_sidecar_read_addresses(
	const struct conf_node *root, struct quick_sidecar *sidecar, struct err *err);
int quick_sidecar_read_peers(const struct conf_node *root, struct quick_sidecar *sidecar, struct err *err);

#endif
