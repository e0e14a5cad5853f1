/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/audit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/io/log.h"
#include "common/json/read.h"
#include "controller/io/api/access.h"
#include "controller/io/controller.h"

enum { STATUS_DONE = 200, STATUS_FAILED = 400, STATUS_REFUSED = 403 };

static int write_audit(struct store *store, void *context, struct err *err)
{
	return store_add_audit(store, context, err);
}

static void on_written(void *context, int r, const struct err *err)
{
	if (r < 0)
		log_limited(LEVEL_ERROR, "audit", "not-stored", "store", log_err(err));
	free(context);
}

static bool is_too_much(struct audit_limit *limit, int status)
{
	int64_t second = clock_now_ms() / 1000;
	if (status != STATUS_REFUSED)
		return false;
	if (limit->second != second)
		*limit = (struct audit_limit){.second = second};
	return ++limit->count > AUDIT_REFUSED_PER_SECOND;
}

void audit_add(struct controller *controller, const char *who, const char *what, const char *target,
	int status, const char *detail)
{
	if (!controller->writer || is_too_much(&controller->audit_limit, status))
		return;
	struct store_audit *audit = mem_new(1, sizeof *audit);
	audit->wall_ms = clock_wall_ms();
	audit->generation = controller->current ? controller->current->number : 0;
	audit->status = status;
	text_copy(audit->who, sizeof audit->who, who);
	text_copy(audit->what, sizeof audit->what, what);
	text_copy(audit->target, sizeof audit->target, target);
	text_copy(audit->detail, sizeof audit->detail, detail);
	writer_add(controller->writer,
		&(struct writer_job){.write = write_audit, .done = on_written, .context = audit});
}

/* What is asked of a collection by its name. */
static const char *what_of(const char *kind)
{
	static const char *const whats[][2] = {
		{"fleet", "apply"}, {"invitations", "invite"}, {"revocations", "revoke"}};
	for (size_t i = 0; i < ARRAY_COUNT(whats); i++)
		if (strcmp(kind, whats[i][0]) == 0)
			return whats[i][1];
	return kind;
}

/* What a path asks for: "/v1/endpoints/vpn/move" is "move" of "vpn", "/v1/freeze" is "freeze". Of other paths only the first
 * word: what follows may be a secret, or anything that somebody who is refused wants to be read. */
static void read_path(const char *path, struct store_audit *audit)
{
	char kind[STORE_WHAT_MAX + 1], name[STORE_WHAT_MAX + 1], verb[STORE_WHAT_MAX + 1];
	_Static_assert(STORE_WHAT_MAX == 127, "the widths below");
	int parts = sscanf(path, "/v1/%127[^/]/%127[^/]/%127[^/]", kind, name, verb);
	if (parts < 1)
		return;
	bool names = strcmp(kind, "endpoints") == 0 || strcmp(kind, "gateways") == 0;
	if (parts == 3 && names && text_is_name(name, PROTO_NAME_MAX) && text_is_name(verb, PROTO_NAME_MAX)) {
		text_copy(audit->what, sizeof audit->what, verb);
		text_copy(audit->target, sizeof audit->target, name);
	} else {
		text_copy(audit->what, sizeof audit->what, what_of(kind));
	}
}

/* What a message can name. */
struct named {
	char to[PROTO_NAME_MAX + 1], gateway[PROTO_NAME_MAX + 1];
	char kind[PROTO_NAME_MAX + 1], name[PROTO_NAME_MAX + 1]; /* operator, alice */
	uint64_t generation;
};

static void read_named(const void *body, size_t size, struct named *named)
{
	json_t *json;
	*named = (struct named){0};
	if (json_parse_bytes(body, size, &json_limits_message, &json, NULL) < 0)
		return;
	struct jnode root = jnode_root(json);
	jnode_name(&root, "to", JSON_OPTIONAL, named->to, sizeof named->to, NULL);
	jnode_name(&root, "gateway", JSON_OPTIONAL, named->gateway, sizeof named->gateway, NULL);
	jnode_name(&root, "kind", JSON_OPTIONAL, named->kind, sizeof named->kind, NULL);
	jnode_name(&root, "name", JSON_OPTIONAL, named->name, sizeof named->name, NULL);
	jnode_u64(&root, "generation", JSON_OPTIONAL, 0, INT64_MAX, &named->generation, NULL);
	json_decref(json);
}

/* "vpn to gw-b"; "generation 3"; "gw-c"; "operator alice". */
static void put_target(const struct named *named, struct store_audit *audit)
{
	struct text target = {0};
	if (audit->target[0] && named->to[0])
		text_add(&target, "%s to %s", audit->target, named->to);
	else if (audit->target[0])
		return;
	else if (named->generation)
		text_add(&target, "generation %" PRIu64, named->generation);
	else if (named->gateway[0])
		text_add(&target, "%s", named->gateway);
	else if (named->kind[0] && named->name[0])
		text_add(&target, "%s %s", named->kind, named->name);
	if (target.data)
		text_copy(audit->target, sizeof audit->target, target.data);
	text_clear(&target);
}

/* What the body names. Who joins brings a secret and no name: the answer says it. An apply's body is the fleet. */
static void read_body(
	const struct http_request *request, const void *answer, size_t answer_size, struct store_audit *audit)
{
	struct named named;
	size_t size;
	const char *body = http_request_body(request, &size);
	if (strcmp(audit->what, "apply") == 0)
		return;
	if (strcmp(audit->what, "join") == 0)
		read_named(answer, answer_size, &named);
	else
		read_named(body, size, &named);
	put_target(&named, audit);
}

/* The detail of a problem (RFC 9457). The caller frees; never NULL. */
static char *read_detail(int status, const void *body, size_t size)
{
	json_t *json;
	char *detail = NULL;
	if (status < STATUS_FAILED || json_parse_bytes(body, size, &json_limits_message, &json, NULL) < 0)
		return mem_text("");
	const char *text = json_string_value(json_object_get(json, "detail"));
	detail = mem_text(text ? text : "");
	json_decref(json);
	return detail;
}

/* Whoever it is could fill the trail with that. */
static bool is_malformed(int status)
{
	return status >= STATUS_FAILED && status != STATUS_REFUSED;
}

/* Then the row is in the store: it came with the generation. */
static bool made_a_generation(const char *what, int status, const void *answer, size_t size)
{
	json_t *json;
	if (status != STATUS_DONE || (strcmp(what, "apply") != 0 && strcmp(what, "rollback") != 0) ||
		json_parse_bytes(answer, size, &json_limits_message, &json, NULL) < 0)
		return false;
	bool changed = json_is_true(json_object_get(json, "changed"));
	json_decref(json);
	return changed;
}

void audit_answered(
	const struct http_request *request, int status, const void *body, size_t size, void *context)
{
	const char *path = http_request_path(request);
	struct store_audit audit = {0};
	char who[STORE_WHO_MAX + 1];
	if (http_request_method(request) & (HTTP_GET | HTTP_HEAD) || strncmp(path, "/v1/agent/", 10) == 0)
		return;
	enum http_peer_kind kind = http_request_peer(request)->kind;
	if ((kind == HTTP_PEER_ANONYMOUS || kind == HTTP_PEER_NEWCOMER) && is_malformed(status))
		return;
	read_path(path, &audit);
	if (made_a_generation(audit.what, status, body, size))
		return;
	read_body(request, body, size, &audit);
	access_name(http_request_peer(request), who);
	CLEANUP_FREE char *detail = read_detail(status, body, size);
	audit_add(context, who, audit.what, audit.target, status,
		status ? detail : "went away before the answer");
}
