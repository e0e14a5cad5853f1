/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/http_transfer.h"

#include <errno.h>
#include <linux/sockios.h>
#include <openssl/x509_vfy.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/base/mem.h"

/* A connection shows the certificate that there was when it was made: it is not used for longer than this. */
enum {
	CONNECTION_LIFE_S = 3600,
	TIMEOUT_DEFAULT_MS = 10000,
	CONNECT_TIMEOUT_DEFAULT_MS = 3000,
	RESPONSE_MAX_DEFAULT = 1 << 20
};

static size_t receive(char *bytes, size_t one, size_t size, void *context)
{
	struct http_transfer *transfer = context;

	(void)one;
	if (size > transfer->response_max - transfer->response.length) {
		transfer->too_large = true;
		return CURL_WRITEFUNC_ERROR;
	}
	text_add_bytes(&transfer->response, bytes, size);
	return size;
}

static CURLcode prepare_tls(CURL *easy, void *context, void *user)
{
	struct http_transfer *transfer = user;
	const struct http_client_options *options = transfer->options;

	(void)easy;
	if (options->pin)
		return tls_client_pin(context, options->pin, &transfer->tls_error) < 0 ? CURLE_SSL_CERTPROBLEM
										       : CURLE_OK;
	if (tls_client_prepare(context, &options->tls, options->server_kind, NULL, &transfer->tls_error) < 0)
		return CURLE_SSL_CERTPROBLEM;
	if (options->server_name) {
		transfer->server.kind = options->server_kind;
		text_copy(transfer->server.name, sizeof transfer->server.name, options->server_name);
		tls_client_expect(context, &transfer->server);
	}
	return CURLE_OK;
}

static void add_header(struct http_transfer *transfer, const char *line)
{
	struct curl_slist *list = curl_slist_append(transfer->headers, line);

	if (!list)
		mem_new(SIZE_MAX, 2);
	transfer->headers = list;
}

static void set_headers(struct http_transfer *transfer, const struct http_exchange *exchange)
{
	struct text type = {0};

	if (exchange->body) {
		text_add(&type, "Content-Type: %s",
			exchange->content_type ? exchange->content_type : "application/json");
		add_header(transfer, type.data);
		text_clear(&type);
	}
	for (const char *const *line = exchange->headers; line && *line; line++)
		add_header(transfer, *line);
	curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers);
}

static void set_method(struct http_transfer *transfer, const struct http_exchange *exchange)
{
	const char *method = exchange->method ? exchange->method : "GET";
	CURL *easy = transfer->easy;

	if (strcmp(method, "HEAD") == 0) {
		curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (exchange->body || strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0) {
		transfer->body_size = exchange->body ? exchange->body_size : 0;
		transfer->body =
			exchange->body ? mem_copy(exchange->body, exchange->body_size) : mem_new(1, 1);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)transfer->body_size);
		curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body);
	}
	curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
}

/* Only what was asked for: no redirects, proxies or other protocols. CURLOPT_NOSIGNAL stays off: then libcurl holds
 * SIGPIPE back itself. */
static void set_manners(CURL *easy)
{
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
	curl_easy_setopt(easy, CURLOPT_MAXLIFETIME_CONN, (long)CONNECTION_LIFE_S);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "holdfast/" HOLDFAST_VERSION);
}

/* The trust in public authorities that libcurl starts with is replaced whole by tls_client_prepare(). */
static void set_tls(struct http_transfer *transfer)
{
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_3);
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, prepare_tls);
	curl_easy_setopt(easy, CURLOPT_SSL_CTX_DATA, transfer);
}

static int keep_socket(void *context, curl_socket_t fd, curlsocktype purpose)
{
	struct http_transfer *transfer = context;

	(void)purpose;
	transfer->fd = fd;
	return CURL_SOCKOPT_OK;
}

/* Of what libcurl has written, what does not wait in the socket: that may be megabytes, and minutes. */
static uint64_t taken(const struct http_transfer *transfer, uint64_t written)
{
	int waiting = 0;

	if (ioctl(transfer->fd, SIOCOUTQ, &waiting) < 0 || waiting < 0)
		return written;
	return written > (uint64_t)waiting ? written - (uint64_t)waiting : 0;
}

