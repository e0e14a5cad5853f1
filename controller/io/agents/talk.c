/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/io/log.h"
#include "controller/io/agents/registry.h"
#include "proto/stranger.h"

enum { STAGED_BODY_MAX = 64 * 1024, REPORT_BODY_MAX = 64 * 1024 * 1024 };

/* One that left the fleet while it could not be reached: it takes this for its release (proto/stranger.h). */
static void reply_stranger(struct http_request *request, const struct agents *agents, const char *name)
{
	struct stranger stranger = {.store = agents->store};
	char *text;
	text_copy(stranger.gateway, sizeof stranger.gateway, name);
	text = stranger_encode(&stranger);
	log_limited(LEVEL_WARNING, "agents", "unknown-gateway", name, log_text("gateway", name));
	http_reply(request, 404, "application/problem+json", text, strlen(text));
	free(text);
}

/* Who asks, by certificate. Replies and returns NULL when nobody we know. */
static struct agent *authenticate(struct agents *agents, struct http_request *request)
{
	const struct http_peer *peer = http_request_peer(request);
	if (peer->kind != HTTP_PEER_TLS || peer->identity.kind != TLS_KIND_GATEWAY) {
		log_limited(LEVEL_WARNING, "agents", "refused", peer->identity.name,
			log_text("kind", tls_kind_text(peer->identity.kind)),
			log_text("name", peer->identity.name), log_text("why", "not a gateway"));
		http_reply_problem(
			request, 403, "only a gateway's certificate (holdfast:gateway:NAME) may do this");
		return NULL;
	}
	struct agent *agent = agents_find(agents, peer->identity.name);
	if (!agent)
		agent = agents_admit(agents, peer->identity.name);
	if (!agent)
		reply_stranger(request, agents, peer->identity.name);
	else
		agent->certificate = (struct lifetime){peer->certificate_start_ms, peer->certificate_end_ms};
	return agent;
}

/* What an earlier life of the agent was told and said means nothing any more. */
static void meet_boot(struct agent *agent, uint64_t boot)
{
	if (agent->boot == boot)
		return;
	agent_disconnect(agent);
	queue_clear(&agent->queue);
	agent->boot = boot;
	agent->reported = false;
	agent->directory_acked = agent->directory_sent = agent->directory_seq = 0;
}

static int parse_hex(const char *text, char end, uint64_t *ret_value, const char **ret_end)
{
	char *stop;
	if (!text || !isxdigit((unsigned char)*text))
		return -EINVAL;
	errno = 0;
	*ret_value = strtoull(text, &stop, 16);
	if (errno || *stop != end)
		return -EINVAL;
	*ret_end = stop;
	return 0;
}

/* after=RUN:SEQ; absent: nothing acknowledged. */
static int parse_after(const char *after, uint64_t *ret_run, uint64_t *ret_seq)
{
	const char *end;
	*ret_run = *ret_seq = 0;
	if (!after || !*after)
		return 0;
	int r = parse_hex(after, ':', ret_run, &end);
	return r < 0 ? r : text_to_u64(end + 1, 0, UINT64_MAX, ret_seq);
}

static void poll_gone(struct http_request *request, void *context)
{
	struct agent *agent = context;
	if (agent->poll != request)
		return;
	agent->poll = NULL;
	agent_disconnect(agent);
}

static void hold_poll(struct agent *agent, struct http_request *request)
{
	if (agent->poll) /* it asks on a new connection: the old one is dead or forgotten */
		agent_answer_poll(agent);
	agent->poll = request;
	agent->poll_ms = agent->heard_ms = clock_now_ms();
	agent->takes_in_ms = 0;
	http_request_hold(request, poll_gone, agent);
}

