/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "common/base/mem.h"
#include "common/io/http_transfer.h"

/* A copy that outlives the transfer. */
static void keep(const struct http_response *response, struct http_response *ret_copy)
{
	struct text body = {0};

	text_add_bytes(&body, response->body, response->size);
	*ret_copy = *response;
	ret_copy->body = text_take(&body);
	ret_copy->content_type = mem_text(response->content_type);
	ret_copy->etag = mem_text(response->etag);
	ret_copy->wanted = mem_text(response->wanted);
}

int http_call(const struct http_client_options *options, const struct http_exchange *exchange,
	struct http_response *ret_response, struct err *err)
{
	struct http_transfer *transfer;
	struct http_response response;
	int r;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	transfer = http_transfer_new(options, exchange);
	r = http_transfer_result(transfer, curl_easy_perform(transfer->easy), &response, err);
	if (r == 0)
		keep(&response, ret_response);
	http_transfer_free(transfer);
	curl_global_cleanup();
	return r;
}

void http_response_clear(struct http_response *response)
{
	void *body;

	memcpy(&body, &response->body, sizeof body);
	mem_wipe(body, response->size);
	mem_free_pointer(&response->body);
	mem_free_pointer(&response->content_type);
	mem_free_pointer(&response->etag);
	mem_free_pointer(&response->wanted);
	*response = (struct http_response){0};
}