static int ask(void *context, curl_off_t down_total, curl_off_t down, curl_off_t up_total, curl_off_t up)
{
	struct http_transfer *transfer = context;

	(void)down_total;
	(void)down;
	(void)up_total;
	return transfer->goes_on(
		       taken(transfer, (uint64_t)up), transfer->body_size, transfer->goes_on_context)
		       ? 0
		       : 1;
}

static void set_asking(struct http_transfer *transfer, const struct http_exchange *exchange)
{
	if (!exchange->goes_on)
		return;
	transfer->goes_on = exchange->goes_on;
	transfer->goes_on_context = exchange->context;
	curl_easy_setopt(transfer->easy, CURLOPT_SOCKOPTFUNCTION, keep_socket);
	curl_easy_setopt(transfer->easy, CURLOPT_SOCKOPTDATA, transfer);
	curl_easy_setopt(transfer->easy, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(transfer->easy, CURLOPT_XFERINFOFUNCTION, ask);
	curl_easy_setopt(transfer->easy, CURLOPT_XFERINFODATA, transfer);
}

static void set_route(struct http_transfer *transfer, const struct http_exchange *exchange)
{
	const struct http_client_options *options = transfer->options;
	CURL *easy = transfer->easy;
	char source[8 + 64];

	curl_easy_setopt(easy, CURLOPT_URL, exchange->url);
	if (options->unix_socket)
		curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, options->unix_socket);
	if (options->local_address) {
		text_copy(source, sizeof source, "host!");
		text_copy(source + strlen(source), sizeof source - strlen(source), options->local_address);
		curl_easy_setopt(easy, CURLOPT_INTERFACE, source);
	}
	transfer->timeout_ms = exchange->timeout_ms > 0 ? exchange->timeout_ms
			       : exchange->goes_on      ? 0 /* to libcurl: none */
							: TIMEOUT_DEFAULT_MS;
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)transfer->timeout_ms);
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
		(long)(exchange->connect_timeout_ms > 0 ? exchange->connect_timeout_ms
							: CONNECT_TIMEOUT_DEFAULT_MS));
}

/* Scheme, host and port of a URL; the socket's path where there is one. */
static char *origin_of(const struct http_client_options *options, const char *url)
{
	const char *host = strstr(url, "://");
	struct text text = {0};

	if (options->unix_socket)
		return mem_text(options->unix_socket);
	host = host ? host + 3 : url;
	text_add_bytes(&text, url, (size_t)(host - url) + strcspn(host, "/?#"));
	return text_take(&text);
}

struct http_transfer *http_transfer_new(
	const struct http_client_options *options, const struct http_exchange *exchange)
{
	struct http_transfer *transfer = mem_new(1, sizeof *transfer);
	CURL *easy = curl_easy_init();

	if (!easy)
		mem_new(SIZE_MAX, 2);
	transfer->easy = easy;
	transfer->options = options;
	transfer->origin = origin_of(options, exchange->url);
	transfer->response_max = exchange->response_max > 0 ? exchange->response_max : RESPONSE_MAX_DEFAULT;
	transfer->wanted = exchange->wanted;
	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->reason);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, receive);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	set_manners(easy);
	set_tls(transfer);
	set_route(transfer, exchange);
	set_asking(transfer, exchange);
	set_method(transfer, exchange);
	set_headers(transfer, exchange);
	return transfer;
}

void http_transfer_free(struct http_transfer *transfer)
{
	curl_easy_cleanup(transfer->easy);
	curl_slist_free_all(transfer->headers);
	mem_wipe(transfer->response.data, transfer->response.capacity);
	text_clear(&transfer->response);
	free(transfer->origin);
	mem_wipe(transfer->body, transfer->body_size);
	free(transfer->body);
	free(transfer);
}

static int fail_connect(struct http_transfer *transfer, struct err *err)
{
	long number = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &number);
	if (number <= 0)
		return err_at(
			err, -ECONNREFUSED, transfer->origin, 0, 0, "cannot connect: %s", transfer->reason);
	return err_at(err, (int)-number, transfer->origin, 0, 0, "cannot connect: %s", strerror((int)number));
}