static void handle_orders(struct http_request *request, void *context)
{
	struct agents *agents = context;
	struct agent *agent = authenticate(agents, request);
	uint64_t boot, run, seq;
	const char *end;
	if (!agent)
		return;
	if (parse_hex(http_request_query(request, "boot"), 0, &boot, &end) < 0 || boot == 0 ||
		parse_after(http_request_query(request, "after"), &run, &seq) < 0) {
		http_reply_problem(request, 400, "expected ?boot=HEX&after=HEX:NUMBER");
		return;
	}
	meet_boot(agent, boot);
	if (run == agents->run) {
		queue_acknowledge(&agent->queue, seq);
		agents->hooks.acknowledged(agent, seq, agents->hooks.context);
	}
	hold_poll(agent, request);
	if (!agent->connected) {
		agent->connected = true;
		agents->hooks.connected(agent, agents->hooks.context);
	}
	if (agent->poll && agent->queue.count)
		agent_answer_poll(agent);
}

/* A message names its sender: it must be the one whose certificate it came with. */
static bool is_of(struct http_request *request, const struct agent *agent, const char *gateway)
{
	if (strcmp(agent->name, gateway) == 0)
		return true;
	log_limited(LEVEL_WARNING, "agents", "refused", agent->name, log_text("gateway", agent->name),
		log_text("speaks-for", gateway));
	http_reply_problem(
		request, 403, "the certificate is gateway %s's, the message %s's", agent->name, gateway);
	return false;
}

static void reply_bad_message(struct http_request *request, const struct agent *agent, const struct err *err)
{
	log_limited(LEVEL_WARNING, "agents", "bad-message", agent->name, log_text("gateway", agent->name),
		log_err(err));
	http_reply_problem(request, 400, "%s", err->text);
}

static void handle_staged(struct http_request *request, void *context)
{
	struct agents *agents = context;
	struct agent *agent = authenticate(agents, request);
	struct staged staged;
	struct err err = {0};
	size_t size;
	if (!agent)
		return;
	const char *body = http_request_body(request, &size);
	if (staged_decode(body, size, &staged, &err) < 0)
		return reply_bad_message(request, agent, &err);
	if (!is_of(request, agent, staged.gateway))
		return;
	agent->heard_ms = clock_now_ms();
	http_reply(request, 204, NULL, NULL, 0);
	if (staged.boot == agent->boot)
		agents->hooks.staged(agent, &staged, agents->hooks.context);
}

/* The agent keeps the report, without the sessions, which belong to the caller again afterwards. */
static void keep_report(struct agent *agent, const struct report *report)
{
	report_clear(&agent->report);
	agent->report = *report;
	agent->reported_ms = clock_now_ms();
	agent->report.sessions = NULL;
	agent->report.session_count = 0;
	agent->reported = true;
	agent->heard_ms = clock_now_ms();
	agent->skew_ms = report->wall_ms - clock_wall_ms();
}

static void handle_report(struct http_request *request, void *context)
{
	struct agents *agents = context;
	struct agent *agent = authenticate(agents, request);
	struct report report = {0};
	struct err err = {0};
	size_t size;
	if (!agent)
		return;
	const char *body = http_request_body(request, &size);
	if (report_decode(body, size, &report, &err) < 0)
		return reply_bad_message(request, agent, &err);
	if (is_of(request, agent, report.gateway)) {
		http_reply(request, 204, NULL, NULL, 0);
		meet_boot(agent, report.boot);
		keep_report(agent, &report);
		agents->hooks.reported(agent, &report, agents->hooks.context);
	}
	report_clear(&report);
}

/* A report may have megabytes of sessions: not of anybody whose certificate the CA has signed. */
static bool admit(struct http_request *request, void *context)
{
	return authenticate(context, request) != NULL;
}

void agents_serve(struct agents *agents, struct http_server *server)
{
	const struct http_route routes[] = {
		{.methods = HTTP_GET, .path = "/v1/agent/orders", .handle = handle_orders, .context = agents},
		{.methods = HTTP_POST,
			.path = "/v1/agent/staged",
			.body_max = STAGED_BODY_MAX,
			.handle = handle_staged,
			.context = agents,
			.admit = admit},
		{.methods = HTTP_POST,
			.path = "/v1/agent/report",
			.body_max = REPORT_BODY_MAX,
			.handle = handle_report,
			.context = agents,
			.admit = admit},
	};
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		http_server_route(server, &routes[i]);
}
