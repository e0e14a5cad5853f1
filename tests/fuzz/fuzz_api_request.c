/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>
#include <strings.h>

#include "common/authority/request.h"
#include "common/base/mem.h"
#include "common/io/http_connection.h"
#include "common/timeline/account.h"
#include "controller/io/api/body.h"
#include "proto/peer_place.h"
#include "tests/fuzz/fuzz_target.h"

/*
 * What a request to the controller's API brings: a line that is its query, then its body. Every reader gets it, whatever the path: a body that is
 * taken is within the limits, and of one that is not the reason is told. Fleets and what agents say have targets of their own.
 */

static void check(int r, const struct err *err)
{
	FUZZ_CHECK(r <= 0 && (r == 0 || err->text[0]));
}

static void check_name(const char *name)
{
	FUZZ_CHECK(strlen(name) <= PROTO_NAME_MAX && text_is_name(name, PROTO_NAME_MAX));
}

static void read_target(struct http_request *request, enum json_need need)
{
	char to[PROTO_NAME_MAX + 1] = "";
	struct err err = {0};
	int r = body_read_target(request, need, to, &err);

	check(r, &err);
	if (r == 0 && (need == JSON_REQUIRED || to[0]))
		check_name(to);
}

static void read_generation(struct http_request *request, enum json_need need)
{
	uint64_t number = 7;
	struct err err = {0};
	int r = body_read_generation(request, need, &number, &err);

	check(r, &err);
	FUZZ_CHECK(r < 0 || (number >= 1 && number <= INT64_MAX));
}

static void read_invitation(struct http_request *request)
{
	char gateway[PROTO_NAME_MAX + 1] = "";
	uint64_t valid_ms;
	struct err err = {0};
	int r = body_read_invitation(request, gateway, &valid_ms, &err);

	check(r, &err);
	if (r < 0)
		return;
	check_name(gateway);
	FUZZ_CHECK(valid_ms >= BODY_VALID_MIN_MS && valid_ms <= BODY_VALID_MAX_MS);
}

static void read_join(struct http_request *request)
{
	struct key secret;
	char *pem = NULL;
	struct err err = {0};
	int r = body_read_join(request, &secret, &pem, &err);

	check(r, &err);
	FUZZ_CHECK((r == 0) == (pem != NULL) && (!pem || strlen(pem) <= REQUEST_PEM_MAX));
	free(pem);
}

static void read_whose(struct http_request *request)
{
	struct tls_identity whose = {0};
	struct err err = {0};
	int r = body_read_whose(request, &whose, &err);

	check(r, &err);
	if (r < 0)
		return;
	check_name(whose.name);
	FUZZ_CHECK(whose.kind == TLS_KIND_GATEWAY || whose.kind == TLS_KIND_OPERATOR);
}

static void read_key(struct http_request *request)
{
	EVP_PKEY *key = NULL;
	struct err err = {0};
	int r = body_read_key(request, &key, &err);

	check(r, &err);
	FUZZ_CHECK((r == 0) == (key != NULL));
	EVP_PKEY_free(key);
}

/* A place that is taken says the same again. */
static void read_place(const char *text)
{
	char again[PEER_PLACE_TEXT_MAX];
	struct desired_peer_key place;
	struct desired_peer peer = {0};

	if (peer_place_parse(text, &place) < 0 || !place.tunnel[0])
		return;
	memcpy(peer.tunnel, place.tunnel, sizeof(place.tunnel));
	peer.public_key = place.public_key;
	FUZZ_CHECK(!strcasecmp(peer_place_format(&peer, again), text)); /* digits in either case */
}

static void read_event(const char *text)
{
	char endpoint[PROTO_NAME_MAX + 1];
	struct epoch epoch;
	struct err err = {0};
	int r = account_parse(text, endpoint, &epoch, &err);

	check(r, &err);
	FUZZ_CHECK(r < 0 || strlen(endpoint) <= PROTO_NAME_MAX);
}

static void read_query(const struct http_request *request)
{
	uint64_t number;

	FUZZ_CHECK(request->parameter_count <= HTTP_PARAMETERS_MAX);
	for (size_t i = 0; i < request->parameter_count; i++) {
		const struct http_parameter *parameter = &request->parameters[i];
		const char *value = http_request_query(request, parameter->name);

		FUZZ_CHECK(parameter->name[0] && value);
		if (text_to_u64(value, 1, 1000, &number) == 0)
			FUZZ_CHECK(number >= 1 && number <= 1000);
		read_place(value);
		read_event(value);
	}
}

static struct http_request *make_request(const char *data, size_t query, size_t body)
{
	struct http_head head = {.text = mem_new(query + 1, 1)};
	struct http_request *request;

	memcpy(head.text, data, query);
	head.query = head.text;
	head.method = head.path = head.text + query; /* "" */
	request = http_request_new(NULL, &head);
	if (body) { /* which ends where it ends: no text ends with a NUL */
		request->body = (struct text){.data = mem_new(body, 1), .length = body, .capacity = body};
		memcpy(request->body.data, data + query + 1, body);
	}
	return request;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
	size_t query = end ? (size_t)(end - data) : size;
	struct http_request *request = make_request((const char *)data, query, end ? size - query - 1 : 0);

	read_query(request);
	read_target(request, JSON_REQUIRED);
	read_target(request, JSON_OPTIONAL);
	read_generation(request, JSON_REQUIRED);
	read_generation(request, JSON_OPTIONAL);
	read_invitation(request);
	read_join(request);
	read_whose(request);
	read_key(request);
	http_request_free(request);
	return 0;
}
