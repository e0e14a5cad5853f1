/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_CONTROLLER_H
#define HOLDFAST_CONTROLLER_IO_CONTROLLER_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/io/health.h"
#include "common/io/tls.h"
#include "common/timeline/timeline.h"
#include "controller/io/agents/agents.h"
#include "controller/io/agents/directory.h"
#include "controller/io/audit.h"
#include "controller/io/config.h"
#include "controller/io/decisions/decisions.h"
#include "controller/io/fleet/generation.h"
#include "controller/io/joining/joining.h"
#include "controller/io/journal/journal.h"
#include "controller/io/shown_certificate.h"
#include "controller/io/store/store.h"
#include "controller/io/store/writer.h"
#include "proto/datagram.h"
#include "proto/store_header.h"

struct apply;
struct confirming;
struct drill;
struct event;
struct event_base;
struct fleet_file;
struct follow;
struct http_server;
struct liveness_view;
struct own_certificate;
struct watch;

/*
 * The daemon as a whole: its parts, and what passes between them (glue.c). Parts know each other only through this and
 * their own hooks. One thread, but for the store's writer.
 */
struct controller {
	struct config config;
	struct tls_identity self; /* of its certificate */
	uint64_t run;             /* this life: of the instructions, and the boot id in datagrams */
	int64_t started_ms;
	struct event_base *base;
	struct event *signals[3], *housekeeping;
	struct store *store;
	uint64_t store_id; /* the rest of the store is the writer's */
	char store_header[STORE_HEADER_LINE_MAX];
	struct key grant_seed; /* signs grants (`isolation: fence`); wiped */
	struct writer *writer;
	struct joining joining;
	struct journal *journal;
	struct timeline moments;    /* its own: see report.h */
	struct generation *current; /* NULL: there is no fleet yet */
	uint64_t last_number; /* of a generation that was made, committed or not, or that a gateway holds */
	uint64_t floor;       /* of revocation; see floor.h */
	uint64_t newest_held; /* by any gateway, as heard: above `current`, this store is an old one */
	struct agents *agents;
	struct directory *directory;
	struct decisions *decisions;
	struct watch *watch;
	struct apply *apply; /* under way; NULL */
	struct confirming *confirming;
	struct fleet_file *fleet_file;
	struct audit_limit audit_limit;
	struct drill *drill; /* likewise */
	struct http_server *api, *health;
	struct health_source health_source;
	struct follow *follow;
	struct shown_certificate shown; /* its own, that is in use */
	struct own_certificate *own;    /* the same on the disk, and its renewal */
};

/* Everything that can fail at a start fails here, with one line that says what and where. Takes over *config. */
int controller_new(struct config *config, struct controller **ret_controller, struct err *err);
/* Until SIGTERM or SIGINT. 0, or -EIO if the loop broke. */
int controller_run(struct controller *controller);
void controller_free(struct controller *controller); /* NULL-safe */

/* glue.c: what passes between the parts. */
const struct agents_hooks *controller_agents_hooks(void); /* their context is the controller: to be set */
void controller_post_order(const char *gateway, const struct order *order, void *context);
void controller_claim(const char *gateway, const struct claim *claim, void *context);
void controller_grant(const char *via, const struct claim *claim, void *context);
void controller_claim_term(uint32_t term, void *context);
/* A generation is in force: everybody who depends on the fleet is told. Takes it over. */
void controller_install(struct controller *controller, struct generation *generation);
void controller_verdict(
	const char *gateway, const struct liveness_view *view, enum verdict_kind before, void *context);
void controller_silence(const char *observer, const struct datagram_silence *silence, void *context);
void controller_beat(const char *gateway, const struct datagram_beat *beat, void *context);

/* What keeps a gateway that says it is fit from taking over; NULL: nothing. */
const char *controller_obstacle(const struct controller *controller, const struct agent *agent);

#endif
