/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/flows_int.h"

/* ---- the standby's side: asking the owner, and telling the kernel ---- */

enum {
	ANSWER_MS = FLOWS_HOLD_MS + 3000,
	CONNECT_MS = 3000,
	TURN_MS = 2,    /* of the loop, before others get theirs */
	SETTLE_MS = 20, /* that a takeover waits for what came in last */
	URL_MAX = 256,
};

static void ask(struct seat_flows *of);

/* ---- the kernel ---- */

static size_t ops_left(const struct seat_flows *of)
{
	return of->ops.count - of->ops_done;
}

/* Of another endpoint, too, which is served here: its entries are this kernel's own, and newer. Networks may meet. */
static bool is_served_here(const struct seat_flows *of, const struct flow *flow)
{
	const struct agent *agent = of->seat->agent;

	for (size_t i = 0; i < agent->seat_count; i++) {
		const struct agent_seat *seat = agent->seats[i];

		if (seat != of->seat && (seat_holds(&seat->seat) || flows_is_source(seat)) && seat->flows &&
			seat->flows->scope && !flow_scope_refuse(seat->flows->scope, flow))
			return true;
	}
	return false;
}

/* A run of operations of one kind, as many as go into one call; what is not to be touched is passed over. */
static size_t next_run(struct seat_flows *of, struct flow *flows)
{
	enum flow_op_kind kind = of->ops.items[of->ops_done].kind;
	size_t count = 0, done = 0;

	while (ops_left(of) && done < CONNTRACK_BATCH_MAX && of->ops.items[of->ops_done].kind == kind) {
		const struct flow *flow = &of->ops.items[of->ops_done++].flow;

		done++;
		if (!is_served_here(of, flow))
			flows[count++] = *flow;
	}
	return count;
}

static void count_made(struct flows *flows, const struct conntrack_made *made)
{
	flows->loaded += made->made;
	flows->refused += made->refused;
	if (made->refused)
		log_limited(LEVEL_WARNING, "flows", "refused-by-kernel", "", log_u64("count", made->refused),
			log_errno(made->error));
}

/* forwards: what this kernel has seen itself is newer. */
static void do_run(struct seat_flows *of, bool forwards)
{
	struct flows *all = of->seat->agent->flows;
	struct flow flows[CONNTRACK_BATCH_MAX];
	struct conntrack_made made = {0};
	enum flow_op_kind kind = of->ops.items[of->ops_done].kind;
	size_t count = next_run(of, flows);
	int r = 0;

	if (!count)
		return;
	switch (kind) {
	case FLOW_OP_LOAD:
		r = conntrack_load(all->conntrack, flows, count, !forwards, &made);
		break;
	case FLOW_OP_UPDATE:
		r = forwards ? 0 : conntrack_update(all->conntrack, flows, count, &made);
		break;
	case FLOW_OP_DELETE:
		r = forwards ? 0 : conntrack_delete(all->conntrack, flows, count);
		break;
	}
	count_made(all, &made);
	if (r < 0)
		log_limited(LEVEL_WARNING, "flows", "kernel-not-told", "", log_errno(r));
}

static void end_ops(struct seat_flows *of)
{
	flow_ops_clear(&of->ops);
	of->ops_done = 0;
}

static void on_work(evutil_socket_t fd, short what, void *context)
{
	struct seat_flows *of = context;
	int64_t until_ms = clock_now_ms() + TURN_MS;

	(void)fd;
	(void)what;
	while (ops_left(of) && clock_now_ms() < until_ms)
		do_run(of, seat_holds(&of->seat->seat)); /* a guest forwards what its peers send */
	if (ops_left(of)) {
		event_add(of->work, &(struct timeval){.tv_usec = TURN_MS * 1000});
		return;
	}
	end_ops(of);
	ask(of);
}

static void work(struct seat_flows *of)
{
	if (!of->work)
		of->work = evtimer_new(of->seat->agent->base, on_work, of);
	if (!event_pending(of->work, EV_TIMEOUT, NULL))
		event_add(of->work, &(struct timeval){0});
}

void flows_settle(struct agent_seat *seat)
{
	struct seat_flows *of = seat->flows;

	int64_t until_ms = clock_now_ms() + SETTLE_MS;

	if (!of || of->log)
		return;
	while (ops_left(of) && clock_now_ms() < until_ms)
		do_run(of, false);
}

bool flows_mirror_is_busy(const struct seat_flows *of)
{
	return ops_left(of);
}

void flows_mirror_check(struct seat_flows *of, const struct flow *flow)
{
	if (!of->sweeping || seat_holds(&of->seat->seat) || !flow_mirror_is_whole(of->mirror) ||
		flow_scope_refuse(of->scope, flow) || flow_mirror_has(of->mirror, flow) ||
		is_served_here(of, flow))
		return;
	of->ops.items = mem_grow(of->ops.items, &of->ops.capacity, of->ops.count + 1, sizeof(*of->ops.items));
	of->ops.items[of->ops.count++] = (struct flow_op){.kind = FLOW_OP_DELETE, .flow = *flow};
	work(of);
}

/* ---- the owner ---- */

static void take(struct seat_flows *of, const struct flow_page *page)
{
	bool was_whole = flow_mirror_is_whole(of->mirror);
	uint64_t refused = flow_mirror_refused(of->mirror);

	flow_mirror_take(of->mirror, of->scope, page, clock_now_ms(), &of->ops);
	if (flow_mirror_refused(of->mirror) > refused)
		log_limited(LEVEL_INFO, "flows", "refused", of->source, log_text("from", of->source),
			log_text("last", flow_mirror_refusal(of->mirror)));
	if (was_whole || !flow_mirror_is_whole(of->mirror))
		return;
	of->sweep_wanted = true;
	log_info("flows", "mirrored", log_text("endpoint", of->seat->seat.config.endpoint),
		log_text("from", of->source), log_u64("flows", flow_mirror_count(of->mirror)));
}

