/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_AGENTS_H
#define HOLDFAST_CONTROLLER_IO_AGENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/authority/lifetime.h"
#include "common/timeline/timeline.h"
#include "controller/io/agents/queue.h"
#include "proto/report.h"

struct event_base;
struct http_request;
struct http_server;

/*
 * The gateways of the fleet and the talk with their agents (docs/protocol.md): each keeps one request for instructions
 * open, and posts reports and the answers to stages. Only names in the registry are served, and only to a certificate
 * of that name. Before the first fleet every gateway with a certificate is let in, up to PROTO_GATEWAYS_MAX of them, so
 * that the first apply finds them connected and hears what they have against it.
 *
 * connected: a poll is held, or was answered less than AGENT_AGAIN_MS ago. A connection that closes with its poll ends it
 * at once; one that only falls silent (a gateway without power sends no FIN) after AGENT_SILENT_MS, since an agent reports
 * every second. An answer of megabytes (a whole generation) takes a while to arrive, and an agent neither asks nor reports while
 * it takes it in: one that was sent so much gets both times longer, by AGENT_TAKES_IN_BYTES_PER_MS, until it asks again. A stage or
 * commit counts as the whole generation however little of it travels: the agent patches, hashes, compares and loads all of it.
 */
enum {
	AGENT_POLL_MS = 20000,
	AGENT_AGAIN_MS = 2000,
	AGENT_SILENT_MS = 3500,
	AGENT_TAKES_IN_BYTES_PER_MS = 500, /* a slow line, a busy gateway: 25 s for 100,000 peers */
};

struct agents;
struct holding;

struct agent {
	char name[PROTO_NAME_MAX + 1];
	struct agents *agents;
	bool connected;
	uint64_t boot;               /* this life of the agent; 0: never heard */
	struct lifetime certificate; /* of the connection that it asked on last; all 0: none yet */
	struct queue queue;
	struct http_request *poll;
	int64_t poll_ms;          /* when it came */
	int64_t answered_ms;      /* when the last one was answered */
	int64_t takes_in_ms;      /* how long that answer may take it; 0: it has asked again */
	int64_t heard_ms;         /* when anything came */
	bool reported;            /* by this boot */
	int64_t reported_ms;      /* when the last one came */
	struct report report;     /* the last one, without its sessions */
	int64_t skew_ms;          /* its wall clock minus ours */
	int64_t tls_only_ms;      /* since when it is heard over TLS only; 0: it is not. The hooks' */
	bool tls_only_told;       /* ... and that was said */
	struct timeline moments;  /* what it told of itself; the hooks' ... */
	uint64_t moments_boot;    /* ... in that life */
	size_t generation_bytes;  /* of what it was last told to prepare, all of it; the hooks' */
	struct holding *holding;  /* what it should hold (control/holding.h); the hooks' */
	struct directory *alone;  /* its sessions in tunnels that are in no endpoint; the hooks' */
	uint64_t directory_acked; /* version of the directory that it has taken in */
	uint64_t directory_sent,
		directory_seq; /* version in the instruction on its way, and that one's seq; 0: none */
	struct unanswered_news *unanswered; /* what it was last told; NULL: nothing yet; the hooks' */
};

struct agents_hooks {
	/* New in the registry, and about to leave it (it is disconnected already). */
	void (*added)(struct agent *agent, void *context);
	void (*removed)(struct agent *agent, void *context);
	/* Its first poll of a connection or of a new boot. */
	void (*connected)(struct agent *agent, void *context);
	void (*disconnected)(struct agent *agent, void *context);
	/* A poll that acknowledged something. */
	void (*acknowledged)(struct agent *agent, uint64_t seq, void *context);
	/* *report has the sessions; agent->report is set already. */
	void (*reported)(struct agent *agent, const struct report *report, void *context);
	void (*staged)(struct agent *agent, const struct staged *staged, void *context);
	void *context;
};

/* run: this life of the controller; store: the id of its store. *hooks is copied. */
struct agents *agents_new(
	struct event_base *base, uint64_t run, uint64_t store, const struct agents_hooks *hooks);
void agents_free(struct agents *agents); /* NULL-safe */
/* The routes under /v1/agent/. */
void agents_serve(struct agents *agents, struct http_server *server);

/* From now on exactly these gateways. Agents that stay are left alone. */
void agents_set(struct agents *agents, const char *const names[], size_t count);
/* The revocation floor: told with every answer from now on. */
void agents_set_floor(struct agents *agents, uint64_t floor);
struct agent *agents_find(struct agents *agents, const char *name); /* NULL */
size_t agents_count(const struct agents *agents);
struct agent *agents_at(
	struct agents *agents, size_t index); /* index < agents_count(), in the order of names given */

/* Is a stage still to be sent to it, or may it be busy with the one that was? now_ms: monotonic. */
bool agent_takes_in(const struct agent *agent, int64_t now_ms);

/* Queue an instruction, taking over what it owns; it leaves with the held poll in this turn of the loop. */
uint64_t agent_post(struct agent *agent, struct instruction *instruction);

#endif
