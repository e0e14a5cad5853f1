/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/flows_int.h"

/* ---- the owner's side: questions, and answers as soon as there is one ---- */

enum { LISTEN_TEXT_MAX = ENDPOINT_TEXT_MAX, CONNECTIONS_MAX = 256, HANDSHAKE_MS = 5000 };

struct flow_waiter {
	struct seat_flows *of;
	struct http_request *request;
	struct event *timeout;
	uint64_t run, after;
	struct flow_waiter *prev, *next;
};

static void waiter_free(struct flow_waiter *waiter)
{
	DL_DELETE(waiter->of->waiters, waiter);
	event_free(waiter->timeout);
	free(waiter);
}

static void reply_page(struct http_request *request, const struct flow_page *page)
{
	size_t size;
	uint8_t *bytes = flow_page_encode(page, &size);

	http_reply(request, 200, FLOWS_TYPE, bytes, size);
	free(bytes);
}

/* False: there is no answer so far. */
static bool answer(struct seat_flows *of, struct http_request *request, uint64_t run, uint64_t after)
{
	struct flow_page page;

	if (!of->log || !flow_log_is_whole(of->log))
		return false;
	flow_log_page(of->log, run, after, FLOW_PAGE_ITEMS_MAX, &page);
	if (page.count || page.from_start) {
		reply_page(request, &page);
		flow_page_clear(&page);
		return true;
	}
	flow_page_clear(&page);
	return false;
}

static void reply_nothing(struct http_request *request)
{
	http_reply(request, 204, NULL, NULL, 0);
}

static void on_timeout(evutil_socket_t fd, short what, void *context)
{
	struct flow_waiter *waiter = context;
	struct http_request *request = waiter->request;

	(void)fd;
	(void)what;
	waiter_free(waiter);
	reply_nothing(request);
}

static void on_gone(struct http_request *request, void *context)
{
	(void)request;
	waiter_free(context);
}

/* Who asks anew does not wait for the older answer; should two go by one name, they do not chase each other. */
static void dismiss_older(struct seat_flows *of, const char *who)
{
	struct flow_waiter *waiter, *next;

	DL_FOREACH_SAFE(of->waiters, waiter, next)
	{
		struct http_request *request = waiter->request;

		if (strcmp(http_request_peer(request)->identity.name, who) != 0)
			continue;
		waiter_free(waiter);
		http_reply_problem(request, 409, "%s has asked anew", who);
	}
}

static void hold(struct seat_flows *of, struct http_request *request, uint64_t run, uint64_t after)
{
	struct timeval wait = {.tv_sec = FLOWS_HOLD_MS / 1000};
	struct flow_waiter *waiter = mem_new(1, sizeof(*waiter));

	dismiss_older(of, http_request_peer(request)->identity.name);
	*waiter = (struct flow_waiter){.of = of, .request = request, .run = run, .after = after};
	waiter->timeout = evtimer_new(of->seat->agent->base, on_timeout, waiter);
	evtimer_add(waiter->timeout, &wait);
	DL_APPEND(of->waiters, waiter);
	http_request_hold(request, on_gone, waiter);
}

static void on_gathered(evutil_socket_t fd, short what, void *context)
{
	struct seat_flows *of = context;
	struct flow_waiter *waiter, *next;

	(void)fd;
	(void)what;
	DL_FOREACH_SAFE(of->waiters, waiter, next)
	if (answer(of, waiter->request, waiter->run, waiter->after))
		waiter_free(waiter);
}

void flows_tell_soon(struct seat_flows *of)
{
	struct timeval wait = {.tv_usec = FLOWS_GATHER_MS * 1000};

	if (!of->gather)
		of->gather = evtimer_new(of->seat->agent->base, on_gathered, of);
	if (!event_pending(of->gather, EV_TIMEOUT, NULL))
		event_add(of->gather, &wait);
}

void flows_dismiss(struct seat_flows *of)
{
	while (of->waiters) {
		struct http_request *request = of->waiters->request;

		waiter_free(of->waiters);
		reply_nothing(request);
	}
	if (of->gather)
		event_free(of->gather);
	of->gather = NULL;
}

/* "after=RUN:SEQ", RUN of 16 hex digits; left out: nothing is known. */
static bool read_position(struct http_request *request, uint64_t *ret_run, uint64_t *ret_after)
{
	const char *text = http_request_query(request, "after");

	*ret_run = *ret_after = 0;
	if (!text)
		return true;
	if (strspn(text, "0123456789abcdef") != 16 || text[16] != ':')
		return false;
	*ret_run = strtoull(text, NULL, 16);
	return text_to_u64(text + 17, 0, UINT64_MAX, ret_after) >= 0;
}

