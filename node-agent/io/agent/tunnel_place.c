/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/tunnels_int.h"
#include "node-agent/io/wireguard/wireguard.h"

/* Where a tunnel is, and where its socket; and its device, which has to be asked there. */

/* ---- where ---- */

bool tunnel_is_in(const struct tunnel *tunnel, const struct place *place)
{
	return place ? tunnel->target == place : !tunnel->kept.target.where;
}

bool tunnel_sends_from(const struct tunnel *tunnel, const struct place *place)
{
	return place ? tunnel->birth == place : !tunnel->kept.birth.where;
}

struct underlay *tunnel_underlay(struct agent *agent, const struct tunnel *tunnel)
{
	if (!tunnel->kept.birth.where)
		return &agent->underlay;
	return tunnel->birth ? place_underlay(tunnel->birth) : NULL;
}

static int move(struct agent *agent, const struct quick_kept_space *space, struct place **at, struct err *err)
{
	struct place *before = *at;
	int r = 0;

	if (before && space->where && place_is(before, space) && place_is_found(before))
		return 0;
	*at = NULL;
	if (space->where)
		r = place_visit(agent, space, at, err);
	place_leave(before);
	return r;
}

void tunnel_settle(struct agent *agent, struct tunnel *tunnel)
{
	const struct place *before = tunnel->target;
	struct err err = {0};
	int r = move(agent, &tunnel->kept.target, &tunnel->target, &err);

	if (r >= 0)
		r = move(agent, &tunnel->kept.birth, &tunnel->birth, &err);
	if (tunnel->target != before)
		tunnel_forget_device(tunnel);
	if (r < 0 && !tunnel->unheard)
		log_warning("agent", "not-listened-to", log_text("tunnel", tunnel->name), log_err(&err));
	tunnel->unheard = r < 0;
}

void tunnel_leave_places(struct tunnel *tunnel)
{
	tunnel_forget_device(tunnel);
	place_leave(tunnel->target);
	place_leave(tunnel->birth);
	tunnel->target = tunnel->birth = NULL;
}

static bool is_lost(const struct place *place)
{
	return place && !place_is_found(place);
}

void tunnels_leave_lost(struct agent *agent)
{
	for (size_t i = 0; i < tunnels_count(agent); i++) {
		struct tunnel *tunnel = agent->tunnels->items[i];

		if (!is_lost(tunnel->target) && !is_lost(tunnel->birth))
			continue;
		tunnel_leave_places(tunnel);
		tunnel_look_soon(agent, tunnel);
	}
}

/* ---- its device ---- */

static int open_device(void *context, struct err *err)
{
	struct tunnel *tunnel = context;

	return wg_open(tunnel->name, WG_TIMEOUT_MS, &tunnel->wg, err);
}

static int need_device(struct agent *agent, struct tunnel *tunnel, struct err *err)
{
	int r;

	if (silence_lasts(&tunnel->silence, clock_now_ms()))
		return err_set(
			err, -ETIMEDOUT, "%s does not answer: its WireGuard program hangs", tunnel->name);
	if (tunnel->wg)
		return 0;
	if (!tunnel->kept.target.where)
		r = open_device(tunnel, err);
	else if (tunnel->target)
		r = place_do(tunnel->target, open_device, tunnel, err);
	else
		r = err_set(err, -ENOENT, "%s is in a network namespace that is not found", tunnel->name);
	if (r >= 0 && wg_is_userspace(tunnel->wg))
		wg_set_timeout(tunnel->wg, reconcile_patience_ms(agent->reconcile));
	return r;
}

/* Not to be asked again and again while nobody answers; and opened anew after anything else that fails. */
static int conclude(struct tunnel *tunnel, int r)
{
	if (r == -ETIMEDOUT)
		silence_missed(&tunnel->silence, clock_now_ms());
	else
		silence_heard(&tunnel->silence);
	if (r < 0 && r != -ETIMEDOUT)
		tunnel_forget_device(tunnel);
	return r;
}

int tunnel_get_device(
	struct agent *agent, const struct tunnel *of, struct wg_device *ret_device, struct err *err)
{
	struct tunnel *tunnel = tunnels_get(agent, of->name);
	int r = need_device(agent, tunnel, err);

	return r < 0 ? r : conclude(tunnel, wg_get(tunnel->wg, ret_device, err));
}

int tunnel_set_device(
	struct agent *agent, const struct tunnel *of, const struct wg_change *change, struct err *err)
{
	struct tunnel *tunnel = tunnels_get(agent, of->name);
	int r = need_device(agent, tunnel, err);

	return r < 0 ? r : conclude(tunnel, wg_set(tunnel->wg, change, err));
}

void tunnel_forget_device(struct tunnel *tunnel)
{
	wg_close(tunnel->wg);
	tunnel->wg = NULL;
}
