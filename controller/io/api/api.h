/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef HOLDFAST_CONTROLLER_IO_API_H
#define HOLDFAST_CONTROLLER_IO_API_H

#include <stdbool.h>

#include "common/io/health.h"

struct apply_request;
struct controller;
struct http_peer;
struct http_request;
struct http_server;

/* The controller's API (docs/api.md), a file for each subject. All routes need an operator (access.h). */
void api_serve(struct controller *controller, struct http_server *server);

void status_serve(struct controller *controller, struct http_server *server); /* GET /v1/status */
void fleet_serve(struct controller *controller, struct http_server *server);  /* GET, PUT /v1/fleet */
void move_serve(struct controller *controller, struct http_server *server); /* POST /v1/endpoints/NAME/move */
void setting_serve(
	struct controller *controller, struct http_server *server); /* POST drain, resume, freeze, thaw */

void history_serve(struct controller *controller,
	struct http_server *server); /* GET /v1/history, /v1/history/N, /v1/audit */
void rollback_serve(
	struct controller *controller, struct http_server *server); /* POST /v1/rollback, /v1/confirm */

void sessions_serve(struct controller *controller, struct http_server *server); /* GET /v1/sessions */
void report_serve(struct controller *controller, struct http_server *server);   /* GET /v1/report */

void invite_serve(struct controller *controller, struct http_server *server);  /* /v1/invitations */
void join_serve(struct controller *controller, struct http_server *server);    /* POST /v1/join */
void revoke_serve(struct controller *controller, struct http_server *server);  /* /v1/revocations */
void certify_serve(struct controller *controller, struct http_server *server); /* /v1/agent/certificate */
/* Why that peer is refused whatever it asks; NULL: it is not. Context is the controller. */
const char *revoke_refuses(const struct http_peer *peer, void *context);
/* TLS clients without a certificate are let in while there is an invitation, and no longer. */
void joining_welcome(struct controller *controller);

/* POST /v1/endpoints/NAME/drill; to: "" for whoever is ready. */
void drill_ask(struct controller *controller, struct http_request *request, const char *endpoint,
	const char *to, const char *who);

/* May people apply, or roll back, or is the fleet file alone what counts (fleet_file.h)? If so, the request has been answered,
 * with 409. */
bool fleet_is_open(struct controller *controller, struct http_request *request, bool rollback);
/* If-Match, if it is given, is the generation in force. If not, the request has been answered, with 412. */
bool fleet_matches(struct controller *controller, struct http_request *request);
/* apply_start(), and its result is the answer. */
void fleet_apply(struct controller *controller, struct http_request *http_request,
	const struct apply_request *request);

/* What the health listener tells; context is the controller. */
void health_collect(void *context, struct health *health);
void metrics_collect(void *context, struct text *out);

#endif
