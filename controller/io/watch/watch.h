/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_WATCH_H
#define HOLDFAST_CONTROLLER_IO_WATCH_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/liveness/liveness.h"
#include "controller/io/fleet/generation.h"

struct event_base;

/* The controller's watch over all gateways: the liveness engine (UDP, on the port of the API), and echo requests to
 * kernels whose agent is silent. */
struct watch;

struct watch_hooks {
	/* before: the verdict it had. Also when only view->blocked has changed. */
	void (*verdict)(const char *gateway, const struct liveness_view *view, enum verdict_kind before,
		void *context);
	void (*beat)(const char *gateway, const struct datagram_beat *beat, void *context);
	/* Somebody's word on a silent gateway. */
	void (*silence)(const char *observer, const struct datagram_silence *silence, void *context);
	/* `isolation: fence`: a gateway asks for leave, for itself or for another. */
	void (*claim)(const char *gateway, const struct claim *claim, void *context);
	void *context;
};

/* listen: HOST:PORT as in the configuration. */
int watch_new(struct event_base *base, const char *listen, const char *name, uint64_t boot, uint64_t store,
	const struct watch_hooks *hooks, struct watch **ret_watch, struct err *err);
void watch_free(struct watch *watch); /* NULL-safe */

/* From now on exactly the gateways of this generation, at its pace. */
void watch_set_generation(struct watch *watch, const struct generation *generation);
/* The revocation floor: in every beat from now on. */
void watch_set_floor(struct watch *watch, uint64_t floor);
/* Whether people have forbidden automatic moves: likewise. */
void watch_set_frozen(struct watch *watch, bool frozen);
/* An agent spoke over TLS. */
void watch_hear_tls(struct watch *watch, const char *gateway);
/* To that gateway, for itself or to be passed on. One that is not known any more gets none. */
void watch_send_grant(struct watch *watch, const char *gateway, const struct grant *grant);
/* -ENOENT */
int watch_view(const struct watch *watch, const char *gateway, struct liveness_view *ret_view);
struct liveness_counters watch_counters(const struct watch *watch);

#endif
