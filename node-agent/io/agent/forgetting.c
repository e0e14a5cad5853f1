/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"

/*
 * A demoted gateway that keeps its sessions poisons a later failback. wireguard-go is told peer by peer, 10,000 of them for seconds: in
 * parts, so that beats go on and leases of other endpoints are renewed. One that hangs is told when it answers again. Its fence is closed
 * meanwhile, and its seat, which waits for this to end, does not open it.
 */

enum {
	PART_MAX = 32,  /* peers made anew in one turn of the loop: some 10 ms */
	HANGS_MS = 250, /* before who hangs is looked at again; how often it is asked is repair/silence.h's */
};

struct spoken {
	struct key public_key;
	struct endpoint endpoint;
};

struct forgetting {
	struct agent_seat *seat;
	struct event *timer;
	int64_t began_ms; /* what was read before says nothing of sessions made since */
	size_t tunnel_count, tunnel;
	char tunnels[PROTO_TUNNELS_MAX]
		    [PROTO_INTERFACE_MAX + 1]; /* the endpoint may have others by the end */
	struct spoken *peers; /* of the tunnel that it is at; NULL: its device is being read, or hangs */
	size_t count, done;
};

static void set_peers(
	struct agent *agent, const char *tunnel, const struct wg_peer_change *changes, size_t count)
{
	struct err err = {0};

	if (agent_set_peers(agent, tunnel, changes, count, &err) < 0)
		log_limited(LEVEL_WARNING, "standby", "not-forgotten", tunnel, log_text("tunnel", tunnel),
			log_err(&err));
}

/* What it was told last may not have been done. */
static bool hangs(struct agent *agent, const char *tunnel)
{
	return !reconcile_may_ask(agent->reconcile, tunnel);
}

/* ---- the kernel's: the link goes down and up ---- */

/* A keepalive left on would make it initiate as soon as the link is up again. */
static void keepalives_off(struct agent *agent, const struct wg_device *device)
{
	struct wg_peer_change *changes = mem_new(device->peer_count + 1, sizeof(*changes));
	size_t count = 0;

	for (size_t i = 0; i < device->peer_count; i++)
		if (device->peers[i].keepalive_s)
			changes[count++] = (struct wg_peer_change){.public_key = device->peers[i].public_key,
				.flags = WG_PEER_UPDATE_ONLY | WG_PEER_SET_KEEPALIVE};
	set_peers(agent, device->name, changes, count);
	free(changes);
}

static void bounce(struct agent *agent, const struct wg_device *device)
{
	struct err err = {0};

	keepalives_off(agent, device);
	if (reconcile_bounce(agent->reconcile, device->name, &err) < 0)
		log_warning(
			"standby", "sessions-not-forgotten", log_text("tunnel", device->name), log_err(&err));
}

/* ---- wireguard-go's ---- */

/* It does not notice that its link went down and up (seen with 0.0.20220316, even a second apart), so those peers that have
 * ever spoken are made anew: sessions, timers and indices go with them. */
static struct spoken *who_spoke(const struct wg_device *device, size_t *ret_count)
{
	struct spoken *spoken = mem_new(device->peer_count + 1, sizeof(*spoken));

	*ret_count = 0;
	for (size_t i = 0; i < device->peer_count; i++) {
		const struct wg_peer *peer = &device->peers[i];

		if (peer->handshake_s || peer->tx_bytes || peer->keepalive_s)
			spoken[(*ret_count)++] = (struct spoken){peer->public_key, peer->endpoint};
	}
	return spoken;
}

/* Where it is now, should a controller have told since. */
static const struct endpoint *endpoint_of(
	struct agent *agent, const char *tunnel, const struct spoken *spoken)
{
	const struct endpoint *live = standby_live_endpoint(tunnel, &spoken->public_key, agent);

	return live ? live : &spoken->endpoint;
}

/* count: at most PART_MAX. */
static void recreate(struct agent *agent, const char *tunnel, const struct spoken *peers, size_t count)
{
	struct wg_peer_change changes[2 * PART_MAX];
	size_t filled = 0;

	for (size_t i = 0; i < count; i++)
		filled += agent_recreate_peer(agent, tunnel, &peers[i].public_key,
			endpoint_of(agent, tunnel, &peers[i]), 0, changes + filled);
	set_peers(agent, tunnel, changes, filled);
	mem_wipe(changes, sizeof(changes));
}

/* How many are done then. Those of a message that was not answered are not: they are made anew once more. */
static size_t recreate_some(
	struct agent *agent, const char *tunnel, const struct spoken *peers, size_t count, size_t done)
{
	size_t part = count - done < PART_MAX ? count - done : PART_MAX;

	recreate(agent, tunnel, peers + done, part);
	return hangs(agent, tunnel) ? done : done + part;
}

/* ---- all of a tunnel now ---- */

static void forget(struct agent *agent, const struct wg_device *device)
{
	struct spoken *peers;
	size_t count, done = 0;

	if (!device->userspace) {
		bounce(agent, device);
		return;
	}
	peers = who_spoke(device, &count);
	while (done < count && !hangs(agent, device->name))
		done = recreate_some(agent, device->name, peers, count, done);
	free(peers);
}

static void read_and_forget(struct agent *agent, const char *tunnel)
{
	CLEANUP_WG_DEVICE struct wg_device device = {0};

	if (agent_get_device(agent, tunnel, &device) >= 0)
		forget(agent, &device);
}

/* ---- in parts ---- */

static void schedule(struct forgetting *forgetting)
{
	event_add(forgetting->timer, &(struct timeval){.tv_usec = 1});
}

static void wait_for_answers(struct forgetting *forgetting)
{
	event_add(forgetting->timer, &(struct timeval){.tv_usec = HANGS_MS * 1000});
}