static void take_body(struct seat_flows *of, const struct http_response *response)
{
	struct flow_page page;
	int r = flow_page_decode((const uint8_t *)response->body, response->size, &page);

	if (r < 0) {
		log_limited(LEVEL_WARNING, "flows", "malformed", of->source, log_text("from", of->source),
			log_errno(r));
		return;
	}
	take(of, &page);
	flow_page_clear(&page);
}

/* After a failure, or an answer that was no use, the next second asks again; where nobody could be reached, at the next address. */
static void on_answer(const struct http_response *response, const struct err *err, void *context)
{
	struct seat_flows *of = context;

	of->transfer = NULL;
	text_copy(of->failure, sizeof(of->failure), err ? err->text : "");
	if (err) {
		of->failures++;
		log_limited(LEVEL_INFO, "flows", "no-answer", of->source, log_text("from", of->source),
			log_err(err));
		return;
	}
	if (response->status == 200)
		take_body(of, response);
	else if (response->status == 204)
		flow_mirror_hear(of->mirror, clock_now_ms());
	if (response->status != 200 && response->status != 204) {
		snprintf(of->failure, sizeof(of->failure), "it answers %d", response->status);
		return;
	}
	of->heard_ms = clock_now_ms();
	work(of);
}

static const struct desired_partner *source_partner(const struct seat_flows *of)
{
	const struct desired *desired = of->seat->agent->held.desired;

	for (size_t i = 0; i < desired->partner_count; i++)
		if (!desired->partners[i].is_controller && !strcmp(desired->partners[i].name, of->source))
			return &desired->partners[i];
	return NULL;
}

static int open_client(struct seat_flows *of, struct err *err)
{
	struct agent *agent = of->seat->agent;
	struct http_client_options options = {.tls = {.ca = agent->config->ca,
						      .certificate = agent->config->certificate,
						      .key = agent->config->key},
		.server_kind = TLS_KIND_GATEWAY,
		.server_name = of->source};

	return of->client ? 0 : http_client_new(agent->base, &options, &of->client, err);
}

static void make_url(const struct seat_flows *of, const struct desired_partner *partner, char url[URL_MAX])
{
	struct endpoint at = {
		.addr = partner->addresses[of->failures % partner->address_count], .port = FLOWS_PORT};
	char text[ENDPOINT_TEXT_MAX];
	uint64_t run, last;
	int length = snprintf(url, URL_MAX, "https://%s" FLOWS_PATH "?endpoint=%s",
		endpoint_format(&at, text, sizeof(text)), of->seat->seat.config.endpoint);

	flow_mirror_position(of->mirror, &run, &last);
	if (run)
		snprintf(url + length, URL_MAX - (size_t)length, "&after=%016" PRIx64 ":%" PRIu64, run, last);
}

/* What it answered before is worked off first: a kernel that is slow is not asked for more. */
static void ask(struct seat_flows *of)
{
	const struct desired_partner *partner = of->source[0] ? source_partner(of) : NULL;
	struct http_exchange exchange = {.timeout_ms = ANSWER_MS,
		.connect_timeout_ms = CONNECT_MS,
		.response_max = FLOW_PAGE_BYTES_MAX};
	char url[URL_MAX];
	struct err err = {0};

	if (of->transfer || ops_left(of) || !of->scope || flows_is_source(of->seat) || !partner ||
		!partner->address_count)
		return;
	if (open_client(of, &err) < 0) {
		log_limited(LEVEL_WARNING, "flows", "cannot-ask", of->source, log_err(&err));
		return;
	}
	make_url(of, partner, url);
	exchange.url = url;
	of->transfer = http_client_start(of->client, &exchange, on_answer, of);
}

static void end_client(struct seat_flows *of)
{
	http_transfer_cancel(of->transfer);
	of->transfer = NULL;
	http_client_free(of->client);
	of->client = NULL;
}

void flows_heard(struct agent_seat *seat, const char *member, const struct seat_state *state)
{
	struct seat_flows *of = flows_of(seat);

	if (!of || !seat_role_serves(state->role) || epoch_compare(&state->epoch, &of->source_epoch) < 0)
		return;
	of->source_epoch = state->epoch;
	if (!strcmp(of->source, member))
		return;
	end_client(of);
	of->heard_ms = 0;
	of->failures = 0;
	of->failure[0] = '\0';
	text_copy(of->source, sizeof(of->source), member);
	if (!flows_is_source(seat))
		ask(of);
}

int64_t flows_mirrored_ms(const struct agent_seat *seat, const char **ret_why)
{
	const struct seat_flows *of = seat->flows;

	*ret_why = of ? of->failure : "";
	if (!of || !of->heard_ms || of->failure[0] || !flow_mirror_is_whole(of->mirror))
		return INT64_MIN;
	return of->heard_ms;
}

void flows_mirror_second(struct seat_flows *of)
{
	if (!seat_holds(&of->seat->seat))
		flow_mirror_tick(of->mirror, clock_now_ms(), &of->ops);
	if (ops_left(of))
		work(of);
	else
		ask(of);
}

void flows_mirror_end(struct seat_flows *of)
{
	end_client(of);
	end_ops(of);
	if (of->work)
		event_free(of->work);
	of->work = NULL;
	of->sweep_wanted = of->sweeping = false;
}
