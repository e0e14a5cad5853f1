/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_NAMES_H
#define HOLDFAST_AGENT_NAMES_H

#include "common/base/err.h"
#include "common/base/key.h"
#include "node-agent/io/device_reader/device_reader.h"

struct agent;
struct names;
struct place;

/*
 * Peers of the fleet and of `holdfast up` whose endpoint is a host's name: resolved here, off the loop (io/resolver), as core/resolve says. Their devices
 * are asked once a second, if this gateway serves them; those of many peers off the loop, too.
 */
int names_open(struct agent *agent, struct err *err);
void names_close(struct agent *agent); /* NULL-safe as to agent->names */
/* Another generation may be held, or tunnels have come or gone: names that stay keep what is known of them. */
void names_update(struct agent *agent);
void names_second(struct agent *agent);
/* A device of the fleet's was read, for whatever reason, or could not be. */
void names_take_read(struct agent *agent, const struct device_read *read);
/* Of the network namespace `place`; NULL: the agent's own. */
void names_underlay_changed(struct agent *agent, const struct place *place);
/* Where the name of the fleet's peer leads, as far as is known, or NULL; a plan_live_endpoint(). */
const struct endpoint *names_endpoint(const char *tunnel, const struct key *public_key, void *agent);
/* How many names were never resolved; *ret_name: one of them, untouched if there is none. */
size_t names_unresolved(const struct agent *agent, const char **ret_name);

#endif
