/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_NAMES_INT_H
#define HOLDFAST_AGENT_NAMES_INT_H

#include "node-agent/core/resolve/resolve.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/resolver/resolver.h"

/* Inside of names.c, name_device.c and name_question.c. */

struct name {
	char tunnel[PROTO_INTERFACE_MAX + 1];
	struct key public_key;
	char host[HOST_MAX + 1];
	char peer[PROTO_NAME_MAX + 1]; /* for a person */
	uint16_t port;
	bool of_fleet; /* else of a tunnel of `holdfast up` */
	uint64_t id;   /* of its questions */
	struct resolve resolve;
	struct endpoint endpoint; /* what names_endpoint() points at */
	int64_t told_ms;          /* when it became known that something is wrong; for took_ms */
	int64_t seen_ms,
		fresh_until_ms; /* what its device said: asked when, stale when; see name_observe() */
	bool keeps;             /* an answer, until its device is read ... */
	size_t kept_count;
	struct addr kept[RESOLVER_ADDRESSES_MAX]; /* ... and this is what it says */
	bool failed, resolved;                    /* ever */
};

struct names {
	struct resolver *resolver;
	struct event *answers;
	const struct desired *of; /* the generation they were taken from */
	uint64_t tunnels_version; /* ... and the tunnels */
	uint64_t next_id;
	size_t count;
	struct name *items; /* sorted by whose, tunnel and key */
	int64_t next_poll_ms;
};

/* ---- name_device.c ---- */
enum { NAMES_POLL_SHARE = 20 }; /* asking devices may take a twentieth of the loop */
/* What its device says of the peer now: stale as soon as it may be asked again. */
void name_observe(struct agent *agent, const struct name *name);
/* It is about to be read in the thread, as those of many peers are; names_take_read() tells. false: it is not. */
bool name_ask_aside(struct agent *agent, const struct name *name);
void names_observe_all(struct agent *agent);
int name_set_endpoint(struct agent *agent, const struct name *name, struct err *err);

/* ---- name_question.c ---- */
/* As core/resolve says. */
void name_act(struct agent *agent, struct name *name);
void names_act_all(struct agent *agent);
/* The device of the fleet's tunnel was read, or could not be: answers that have waited for it. */
void names_take_kept(struct agent *agent, const char *tunnel);
int names_listen(struct agent *agent, struct err *err);

#endif
