/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_DECISIONS_H
#define HOLDFAST_CONTROLLER_IO_DECISIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controller/core/ownership/ownership.h"
#include "controller/io/journal/journal.h"
#include "proto/report.h"

struct event_base;

/*
 * Who owns what: the ownership machine of every endpoint, fed with what gateways say and what liveness finds, and its
 * actions carried out. From a verdict to the order there is no disk and no wait: the order is queued first, the log and
 * the journal come after.
 */
enum {
	DECISIONS_RESULT_MS = 15000, /* a taker that has not reported its result by then will not */
	DECISIONS_WISH_MS = 15000,   /* so long a person waits for a move or a drain */
};

struct decisions;

struct decisions_hooks {
	void (*order)(const char *gateway, const struct order *order, void *context);
	/* An owner was named, for the first time under this epoch; may be NULL. */
	void (*decided)(const struct order *order, void *context);
	/* `fence`: sign this claim, and send it back to the gateway that it came from. */
	void (*grant)(const char *via, const struct claim *claim, void *context);
	/* This term must be on disk before it is used: decisions_claimed() says that it is. */
	void (*claim)(uint32_t term, void *context);
	void *context;
};

struct decisions_endpoint {
	struct ownership_config config;
	size_t tunnel_count;
	char tunnels[PROTO_TUNNELS_MAX][PROTO_INTERFACE_MAX + 1];
};

/* The journal must outlive it; *hooks is copied. */
struct decisions *decisions_new(struct event_base *base, struct journal *journal, uint32_t stored_term,
	const struct decisions_hooks *hooks);
void decisions_free(struct decisions *decisions); /* people who wait are told nothing; NULL-safe */
/* Claims the first term. */
void decisions_start(struct decisions *decisions);

void decisions_claimed(struct decisions *decisions, uint32_t term, bool on_disk);

/* A new generation. Endpoints and members are matched by name; tell verdicts and reports again afterwards. */
void decisions_set_endpoints(
	struct decisions *decisions, const struct decisions_endpoint *endpoints, size_t count);
void decisions_set_frozen(struct decisions *decisions, bool frozen);
bool decisions_is_frozen(const struct decisions *decisions);
/* Of any gateway, in the fleet or not. */
void decisions_set_drained(struct decisions *decisions, const char *gateway, bool drained);
bool decisions_is_drained(const struct decisions *decisions, const char *gateway);

void decisions_seat(struct decisions *decisions, const char *gateway, const struct seat_state *seat);
/* A member of the pool reports whom it heard serve last. */
void decisions_relayed(struct decisions *decisions, const char *via, const struct hearsay *heard);
void decisions_verdict(
	struct decisions *decisions, const char *gateway, enum verdict_kind verdict, int64_t last_sign_ms);
/* Its own word: fit or why not, and what impairs it, with every report. obstacle (NULL: none): what keeps a fit gateway from taking over,
 * but makes an owner that serves no worse: it is not connected, or lacks the newest generation. */
void decisions_fitness(
	struct decisions *decisions, const char *gateway, const struct report *report, const char *obstacle);
/* Which generation it holds, by its own word, and the revocation floor, which never falls. */
void decisions_generation(struct decisions *decisions, const char *gateway, uint64_t generation);
void decisions_set_floor(struct decisions *decisions, uint64_t floor);
/* It reports that it holds the newest generation. */
void decisions_holds(struct decisions *decisions, const char *gateway);
/* `fence`: may these follow the present ones? -EBUSY: the last change of an endpoint's gateways or lease has not settled,
 * so nobody would know on which terms it is served; -ENOTSUP: none of its gateways would stay. err says which, and what to do. */
int decisions_check(const struct decisions *decisions, const struct decisions_endpoint *endpoints,
	size_t count, struct err *err);
/* Its own word, with every report: is its host about to go down? */
void decisions_leaving(struct decisions *decisions, const char *gateway, bool leaving);
/* `fence`: a claim came in by way of `via`: the gateway that asks, or a member of its pool that passes it on. */
void decisions_claim(struct decisions *decisions, const char *via, const struct claim *claim);
uint64_t decisions_grant_count(const struct decisions *decisions); /* since the start */
void decisions_takeover(struct decisions *decisions, const char *gateway, const struct takeover *takeover);
/* The standing orders that concern a gateway, once more, but for those that it would have to refuse. */
void decisions_repeat_orders(struct decisions *decisions, const char *gateway);

size_t decisions_count(const struct decisions *decisions);
const struct ownership *decisions_ownership(const struct decisions *decisions, size_t index);
const struct decisions_endpoint *decisions_endpoint(const struct decisions *decisions, size_t index);
const struct ownership *decisions_find(const struct decisions *decisions, const char *endpoint); /* NULL */
/* The endpoint that a tunnel belongs to; NULL. */
const struct ownership *decisions_of_tunnel(const struct decisions *decisions, const char *tunnel);
bool decisions_owns(const struct decisions *decisions, const struct ownership *endpoint, const char *gateway);
/* Since when (monotonic) it has had its present owner. */
int64_t decisions_owned_since(const struct decisions *decisions, size_t index);
uint32_t decisions_term(const struct decisions *decisions);
uint64_t decisions_order_count(const struct decisions *decisions); /* owners named since the start */

/*
 * What people wish for and wait for. done() is called once: r 0; or -errno with a sentence. Never from inside the call
 * that makes the wish.
 */
struct wish;

typedef void wish_done(int r, const char *text, void *context);

/* *ret_wish is NULL when there is nothing to wait for (r is -EALREADY: the target owns it). Other errors: not possible,
 * err says why. */
int decisions_move(struct decisions *decisions, const char *endpoint, const char *to, wish_done *done,
	void *context, struct wish **ret_wish, struct err *err);
/* Until a gateway owns nothing any more. Call decisions_set_drained() first. */
struct wish *decisions_await_drained(
	struct decisions *decisions, const char *gateway, wish_done *done, void *context);
void wish_cancel(struct wish *wish);

#endif
