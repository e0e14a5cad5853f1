/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Somebody comes with an invitation. */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/authority/request.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/io/log.h"
#include "common/json/write.h"
#include "controller/io/api/api.h"
#include "controller/io/api/body.h"
#include "controller/io/api/waiting.h"
#include "controller/io/controller.h"

enum { JOIN_BODY_MAX = REQUEST_PEM_MAX + 4096 }; /* line ends are two characters in JSON */

struct newcomer {
	struct controller *controller;
	struct waiting waiting;
	struct store_invitation invitation;
	char *certificate;
};

static void newcomer_free(struct newcomer *newcomer)
{
	free(newcomer->certificate);
	free(newcomer);
}

static void refuse(struct controller *controller, struct http_request *request, int status, const char *why)
{
	const struct http_peer *peer = http_request_peer(request);
	controller->joining.refused++;
	/* What 403 says is ours alone: each of them has a line. */
	log_limited(LEVEL_WARNING, "joining", "refused", status == 403 ? why : "",
		log_endpoint("from", &peer->address), log_text("why", why));
	http_reply_problem(request, status, "%s", why);
}

static bool admit(struct http_request *request, void *context)
{
	struct controller *controller = context;
	if (http_request_peer(request)->kind != HTTP_PEER_NEWCOMER) {
		refuse(controller, request, 403, "this is for a gateway that has no certificate yet");
		return false;
	}
	return true;
}

/* A line for each in the trail, which is not for strangers to fill. */
static void refuse_token(
	struct controller *controller, struct http_request *request, int status, const char *why)
{
	const struct http_peer *peer = http_request_peer(request);
	if (attempts_spend(&controller->joining.attempts, &peer->address.addr, clock_now_ms()))
		refuse(controller, request, status, why);
	else
		refuse(controller, request, 429, "this token is wrong, and too many are: wait a minute");
}

static char *newcomer_text(const struct newcomer *newcomer)
{
	json_t *json = json_object();
	jput_text(json, "gateway", newcomer->invitation.gateway);
	jput_text(json, "certificate", newcomer->certificate);
	jput_text(json, "ca", newcomer->controller->joining.ca);
	char *text = json_compact(json, NULL);
	json_decref(json);
	return text;
}

static int write_used(struct store *store, void *context, struct err *err)
{
	const struct newcomer *newcomer = context;
	return store_remove_invitation(
		store, newcomer->invitation.gateway, newcomer->invitation.hash, clock_wall_ms(), err);
}

static void tell_joined(const struct newcomer *newcomer)
{
	char text[PROTO_NAME_MAX + 64];
	snprintf(text, sizeof text, "%s has joined: it has a certificate now", newcomer->invitation.gateway);
	newcomer->controller->joining.joined++;
	log_notice("joining", "joined", log_text("gateway", newcomer->invitation.gateway));
	journal_add(newcomer->controller->journal,
		&(struct journal_entry){
			.event = "joined", .text = text, .gateway = newcomer->invitation.gateway});
}

/* Only what can never be used again on this disk is answered. */
static void on_used(void *context, int r, const struct err *err)
{
	struct newcomer *newcomer = context;
	if (r < 0) {
		invitations_give_back(&newcomer->controller->joining.invitations, &newcomer->invitation);
		waiting_fail(&newcomer->waiting, "joining", "use-not-stored", err);
	} else {
		tell_joined(newcomer);
		waiting_reply(&newcomer->waiting, newcomer_text(newcomer));
	}
	newcomer_free(newcomer);
}

/* The certificate first: one that cannot be made shall not cost the token. */
static void let_in(struct controller *controller, struct http_request *request, struct invitation *invitation,
	EVP_PKEY *key)
{
	struct newcomer *newcomer = mem_new(1, sizeof *newcomer);
	struct err err = {0};
	newcomer->controller = controller;
	newcomer->invitation = invitation->stored;
	int r = joining_certify(
		&controller->joining, newcomer->invitation.gateway, key, &newcomer->certificate, &err);
	if (r < 0) {
		log_error("joining", "not-signed", log_err(&err));
		http_reply_problem(request, r == -EAGAIN ? 409 : 500, "%s", err.text);
		newcomer_free(newcomer);
		return;
	}
	invitation->used = true;
	waiting_begin(&newcomer->waiting, request, controller->writer,
		&(struct writer_job){.write = write_used, .done = on_used, .context = newcomer});
}

static void handle_body(struct controller *controller, struct http_request *request, const struct key *secret,
	const char *pem)
{
	EVP_PKEY *key = NULL;
	struct err err = {0};
	struct invitation *invitation =
		invitations_find(&controller->joining.invitations, secret, clock_wall_ms());
	if (!invitation)
		refuse_token(controller, request, 403,
			"no invitation has this token: it has ended, a newer one took its place, or it was "
			"of "
			"another controller");
	else if (invitation->used)
		refuse_token(
			controller, request, 403, "this token has been used: each lets one gateway in, once");
	else if (!joining_can_sign(&controller->joining))
		refuse(controller, request, 409, "the controller has no authority any more");
	else if (request_read(pem, strlen(pem), &key, &err) < 0)
		refuse(controller, request, 400, err.text);
	else
		let_in(controller, request, invitation, key);
	EVP_PKEY_free(key);
}

static void handle_join(struct http_request *request, void *context)
{
	struct controller *controller = context;
	CLEANUP_KEY struct key secret = {{0}};
	CLEANUP_FREE char *pem = NULL;
	struct err err = {0};
	if (body_read_join(request, &secret, &pem, &err) < 0)
		refuse_token(controller, request, 400, err.text);
	else
		handle_body(controller, request, &secret, pem);
}

void join_serve(struct controller *controller, struct http_server *server)
{
	http_server_route(server, &(struct http_route){.methods = HTTP_POST,
					  .path = "/v1/join",
					  .body_max = JOIN_BODY_MAX,
					  .handle = handle_join,
					  .context = controller,
					  .admit = admit,
					  .takes_newcomers = true});
}
