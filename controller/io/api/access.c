/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/api/access.h"

#include <stdio.h>
#include <unistd.h>

#include "common/io/http_server.h"
#include "common/io/log.h"

/* Through the socket: root, or who the controller runs as. */
static void name_local(uid_t uid, char who[STORE_WHO_MAX + 1])
{
	if (uid == 0)
		snprintf(who, STORE_WHO_MAX + 1, "root");
	else
		snprintf(who, STORE_WHO_MAX + 1, "user %u", (unsigned)uid);
}

static bool refuse_local(struct http_request *request, uid_t uid)
{
	log_limited(LEVEL_WARNING, "api", "refused", "local", log_u64("uid", uid));
	http_reply_problem(request, 403, "only root may use this socket (this is user %u)", (unsigned)uid);
	return false;
}

static bool refuse_identity(struct http_request *request, const struct tls_identity *identity)
{
	log_limited(LEVEL_WARNING, "api", "refused", identity->name,
		log_text("kind", tls_kind_text(identity->kind)), log_text("name", identity->name));
	http_reply_problem(request, 403,
		"%s \"%s\" is not among the operators: of the controller's configuration",
		tls_kind_text(identity->kind), identity->name);
	return false;
}

static bool allow_operator(struct http_request *request, const struct config *config,
	const struct tls_identity *identity, char who[STORE_WHO_MAX + 1])
{
	enum operator_role role =
		identity->kind == TLS_KIND_OPERATOR ? config_role(config, identity->name) : OPERATOR_NONE;
	bool reads = http_request_method(request) & (HTTP_GET | HTTP_HEAD);
	if (role == OPERATOR_NONE)
		return refuse_identity(request, identity);
	if (role == OPERATOR_VIEWER && !reads) {
		log_limited(LEVEL_WARNING, "api", "refused", identity->name, log_text("kind", "operator"),
			log_text("name", identity->name),
			log_text("why", "a viewer, and this needs an admin"),
			log_text("path", http_request_path(request)));
		http_reply_problem(
			request, 403, "operator \"%s\" is a viewer, this needs an admin", identity->name);
		return false;
	}
	snprintf(who, STORE_WHO_MAX + 1, "operator %s", identity->name);
	return true;
}

bool access_allowed(struct http_request *request, const struct config *config, char who[STORE_WHO_MAX + 1])
{
	const struct http_peer *peer = http_request_peer(request);
	switch (peer->kind) {
	case HTTP_PEER_LOCAL:
		if (peer->uid != 0 && peer->uid != geteuid())
			return refuse_local(request, peer->uid);
		name_local(peer->uid, who);
		return true;
	case HTTP_PEER_TLS:
		return allow_operator(request, config, &peer->identity, who);
	case HTTP_PEER_ANONYMOUS:
	case HTTP_PEER_NEWCOMER:
		break;
	}
	http_reply_problem(request, 403, "this needs a client certificate");
	return false;
}

void access_name(const struct http_peer *peer, char who[STORE_WHO_MAX + 1])
{
	switch (peer->kind) {
	case HTTP_PEER_LOCAL:
		name_local(peer->uid, who);
		return;
	case HTTP_PEER_TLS:
		snprintf(who, STORE_WHO_MAX + 1, "%s %s", tls_kind_text(peer->identity.kind),
			peer->identity.name);
		return;
	case HTTP_PEER_NEWCOMER:
	case HTTP_PEER_ANONYMOUS:
		break;
	}
	snprintf(who, STORE_WHO_MAX + 1, "somebody without a certificate");
}