static void end(struct agent_seat *seat)
{
	struct forgetting *forgetting = seat->forgetting;

	seat->forgetting = NULL;
	event_free(forgetting->timer);
	free(forgetting->peers);
	free(forgetting);
	agent_look_soon(seat->agent); /* routes and IPv6 addresses went with a link */
}

/* Its device is read in the thread, or here if that can't be. */
static void read_next(struct forgetting *forgetting)
{
	struct agent *agent = forgetting->seat->agent;

	for (; forgetting->tunnel < forgetting->tunnel_count; forgetting->tunnel++) {
		const char *tunnel = forgetting->tunnels[forgetting->tunnel];

		owner_ask(agent, tunnel);
		if (device_reader_is_asked(agent->reader, tunnel))
			return;
		if (!hangs(agent, tunnel))
			read_and_forget(agent, tunnel);
		if (hangs(agent, tunnel)) {
			wait_for_answers(forgetting);
			return;
		}
	}
	end(forgetting->seat);
}

static void drop_peers(struct forgetting *forgetting)
{
	free(forgetting->peers);
	forgetting->peers = NULL;
	forgetting->count = forgetting->done = 0;
}

static void next_tunnel(struct forgetting *forgetting)
{
	drop_peers(forgetting);
	forgetting->tunnel++;
	read_next(forgetting);
}

static void go_on(struct forgetting *forgetting)
{
	struct agent *agent = forgetting->seat->agent;
	const char *tunnel = forgetting->tunnels[forgetting->tunnel];

	if (!hangs(agent, tunnel))
		forgetting->done =
			recreate_some(agent, tunnel, forgetting->peers, forgetting->count, forgetting->done);
	if (hangs(agent, tunnel))
		wait_for_answers(forgetting);
	else if (forgetting->done < forgetting->count)
		schedule(forgetting);
	else
		next_tunnel(forgetting);
}

static void tell_if_over(struct agent_seat *seat)
{
	struct seat_event forgotten = {.kind = SEAT_EVENT_FORGOTTEN};

	if (!seat->forgetting)
		agent_seat_step(seat, &forgotten);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct forgetting *forgetting = context;
	struct agent_seat *seat = forgetting->seat;

	(void)fd;
	(void)what;
	if (forgetting->peers)
		go_on(forgetting);
	else
		read_next(forgetting);
	tell_if_over(seat);
}

static void take_read(struct forgetting *forgetting, const struct device_read *read)
{
	if (forgetting->peers || strcmp(forgetting->tunnels[forgetting->tunnel], read->tunnel) != 0)
		return;
	if (read->began_ms <= forgetting->began_ms || hangs(forgetting->seat->agent, read->tunnel)) {
		read_next(forgetting);
	} else if (read->result >= 0 && read->device.userspace) {
		forgetting->peers = who_spoke(&read->device, &forgetting->count);
		schedule(forgetting);
	} else {
		if (read->result >= 0)
			bounce(forgetting->seat->agent, &read->device);
		next_tunnel(forgetting);
	}
}

void forgetting_take_read(struct agent *agent, const struct device_read *read)
{
	for (size_t i = 0; i < agent->seat_count; i++) {
		struct agent_seat *seat = agent->seats[i];

		if (!seat->forgetting)
			continue;
		take_read(seat->forgetting, read);
		tell_if_over(seat);
	}
}

static void finish_tunnel(struct forgetting *forgetting, const char *tunnel)
{
	struct agent *agent = forgetting->seat->agent;

	while (forgetting->done < forgetting->count && !hangs(agent, tunnel))
		forgetting->done =
			recreate_some(agent, tunnel, forgetting->peers, forgetting->count, forgetting->done);
	if (!forgetting->peers)
		read_and_forget(agent, tunnel);
	if (hangs(agent, tunnel))
		log_warning("standby", "sessions-not-forgotten", log_text("tunnel", tunnel),
			log_text("why", "its WireGuard program hangs"));
	drop_peers(forgetting);
}

void forgetting_finish(struct agent_seat *seat)
{
	struct forgetting *forgetting = seat->forgetting;

	if (!forgetting)
		return;
	for (size_t i = forgetting->tunnel; i < forgetting->tunnel_count; i++)
		finish_tunnel(forgetting, forgetting->tunnels[i]);
	end(seat);
}

static struct forgetting *forgetting_new(struct agent_seat *seat)
{
	struct forgetting *forgetting = mem_new(1, sizeof(*forgetting));

	forgetting->seat = seat;
	forgetting->timer = event_new(seat->agent->base, -1, 0, on_timer, forgetting);
	forgetting->began_ms = clock_now_ms();
	return forgetting;
}

/* Few peers are. false: in parts. */
static bool forget_now(struct agent *agent, const char *tunnel)
{
	if (!aside_is_small(agent) || hangs(agent, tunnel))
		return false;
	read_and_forget(agent, tunnel);
	return !hangs(agent, tunnel);
}

bool forgetting_begin(struct agent_seat *seat)
{
	const struct desired_endpoint *endpoint = agent_seat_endpoint(seat);
	struct forgetting *forgetting = NULL;

	for (size_t i = 0; i < endpoint->tunnel_count; i++) {
		if (forget_now(seat->agent, endpoint->tunnels[i]))
			continue;
		if (!forgetting)
			forgetting = forgetting_new(seat);
		text_copy(forgetting->tunnels[forgetting->tunnel_count++], sizeof(forgetting->tunnels[0]),
			endpoint->tunnels[i]);
	}
	seat->forgetting = forgetting;
	if (forgetting)
		read_next(forgetting);
	return !seat->forgetting;
}
