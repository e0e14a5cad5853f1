/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Certificates that do not count any more. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/io/log.h"
#include "common/json/write.h"
#include "controller/io/api/access.h"
#include "controller/io/api/api.h"
#include "controller/io/api/body.h"
#include "controller/io/api/waiting.h"
#include "controller/io/controller.h"

enum { REVOKE_BODY_MAX = 4096 };

struct revoke {
	struct controller *controller;
	struct waiting waiting;
	struct store_revocation revocation;
};

const char *revoke_refuses(const struct http_peer *peer, void *context)
{
	const struct controller *controller = context;
	int64_t until_ms = revocations_until(&controller->joining.revocations, &peer->identity);
	if (peer->certificate_end_ms <= clock_wall_ms())
		return "this certificate has expired since the connection was made";
	return until_ms && peer->certificate_start_ms <= until_ms /* some are dated 1970 */
		       ? "this certificate has been revoked: another must be made for that name"
		       : NULL;
}

static void put_revocation(json_t *json, const struct store_revocation *revocation)
{
	jput_text(json, "kind", tls_kind_text(revocation->whose.kind));
	jput_text(json, "name", revocation->whose.name);
	jput_i64(json, "revoked_ms", revocation->wall_ms);
	jput_text(json, "by", revocation->who);
}

static char *revoke_text(const struct revoke *revoke)
{
	const struct store_revocation *revocation = &revoke->revocation;
	bool in_fleet = revocation->whose.kind == TLS_KIND_GATEWAY &&
			generation_find(revoke->controller->current, revocation->whose.name);
	json_t *json = json_object();
	put_revocation(json, revocation);
	jput_bool(json, "in_fleet", in_fleet);
	char *text = json_compact(json, NULL);
	json_decref(json);
	return text;
}

static int write_revocation(struct store *store, void *context, struct err *err)
{
	const struct store_revocation *revocation = &((const struct revoke *)context)->revocation;
	int r = 0;
	if (revocation->whose.kind == TLS_KIND_GATEWAY)
		r = store_remove_invitation(store, revocation->whose.name, NULL, revocation->wall_ms, err);
	return r < 0 ? r : store_revoke(store, revocation, err); /* last: what failed is not on the disk */
}

static void tell(const struct revoke *revoke)
{
	const struct store_revocation *revocation = &revoke->revocation;
	const char *kind = tls_kind_text(revocation->whose.kind), *name = revocation->whose.name;
	char text[PROTO_NAME_MAX + STORE_WHO_MAX + 96];
	snprintf(text, sizeof text, "certificates of %s %s do not count any more (by %s)", kind, name,
		revocation->who);
	log_notice("api", "revoked", log_text("kind", kind), log_text("name", name),
		log_text("by", revocation->who));
	journal_add(revoke->controller->journal, &(struct journal_entry){.event = "revoked", .text = text});
}

static void put_in_force(const struct revoke *revoke)
{
	struct controller *controller = revoke->controller;
	struct joining *joining = &controller->joining;
	revocations_put(&joining->revocations, &revoke->revocation);
	if (revoke->revocation.whose.kind == TLS_KIND_GATEWAY)
		invitations_remove(&joining->invitations, revoke->revocation.whose.name);
	joining_welcome(controller);
	if (controller->api) /* or the daemon is ending */
		http_server_recheck(controller->api);
}

static void on_written(void *context, int r, const struct err *err)
{
	struct revoke *revoke = context;
	if (r < 0) {
		waiting_fail(&revoke->waiting, "api", "revocation-not-stored", err);
	} else {
		tell(revoke);
		put_in_force(revoke);
		waiting_reply(&revoke->waiting, revoke_text(revoke));
	}
	free(revoke);
}

/* Who revokes himself would not hear how it ended, and a fleet without an admin is one nobody meant. */
static bool is_oneself(const struct http_request *request, const struct tls_identity *whose)
{
	const struct http_peer *peer = http_request_peer(request);
	return peer->kind == HTTP_PEER_TLS && peer->identity.kind == whose->kind &&
	       strcmp(peer->identity.name, whose->name) == 0;
}

static void start(struct controller *controller, struct http_request *request,
	const struct tls_identity *whose, const char *who)
{
	struct revoke *revoke = mem_new(1, sizeof *revoke);
	revoke->controller = controller;
	revoke->revocation.whose = *whose;
	revoke->revocation.wall_ms = clock_wall_ms();
	text_copy(revoke->revocation.who, sizeof revoke->revocation.who, who);
	waiting_begin(&revoke->waiting, request, controller->writer,
		&(struct writer_job){.write = write_revocation, .done = on_written, .context = revoke});
}

static bool is_full(const struct revocations *revocations, const struct tls_identity *whose)
{
	return revocations->count >= REVOCATIONS_MAX && !revocations_until(revocations, whose);
}

static void handle_post(struct http_request *request, void *context)
{
	struct controller *controller = context;
	char who[STORE_WHO_MAX + 1];
	struct tls_identity whose = {0};
	struct err err = {0};
	if (!access_allowed(request, &controller->config, who))
		return;
	if (body_read_whose(request, &whose, &err) < 0)
		http_reply_problem(request, 400, "%s", err.text);
	else if (is_oneself(request, &whose))
		http_reply_problem(request, 409,
			"this is your own certificate: another admin, or root on the controller's host, can "
			"revoke "
			"it");
	else if (is_full(&controller->joining.revocations, &whose))
		http_reply_problem(
			request, 409, "%d names are revoked: there is no room for more", REVOCATIONS_MAX);
	else
		start(controller, request, &whose, who);
}

static void handle_get(struct http_request *request, void *context)
{
	struct controller *controller = context;
	const struct revocations *revocations = &controller->joining.revocations;
	char who[STORE_WHO_MAX + 1];
	if (!access_allowed(request, &controller->config, who))
		return;
	json_t *json = json_object(), *list = jput_array(json, "revocations");
	for (size_t i = 0; i < revocations->count; i++)
		put_revocation(jput_object(list, NULL), &revocations->items[i]);
	http_reply_json(request, 200, json_compact(json, NULL));
	json_decref(json);
}

void revoke_serve(struct controller *controller, struct http_server *server)
{
	const struct http_route routes[] = {
		{.methods = HTTP_GET, .path = "/v1/revocations", .handle = handle_get, .context = controller},
		{.methods = HTTP_POST,
			.path = "/v1/revocations",
			.body_max = REVOKE_BODY_MAX,
			.handle = handle_post,
			.context = controller},
	};
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		http_server_route(server, &routes[i]);
}
