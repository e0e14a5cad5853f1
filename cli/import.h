/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CLI_IMPORT_H
#define HOLDFAST_CLI_IMPORT_H

#include "cli/conf_notes.h"
#include "common/base/text.h"
#include "node-agent/core/quick/allowed.h"

/* A wg-quick file of one gateway, read. */
struct import_source {
	const char *file; /* as the person named it */
	char gateway[PROTO_NAME_MAX + 1];
	char tunnel[PROTO_INTERFACE_MAX + 1];
	struct quick_config config; /* has a private key */
	struct quick_allowed allowed;
	struct key public_key;
	struct conf_notes notes;
};

/* A key that belongs into a file of its own, beside the fleet file and on the gateways beside agent.yaml. */
struct import_key {
	char *path;            /* "wg0.key", "psk/alice"; owned */
	const struct key *key; /* of a source: not owned; secret */
};

struct import_result {
	struct text fleet;       /* YAML; no secrets */
	struct quick_texts told; /* what is not carried over, or has to be looked at */
	struct import_key *keys; /* owned */
	size_t key_count, key_capacity;
};

/*
 * One fleet of several gateways' files: pure. A tunnel of the same name and key on several gateways is one tunnel, with
 * overrides where they differ; a peer that several files have is one peer. What a fleet file cannot say is told.
 */
void import_make(const char *label, const struct import_source *sources, size_t count,
	struct import_result *ret_result);
void import_result_clear(struct import_result *result);

#endif
