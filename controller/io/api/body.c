/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/api/body.h"

#include <stdlib.h>
#include <string.h>

#include "common/authority/request.h"
#include "common/base/mem.h"
#include "common/io/http_server.h"

static int parse(struct http_request *request, json_t **ret_json, struct err *err)
{
	size_t size;
	const char *body = http_request_body(request, &size);

	return json_parse_bytes(body, size, &json_limits_message, ret_json, err);
}

int body_read_target(
	struct http_request *request, enum json_need need, char to[PROTO_NAME_MAX + 1], struct err *err)
{
	json_t *json;
	int r = parse(request, &json, err);

	if (r < 0)
		return r;
	struct jnode root = jnode_root(json);
	r = jnode_name(&root, "to", need, to, PROTO_NAME_MAX + 1, err);
	json_decref(json);
	return r;
}

int body_read_generation(
	struct http_request *request, enum json_need need, uint64_t *ret_number, struct err *err)
{
	json_t *json;
	size_t size;

	(void)http_request_body(request, &size);
	if (!size && need == JSON_OPTIONAL)
		return 0;
	int r = parse(request, &json, err);
	if (r < 0)
		return r;
	struct jnode root = jnode_root(json);
	r = jnode_u64(&root, "generation", need, 1, INT64_MAX, ret_number, err);
	json_decref(json);
	return r;
}

int body_read_invitation(struct http_request *request, char gateway[PROTO_NAME_MAX + 1],
	uint64_t *ret_valid_ms, struct err *err)
{
	json_t *json;
	int r = parse(request, &json, err);

	if (r < 0)
		return r;
	struct jnode root = jnode_root(json);
	*ret_valid_ms = BODY_VALID_DEFAULT_MS;
	r = jnode_name(&root, "gateway", JSON_REQUIRED, gateway, PROTO_NAME_MAX + 1, err);
	if (r >= 0)
		r = jnode_u64(&root, "valid_ms", JSON_OPTIONAL, BODY_VALID_MIN_MS, BODY_VALID_MAX_MS,
			ret_valid_ms, err);
	json_decref(json);
	return r;
}

int body_read_join(struct http_request *request, struct key *ret_secret, char **ret_request, struct err *err)
{
	json_t *json;
	int r = parse(request, &json, err);

	if (r < 0)
		return r;
	struct jnode root = jnode_root(json);
	r = jnode_hex(&root, "secret", JSON_REQUIRED, ret_secret->bytes, sizeof ret_secret->bytes, err);
	if (r < 0) /* without what is there instead: it may be most of a secret */
		err_set(err, r, "secret: expected 64 lower-case hex digits");
	else
		r = jnode_text_new(&root, "request", JSON_REQUIRED, REQUEST_PEM_MAX, ret_request, err);
	json_decref(json);
	return r;
}

int body_read_whose(struct http_request *request, struct tls_identity *ret_whose, struct err *err)
{
	static const char *const kinds[] = {"gateway", "operator"};
	static const enum tls_kind values[] = {TLS_KIND_GATEWAY, TLS_KIND_OPERATOR};
	unsigned kind = 0;
	json_t *json;
	int r = parse(request, &json, err);

	if (r < 0)
		return r;
	struct jnode root = jnode_root(json);
	r = jnode_word(&root, "kind", JSON_REQUIRED, kinds, ARRAY_COUNT(kinds), &kind, err);
	if (r >= 0)
		r = jnode_name(&root, "name", JSON_REQUIRED, ret_whose->name, sizeof ret_whose->name, err);
	ret_whose->kind = values[kind];
	json_decref(json);
	return r;
}

int body_read_key(struct http_request *request, EVP_PKEY **ret_key, struct err *err)
{
	char *pem = NULL;
	json_t *json;
	int r = parse(request, &json, err);

	if (r < 0)
		return r;
	struct jnode root = jnode_root(json);
	r = jnode_text_new(&root, "request", JSON_REQUIRED, REQUEST_PEM_MAX, &pem, err);
	if (r >= 0)
		r = request_read(pem, strlen(pem), ret_key, err);
	free(pem);
	json_decref(json);
	return r;
}
