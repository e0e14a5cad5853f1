/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/agent.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/file.h"
#include "common/io/log.h"
#include "common/io/tls.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/wireguard/implementation.h"

#include <openssl/ssl.h>

/* The certificate must say who we say we are: a controller would not believe anything else. One that has ended keeps us from
 * the controllers, and from nothing else: what we serve goes on, and people are told. */
static int check_identity(const struct config *config, struct err *err)
{
	struct tls_files files = {.ca = config->ca, .certificate = config->certificate, .key = config->key};
	struct tls_identity own;
	SSL_CTX *context;
	int r = tls_client_new(&files, TLS_KIND_CONTROLLER, &context, &own, err);

	if (r == -EKEYEXPIRED)
		log_error("agent", "certificate-ended", log_err(err));
	else if (r < 0)
		return r;
	else
		SSL_CTX_free(context);
	if (own.kind == TLS_KIND_GATEWAY && !strcmp(own.name, config->gateway))
		return 0;
	return err_set(err, -EINVAL,
		"%s is the certificate of %s %s, and %s says gateway: %s: correct one of them",
		config->certificate, tls_kind_text(own.kind), own.name, config->path, config->gateway);
}

static struct state_seats collect_seats(struct agent *agent)
{
	struct state_seats seats = {.stranger = agent->stranger, .floor = agent->floor.known};

	for (size_t i = 0; i < agent->seat_count; i++) {
		struct state_seat *seat = &seats.items[seats.count++];

		text_copy(seat->endpoint, sizeof(seat->endpoint), agent->seats[i]->seat.config.endpoint);
		seat->disk = agent->seats[i]->seat.disk;
	}
	state_keep_seats(&seats, &agent->disk);
	return seats;
}

uint64_t agent_save_seats(struct agent *agent)
{
	if (!agent->seat_count)
		return 0; /* a gateway without endpoints keeps what it knew */
	agent->disk = collect_seats(agent);
	return state_writer_seats(agent->writer, &agent->disk);
}

/* Timers stand still while the host sleeps; CLOCK_BOOTTIME does not. */
static void check_sleep(struct agent *agent)
{
	struct seat_event event = {.kind = SEAT_EVENT_STALLED};
	int64_t offset_ms = clock_boottime_ms() - clock_now_ms();
	int64_t jump_ms = offset_ms - agent->sleep_offset_ms;

	agent->sleep_offset_ms = offset_ms;
	if (jump_ms < AGENT_JUMP_MS)
		return;
	log_warning("agent", "host-slept", log_i64("ms", jump_ms));
	agent_seats_step(agent, &event);
	agent_successions_stalled(agent);
}

void agent_tell_blind(struct agent *agent)
{
	int64_t now_ms = clock_now_ms();
	bool blind = false;

	for (size_t i = 0; i < agent->seat_count; i++)
		blind |= !seat_underlay_is_ok(&agent->seats[i]->seat, now_ms);
	if (agent->liveness)
		liveness_set_blind(agent->liveness, blind);
}

static void check_disk(struct agent *agent)
{
	struct err err = {0};

	if (agent->writer && state_writer_failed(agent->writer, &err))
		log_limited(LEVEL_ERROR, "agent", "state-not-saved", "", log_err(&err));
}

static void on_second(evutil_socket_t fd, short what, void *context)
{
	struct agent *agent = context;

	(void)fd;
	(void)what;
	check_sleep(agent);
	owner_poll(agent);
	holding_second(agent);
	names_second(agent);
	tunnels_second(agent);
	agent_expiry_second(agent);
	agent_key_files_second(agent);
	check_disk(agent);
	agent_tell_blind(agent);
	flows_second(agent);
	telling_soon(agent);
	if (agent->renewal)
		renewal_look(agent->renewal,
			control_is_connected(agent->control) ? control_url(agent->control) : NULL);
	if (!agent->liveness || !agent->has_way_to_controller)
		agent_beats_update(agent); /* addresses or routes may have come since */
}