static int fail_verify(struct http_transfer *transfer, struct err *err)
{
	long result = X509_V_OK;

	curl_easy_getinfo(transfer->easy, CURLINFO_SSL_VERIFYRESULT, &result);
	if (transfer->options->pin && result != X509_V_OK && result != X509_V_ERR_UNSPECIFIED)
		return err_at(err, -EPROTO, transfer->origin, 0, 0,
			"the certificate there is not of a %s of the authority that was named",
			tls_kind_text(transfer->options->pin->server_kind));
	if (result == X509_V_ERR_APPLICATION_VERIFICATION)
		return err_at(err, -EPROTO, transfer->origin, 0, 0,
			"the certificate there is not that of %s%s", transfer->server.name[0] ? "" : "a ",
			transfer->server.name[0] ? transfer->server.name
						 : tls_kind_text(transfer->options->server_kind));
	/* Unspecified: the connection ended before there was a certificate to look at. */
	if (result != X509_V_OK && result != X509_V_ERR_UNSPECIFIED)
		return err_at(err, -EPROTO, transfer->origin, 0, 0,
			"the certificate there is not trusted: %s (is %s its authority?)",
			X509_verify_cert_error_string(result), transfer->options->tls.ca);
	return err_at(err, -EPROTO, transfer->origin, 0, 0, "no TLS connection: %s", transfer->reason);
}

/* In TLS 1.3 the client is done before the server has looked for its certificate: the alert, or the reset that overtakes
 * it, comes instead of an answer. */
static bool is_shown_the_door(CURLcode code, const char *reason)
{
	return strstr(reason, "alert") || code == CURLE_RECV_ERROR || code == CURLE_SEND_ERROR ||
	       code == CURLE_GOT_NOTHING;
}

static int fail(struct http_transfer *transfer, CURLcode code, struct err *err)
{
	const char *reason = transfer->reason[0] ? transfer->reason : curl_easy_strerror(code);

	if (transfer->too_large)
		return err_at(err, -EMSGSIZE, transfer->origin, 0, 0, "the answer is larger than %zu bytes",
			transfer->response_max);
	if (transfer->tls_error.text[0]) {
		if (err)
			*err = transfer->tls_error;
		return -EINVAL;
	}
	if (code == CURLE_COULDNT_CONNECT)
		return fail_connect(transfer, err);
	if (code == CURLE_OPERATION_TIMEDOUT)
		return err_at(err, -ETIMEDOUT, transfer->origin, 0, 0, "no answer in time (%s)", reason);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return err_at(err, -ECANCELED, transfer->origin, 0, 0, "no answer");
	if (code == CURLE_PEER_FAILED_VERIFICATION || code == CURLE_SSL_CONNECT_ERROR)
		return fail_verify(transfer, err);
	if (transfer->options->pin && is_shown_the_door(code, reason))
		return err_at(
			err, -EACCES, transfer->origin, 0, 0, "nobody without a certificate is let in there");
	if (strstr(reason, "alert"))
		return err_at(err, -EPROTO, transfer->origin, 0, 0, "our certificate was refused there (%s)",
			reason);
	return err_at(
		err, code == CURLE_URL_MALFORMAT ? -EINVAL : -EIO, transfer->origin, 0, 0, "%s", reason);
}

static const char *header_of(struct http_transfer *transfer, const char *name)
{
	struct curl_header *header;

	if (curl_easy_header(transfer->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
		return NULL;
	return header->value;
}

int http_transfer_result(
	struct http_transfer *transfer, CURLcode code, struct http_response *ret_response, struct err *err)
{
	const char *peer = NULL;
	long status = 0;

	if (code != CURLE_OK)
		return fail(transfer, code, err);
	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(transfer->easy, CURLINFO_PRIMARY_IP, &peer);
	*ret_response = (struct http_response){
		.status = (int)status,
		.body = transfer->response.data ? transfer->response.data : "",
		.size = transfer->response.length,
		.content_type = header_of(transfer, "Content-Type"),
		.etag = header_of(transfer, "ETag"),
		.wanted = transfer->wanted ? header_of(transfer, transfer->wanted) : NULL,
	};
	if (peer && peer[0])
		(void)addr_parse(peer, &ret_response->peer, NULL);
	return 0;
}
