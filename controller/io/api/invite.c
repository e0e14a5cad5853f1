/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Invitations: one is made, and which are open. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/io/key_pair.h"
#include "common/io/log.h"
#include "common/json/write.h"
#include "controller/io/api/access.h"
#include "controller/io/api/api.h"
#include "controller/io/api/body.h"
#include "controller/io/api/waiting.h"
#include "controller/io/controller.h"

enum {
	INVITE_BODY_MAX = 4096,
};

struct invite {
	struct controller *controller;
	struct waiting waiting;
	struct store_invitation invitation;
	struct key secret;
};

/* https://HOST:PORT, if that is known here; "" if it listens at all addresses. */
static void put_address(json_t *json, const struct config *config)
{
	struct text text = {0};
	if (*config->listen != ':' && strncmp(config->listen, "0.0.0.0:", 8) != 0 &&
		strncmp(config->listen, "[::]:", 5) != 0)
		text_add(&text, "https://%s", config->listen);
	jput_text(json, "controller", text.data ? text.data : "");
	text_clear(&text);
}

static char *invite_text(const struct invite *invite)
{
	char secret[KEY_HEX_MAX], authority[KEY_HEX_MAX];
	json_t *json = json_object();
	jput_text(json, "gateway", invite->invitation.gateway);
	put_address(json, &invite->controller->config);
	jput_text(json, "authority", key_format_hex(&invite->controller->joining.authority_hash, authority));
	jput_text(json, "secret", key_format_hex(&invite->secret, secret));
	jput_i64(json, "expires_ms", invite->invitation.expires_ms);
	char *text = json_compact(json, NULL);
	mem_wipe(secret, sizeof secret);
	json_decref(json);
	return text;
}

static int write_invitation(struct store *store, void *context, struct err *err)
{
	const struct invite *invite = context;
	return store_put_invitation(store, &invite->invitation, err);
}

static void tell_invited(const struct invite *invite)
{
	char text[PROTO_NAME_MAX + STORE_WHO_MAX + 64];
	snprintf(text, sizeof text, "%s was invited to join (by %s)", invite->invitation.gateway,
		invite->invitation.who);
	log_notice("joining", "invited", log_text("gateway", invite->invitation.gateway),
		log_text("by", invite->invitation.who));
	journal_add(invite->controller->journal,
		&(struct journal_entry){
			.event = "invited", .text = text, .gateway = invite->invitation.gateway});
}

static void invite_free(struct invite *invite)
{
	key_wipe(&invite->secret);
	free(invite);
}

static void refuse_full(struct http_request *request)
{
	http_reply_problem(request, 409, "%d invitations are open: wait for some to end", INVITATIONS_MAX);
}

static void on_invited(void *context, int r, const struct err *err)
{
	struct invite *invite = context;
	struct controller *controller = invite->controller;
	if (r < 0) {
		waiting_fail(&invite->waiting, "joining", "invitation-not-stored", err);
	} else if (invitations_put(&controller->joining.invitations, &invite->invitation) >= 0) {
		tell_invited(invite);
		joining_welcome(controller);
		waiting_reply(&invite->waiting, invite_text(invite));
	} else if (invite->waiting.request) {
		refuse_full(invite->waiting.request); /* others came while it was being written */
	}
	invite_free(invite);
}

static void start_invite(struct invite *invite, struct http_request *request)
{
	key_random(&invite->secret);
	invitation_hash(&invite->secret, invite->invitation.hash);
	waiting_begin(&invite->waiting, request, invite->controller->writer,
		&(struct writer_job){.write = write_invitation, .done = on_invited, .context = invite});
}

static void handle_invite(struct http_request *request, void *context)
{
	struct controller *controller = context;
	struct err err = {0};
	uint64_t valid_ms = 0;
	char who[STORE_WHO_MAX + 1];
	if (!access_allowed(request, &controller->config, who))
		return;
	if (!joining_can_sign(&controller->joining)) {
		http_reply_problem(request, 409,
			"%s has no authority: { certificate, key }: with certificates from elsewhere, put "
			"ca.pem, the "
			"gateway's certificate and its key on the gateway, and write its agent.yaml",
			controller->config.path);
		return;
	}
	struct invite *invite = mem_new(1, sizeof *invite);
	invite->controller = controller;
	text_copy(invite->invitation.who, sizeof invite->invitation.who, who);
	int r = body_read_invitation(request, invite->invitation.gateway, &valid_ms, &err);
	invite->invitation.expires_ms = clock_wall_ms() + (int64_t)valid_ms;
	joining_welcome(controller); /* those that have ended meanwhile take no room */
	if (r >= 0 && invitations_has_room(&controller->joining.invitations, invite->invitation.gateway)) {
		start_invite(invite, request);
		return;
	}
	invite_free(invite);
	if (r < 0)
		http_reply_problem(request, 400, "%s", err.text);
	else
		refuse_full(request);
}

static void handle_list(struct http_request *request, void *context)
{
	struct controller *controller = context;
	const struct invitations *invitations = &controller->joining.invitations;
	char who[STORE_WHO_MAX + 1];
	if (!access_allowed(request, &controller->config, who))
		return;
	joining_welcome(controller); /* those that have ended meanwhile are not open */
	json_t *json = json_object(), *list = jput_array(json, "invitations");
	for (size_t i = 0; i < invitations->count; i++) {
		const struct invitation *invitation = &invitations->items[i];
		json_t *item = jput_object(list, NULL);
		jput_text(item, "gateway", invitation->stored.gateway);
		jput_text(item, "by", invitation->stored.who);
		jput_i64(item, "expires_ms", invitation->stored.expires_ms);
		jput_bool(item, "used", invitation->used);
	}
	http_reply_json(request, 200, json_compact(json, NULL));
	json_decref(json);
}

void joining_welcome(struct controller *controller)
{
	struct invitations *invitations = &controller->joining.invitations;
	invitations_expire(invitations, clock_wall_ms());
	if (controller->api) /* or the daemon is ending */
		http_server_welcome(controller->api, invitations->count > 0);
}

void invite_serve(struct controller *controller, struct http_server *server)
{
	const struct http_route routes[] = {
		{.methods = HTTP_GET,
			.path = "/v1/invitations",
			.handle = handle_list,
			.context = controller},
		{.methods = HTTP_POST,
			.path = "/v1/invitations",
			.body_max = INVITE_BODY_MAX,
			.handle = handle_invite,
			.context = controller},
	};
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		http_server_route(server, &routes[i]);
}