static int open_kernel(struct agent *agent, struct err *err)
{
	int r = reconcile_open(agent->config->path, agent->config->implementation, &agent->reconcile, err);

	if (r >= 0)
		r = agent_look_open(agent, err);
	if (r >= 0)
		r = names_open(agent, err);
	if (r >= 0)
		r = tunnels_open(agent, err);
	if (r < 0 || config_is_alone(agent->config))
		return r;
	flows_open(agent);
	standing_open(agent);
	telling_open(agent);
	hooks_open(agent);
	r = owner_open(agent, err);
	if (r >= 0)
		r = checking_open(agent, err);
	holding_open(agent);
	if (r < 0)
		return r;
	r = announce_open(&agent->announce, err);
	if (r >= 0)
		r = witness_open(agent, err);
	return r;
}

static int open_disk(struct agent *agent, struct err *err)
{
	int r = file_make_directories(agent->config->run, 0755, err);

	if (r < 0 || config_is_alone(agent->config))
		return r;
	r = state_prepare(agent->config->state, err);
	if (r >= 0)
		r = state_load_seats(agent->config->state, &agent->disk, err);
	if (r >= 0)
		r = state_writer_new(agent->config->state, &agent->writer, err);
	agent->stranger = agent->disk.stranger;
	agent->floor.known = agent->disk.floor;
	if (r >= 0)
		agent_succession_open(agent);
	return r;
}

/* Before anything reads the certificate: half a renewal may be there. */
static int open_renewal(struct agent *agent, struct err *err)
{
	const struct config *config = agent->config;
	struct tls_files files = {.ca = config->ca, .certificate = config->certificate, .key = config->key};

	return renewal_new(agent->base, &files, config->gateway, &agent->renewal, err);
}

static int open_all(struct agent *agent, struct err *err)
{
	struct timeval second = {.tv_sec = AGENT_SECOND_MS / 1000};
	bool alone = config_is_alone(agent->config);
	int r = alone ? 0 : open_renewal(agent, err);

	if (r >= 0 && !alone)
		r = check_identity(agent->config, err);

	if (r >= 0 && !alone) /* better said at the start than when the first fleet arrives */
		r = wg_implementation_check(agent->config->implementation, NULL, err);
	if (r >= 0)
		r = open_disk(agent, err);
	if (r >= 0)
		r = agent_serve_health(agent, err);
	if (r >= 0)
		r = agent_serve_local(agent, err);
	if (r >= 0)
		r = open_kernel(agent, err);
	if (r >= 0 && !alone)
		r = agent_control_open(agent, err);
	if (r < 0)
		return r;
	event_add(agent->second, &second);
	if (alone)
		return 0;
	r = agent_adopt(agent, err);
	if (r >= 0)
		leaving_open(agent);
	return r;
}

int agent_new(struct event_base *base, const struct config *config, struct agent **ret_agent, struct err *err)
{
	struct agent *agent = mem_new(1, sizeof(*agent));
	int r;

	agent->base = base;
	agent->config = config;
	agent->boot = clock_boot_id();
	agent->compared_ms = INT64_MIN;
	agent->started_ms = agent->leader_ms = clock_now_ms();
	agent->sleep_offset_ms = clock_boottime_ms() - agent->started_ms;
	agent->sessions = sessions_new();
	agent->second = event_new(base, -1, EV_PERSIST, on_second, agent);
	r = open_all(agent, err);
	if (r < 0) {
		agent_free(agent);
		return r;
	}
	*ret_agent = agent;
	return 0;
}

void agent_free(struct agent *agent)
{
	if (!agent)
		return;
	log_flush();
	leaving_close(agent);
	renewal_free(agent->renewal);
	control_free(agent->control);
	liveness_free(agent->liveness);
	agent_seats_free(agent);
	owner_close(agent);
	standing_close(agent);
	checking_close(agent);
	telling_close(agent);
	hooks_close(agent);
	holding_close(agent);
	drill_close(agent);
	flows_close(agent);
	http_server_free(agent->health);
	http_server_free(agent->local);
	witness_close(agent);
	announce_close(agent->announce);
	agent_look_close(agent);
	names_close(agent);
	tunnels_close(agent);
	reconcile_close(agent->reconcile);
	generation_clear(&agent->held);
	generation_clear(&agent->staged);
	reach_free(agent->reached);
	desired_free(agent->previous);
	plan_scope_clear(&agent->left);
	sessions_free(agent->sessions);
	timeline_clear(&agent->moments);
	agent_succession_close(agent);
	state_writer_free(agent->writer);
	event_free(agent->second);
	free(agent);
}
