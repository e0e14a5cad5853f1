/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_AGENT_FLOWS_INT_H
#define HOLDFAST_AGENT_FLOWS_INT_H

#include "common/io/http_client.h"
#include "node-agent/core/flow/log.h"
#include "node-agent/core/flow/mirror.h"
#include "node-agent/core/flow/scope.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/agent/flows.h"
#include "node-agent/io/conntrack/conntrack.h"

#define FLOWS_PATH "/v1/pool/flows"
#define FLOWS_TYPE "application/vnd.holdfast.flows"

enum {
	FLOWS_LOOK_MS = 30000, /* a look at all entries, should news have been missing */
	FLOWS_GATHER_MS = 10,  /* of news, before they are told: an answer for many */
	FLOWS_HOLD_MS =
		5000, /* of a question that has no answer yet: so long a blocked port is not noticed */
	FLOWS_TLS_MS = 3600000, /* certificates are read anew */
};

struct flow_waiter; /* flows_serve.c */

/* Of one seat. As an owner it has a log, as a standby a mirror and a source. */
struct seat_flows {
	struct agent_seat *seat;
	struct flow_scope *scope;
	uint64_t scope_generation;

	struct flow_log *log; /* NULL: this gateway does not serve */
	bool looking;         /* the look under way began with this log */
	struct flow_waiter *waiters;
	struct event *gather;
	struct event *loosen; /* while it hosts a guest */
	uint64_t loosened_run, loosened;

	struct flow_mirror *mirror;
	char source[PROTO_NAME_MAX + 1]; /* who serves, as was heard last; "": nobody yet */
	struct epoch source_epoch;
	struct http_client *client; /* to the source */
	struct http_transfer *transfer;
	size_t failures;            /* to reach it, since it is the source: each leads to its next address */
	int64_t heard_ms;           /* when the source answered last; 0: it has not */
	char failure[ERR_TEXT_MAX]; /* of the last question; "": it was answered */
	struct flow_ops ops;        /* to be done; from ops_done on */
	size_t ops_done;
	struct event *work;
	bool sweep_wanted; /* the mirror has become whole: what else the kernel holds of the endpoint goes ... */
	bool sweeping;     /* ... as the look under way finds it */
};

struct flows {
	struct agent *agent;
	struct conntrack *conntrack;
	struct conntrack_watch *watch;
	struct event *watch_event;
	bool look_wanted, looking;
	int64_t looked_ms;

	struct addr *own; /* of all interfaces */
	size_t own_count;

	struct http_server *server; /* NULL: not open */
	size_t address_count;
	struct addr addresses[2]; /* it listens on */
	int64_t tls_ms;           /* since when its certificate is in use */

	uint64_t loaded, refused;
};

struct seat_flows *flows_of(struct agent_seat *seat); /* makes it; NULL: nothing is mirrored here */
/* It serves, or still has the sessions of one who did. */
bool flows_is_source(const struct agent_seat *seat);

/* ---- flows_serve.c ---- */
void flows_serve_second(struct flows *flows);
void flows_serve_close(struct flows *flows);
/* The log has news. */
void flows_tell_soon(struct seat_flows *of);
/* Whoever waits is told that there is nothing (any more). */
void flows_dismiss(struct seat_flows *of);

/* ---- flows_loosen.c ---- */
void flows_loosen_end(struct seat_flows *of);

/* ---- flows_mirror.c ---- */
void flows_mirror_second(struct seat_flows *of);
/* A look at the kernel: is this one of the owner's? */
void flows_mirror_check(struct seat_flows *of, const struct flow *flow);
/* Not all that was told is in the kernel so far. */
bool flows_mirror_is_busy(const struct seat_flows *of);
void flows_mirror_end(struct seat_flows *of);

#endif
