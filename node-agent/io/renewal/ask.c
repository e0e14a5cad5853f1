/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/renewal/ask.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>

#include "common/authority/pem.h"
#include "common/authority/request.h"
#include "common/base/text.h"
#include "common/io/http_client.h"
#include "common/io/http_server.h"
#include "common/json/read.h"
#include "common/json/write.h"

/* The end of an agent waits for an attempt: not for long. */
enum { ASK_TIMEOUT_MS = 5000, ANSWER_MAX_BYTES = 128 * 1024, CERTIFICATE_MAX_BYTES = 64 * 1024 };

static char *body_text(const char *request, size_t *ret_size)
{
	json_t *json = json_object();
	char *text;

	jput_text(json, "request", request);
	text = json_compact(json, ret_size);
	json_decref(json);
	return text;
}

static int refused(const struct renewal_attempt *attempt, int status, const char *detail, struct err *err)
{
	return err_at(err, status == 409 ? -EOPNOTSUPP : -EACCES, attempt->controller, 0, 0, "%s",
		detail ? detail : http_status_phrase(status));
}

static int take_answer(const struct renewal_attempt *attempt, const struct http_response *response,
	char **ret_certificate, struct err *err)
{
	static const struct json_limits limits = {ANSWER_MAX_BYTES, 8};
	json_t *json = NULL;
	int r = json_parse_bytes(response->body, response->size, &limits, &json, err);
	struct jnode root;

	if (response->status != 200) {
		r = refused(attempt, response->status,
			r < 0 ? NULL : json_string_value(json_object_get(json, "detail")), err);
	} else if (r >= 0) {
		root = jnode_root(json);
		r = jnode_text_new(
			&root, "certificate", JSON_REQUIRED, CERTIFICATE_MAX_BYTES, ret_certificate, err);
	}
	json_decref(json);
	return r;
}

static int ask(
	const struct renewal_attempt *attempt, const char *request, char **ret_certificate, struct err *err)
{
	const struct http_client_options options = {
		.tls = {attempt->ca, attempt->pair.certificate, attempt->pair.key},
		.server_kind = TLS_KIND_CONTROLLER};
	struct text url = {0};
	struct http_exchange exchange = {
		.method = "POST", .timeout_ms = ASK_TIMEOUT_MS, .response_max = ANSWER_MAX_BYTES};
	struct http_response response;
	char *body = body_text(request, &exchange.body_size);
	int r;

	text_add(&url, "%s/v1/agent/certificate", attempt->controller);
	exchange.url = url.data;
	exchange.body = body;
	r = http_call(&options, &exchange, &response, err);
	free(body);
	text_clear(&url);
	if (r < 0)
		return r;
	r = take_answer(attempt, &response, ret_certificate, err);
	http_response_clear(&response);
	return r;
}

/* They must belong together, and be ours, before they replace what works. */
static int check(const struct renewal_attempt *attempt, struct err *err)
{
	const struct tls_files files = {attempt->ca, attempt->pair.next_certificate, attempt->pair.next_key};
	struct tls_identity own;
	SSL_CTX *context;
	int r = tls_client_new(&files, TLS_KIND_CONTROLLER, &context, &own, err);

	if (r < 0)
		return r;
	SSL_CTX_free(context);
	if (own.kind == TLS_KIND_GATEWAY && !strcmp(own.name, attempt->gateway))
		return 0;
	return err_at(err, -EPROTO, attempt->controller, 0, 0, "the certificate that came is of %s %s",
		tls_kind_text(own.kind), own.name);
}

static int renew(const struct renewal_attempt *attempt, struct err *err)
{
	char *key = NULL, *request = NULL, *certificate = NULL;
	int r = request_new(&key, &request, err);

	if (!r)
		r = ask(attempt, request, &certificate, err);
	if (!r)
		r = pair_prepare_key(&attempt->pair, key, err);
	if (!r)
		r = pair_prepare_certificate(&attempt->pair, certificate, err);
	if (!r)
		r = check(attempt, err);
	if (r < 0)
		pair_drop(&attempt->pair);
	else
		r = pair_commit(&attempt->pair, err);
	pem_wipe(key);
	free(request);
	free(certificate);
	return r;
}

void renewal_ask(void *job)
{
	struct renewal_attempt *attempt = job;

	attempt->result = renew(attempt, &attempt->err);
}