static void on_question(struct http_request *request, void *context)
{
	struct flows *flows = context;
	const char *endpoint = http_request_query(request, "endpoint");
	struct agent_seat *seat = endpoint ? agent_seat_find(flows->agent, endpoint) : NULL;
	const char *who = http_request_peer(request)->identity.name;
	uint64_t run, after;

	if (!seat || !agent_seat_has_member(seat, who))
		http_reply_problem(request, 404, "no endpoint of this gateway that %s shares", who);
	else if (!read_position(request, &run, &after))
		http_reply_problem(request, 400, "after: expected RUN:SEQ");
	else if (!flows_is_source(seat) || !seat->flows)
		http_reply_problem(request, 409, "%s is %s here", endpoint, seat_role_name(seat->seat.role));
	else if (!answer(seat->flows, request, run, after))
		hold(seat->flows, request, run, after);
}

static bool admit(struct http_request *request, void *context)
{
	const struct http_peer *peer = http_request_peer(request);

	(void)context;
	if (peer->kind == HTTP_PEER_TLS && peer->identity.kind == TLS_KIND_GATEWAY)
		return true;
	http_reply_problem(request, 403, "only gateways of the pool may ask this");
	return false;
}

/* ---- where it listens ---- */

/* The first of each family, as liveness does. */
static size_t wanted_addresses(const struct desired *desired, struct addr addresses[2])
{
	bool has[2] = {false, false};
	size_t count = 0;

	for (size_t i = 0; i < desired->address_count; i++) {
		bool *mine = &has[desired->addresses[i].family == AF_INET6];

		if (!*mine)
			addresses[count++] = desired->addresses[i];
		*mine = true;
	}
	return count;
}

static bool listens_there(const struct flows *flows, const struct addr *addresses, size_t count)
{
	if (!flows->server || flows->address_count != count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!addr_equal(&flows->addresses[i], &addresses[i]))
			return false;
	return true;
}

static int listen_on(struct flows *flows, const struct addr *addr, SSL_CTX *tls, struct err *err)
{
	struct endpoint endpoint = {.addr = *addr, .port = FLOWS_PORT};
	char text[LISTEN_TEXT_MAX];

	return http_server_listen(flows->server, endpoint_format(&endpoint, text, sizeof(text)), tls, err);
}

static int new_tls(const struct flows *flows, SSL_CTX **ret_tls, struct err *err)
{
	const struct config *config = flows->agent->config;
	struct tls_files files = {.ca = config->ca, .certificate = config->certificate, .key = config->key};

	return tls_server_new(&files, ret_tls, NULL, err);
}

static int open_server(struct flows *flows, struct err *err)
{
	struct http_server_options options = {
		.connections_max = CONNECTIONS_MAX, .handshake_timeout_ms = HANDSHAKE_MS};
	struct http_route route = {.methods = HTTP_GET,
		.path = FLOWS_PATH,
		.handle = on_question,
		.admit = admit,
		.context = flows};
	SSL_CTX *tls;
	int r = new_tls(flows, &tls, err);

	if (r < 0)
		return r;
	flows->server = http_server_new(flows->agent->base, &options);
	http_server_route(flows->server, &route);
	for (size_t i = 0; r >= 0 && i < flows->address_count; i++)
		r = listen_on(flows, &flows->addresses[i], tls, err);
	SSL_CTX_free(tls);
	flows->tls_ms = clock_now_ms();
	return r;
}

static void renew_tls(struct flows *flows)
{
	SSL_CTX *tls;
	struct err err = {0};

	if (clock_now_ms() - flows->tls_ms < FLOWS_TLS_MS)
		return;
	flows->tls_ms = clock_now_ms();
	if (new_tls(flows, &tls, &err) < 0) {
		log_warning("flows", "certificate-not-renewed", log_err(&err));
		return;
	}
	http_server_set_tls(flows->server, tls);
	SSL_CTX_free(tls);
}

static bool has_pool(const struct desired *desired)
{
	for (size_t i = 0; i < desired->partner_count; i++)
		if (!desired->partners[i].is_controller)
			return true;
	return false;
}

void flows_serve_second(struct flows *flows)
{
	const struct desired *desired = flows->agent->held.desired;
	struct addr addresses[2];
	size_t count = has_pool(desired) ? wanted_addresses(desired, addresses) : 0;
	struct err err = {0};

	if (listens_there(flows, addresses, count)) {
		renew_tls(flows);
		return;
	}
	flows_serve_close(flows);
	if (!count)
		return;
	flows->address_count = count;
	memcpy(flows->addresses, addresses, count * sizeof(*addresses));
	if (open_server(flows, &err) >= 0)
		return;
	log_limited(LEVEL_WARNING, "flows", "not-open", "", log_err(&err));
	flows_serve_close(flows);
}

void flows_serve_close(struct flows *flows)
{
	http_server_free(flows->server);
	flows->server = NULL;
	flows->address_count = 0;
}
