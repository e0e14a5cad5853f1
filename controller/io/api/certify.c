/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A gateway renews its certificate. */
#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/authority/request.h"
#include "common/io/http_server.h"
#include "common/io/log.h"
#include "common/json/write.h"
#include "controller/io/api/api.h"
#include "controller/io/api/body.h"
#include "controller/io/controller.h"

enum { CERTIFY_BODY_MAX = REQUEST_PEM_MAX + 4096 }; /* line ends are two characters in JSON */

static void refuse(struct http_request *request, int status, const char *why)
{
	const struct tls_identity *identity = &http_request_peer(request)->identity;
	log_limited(LEVEL_WARNING, "joining", "not-renewed", identity->name,
		log_text("kind", tls_kind_text(identity->kind)), log_text("name", identity->name),
		log_text("why", why));
	http_reply_problem(request, status, "%s", why);
}

/* Its own name, and in the fleet: one that has left it lives on what it has. */
static struct agent *authenticate(struct controller *controller, struct http_request *request)
{
	const struct http_peer *peer = http_request_peer(request);
	bool is_gateway = peer->kind == HTTP_PEER_TLS && peer->identity.kind == TLS_KIND_GATEWAY;
	struct agent *agent = is_gateway ? agents_find(controller->agents, peer->identity.name) : NULL;
	if (!is_gateway)
		refuse(request, 403, "only a gateway's certificate (holdfast:gateway:NAME) may do this");
	else if (!agent)
		refuse(request, 404, "this gateway is not in the fleet");
	return agent;
}

static bool admit(struct http_request *request, void *context)
{
	return authenticate(context, request) != NULL;
}

static void tell(struct controller *controller, const char *gateway)
{
	char text[PROTO_NAME_MAX + 64];
	snprintf(text, sizeof text, "the certificate of %s was renewed", gateway);
	controller->joining.renewed++;
	log_notice("joining", "renewed", log_text("gateway", gateway));
	journal_add(controller->journal,
		&(struct journal_entry){.event = "renewed", .text = text, .gateway = gateway});
}

static char *answer_text(const char *gateway, const char *certificate)
{
	json_t *json = json_object();
	jput_text(json, "gateway", gateway);
	jput_text(json, "certificate", certificate);
	char *text = json_compact(json, NULL);
	json_decref(json);
	return text;
}

static void certify(
	struct controller *controller, struct http_request *request, struct agent *agent, EVP_PKEY *key)
{
	struct err err = {0};
	char *certificate = NULL;
	int r = joining_certify(&controller->joining, agent->name, key, &certificate, &err);
	if (r < 0) {
		log_error("joining", "not-signed", log_err(&err));
		http_reply_problem(request, 500, "%s", err.text);
		return;
	}
	agent->certificate.start_ms = agent->certificate.end_ms =
		0; /* the next connection shows the new one */
	tell(controller, agent->name);
	http_reply_json(request, 200, answer_text(agent->name, certificate));
	free(certificate);
}

static void handle_certify(struct http_request *request, void *context)
{
	struct controller *controller = context;
	struct agent *agent = authenticate(controller, request);
	EVP_PKEY *key = NULL;
	struct err err = {0};
	if (!agent)
		return;
	if (!joining_can_sign(&controller->joining))
		http_reply_problem(request, 409, "the controller has no authority to sign with");
	else if (body_read_key(request, &key, &err) < 0)
		http_reply_problem(request, 400, "%s", err.text);
	else
		certify(controller, request, agent, key);
	EVP_PKEY_free(key);
}

void certify_serve(struct controller *controller, struct http_server *server)
{
	http_server_route(server, &(struct http_route){.methods = HTTP_POST,
					  .path = "/v1/agent/certificate",
					  .body_max = CERTIFY_BODY_MAX,
					  .handle = handle_certify,
					  .context = controller,
					  .admit = admit});
}
