/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/tunnels_int.h"

#include <string.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"

/* ---- when to look ---- */

static struct tunnel *next_due(const struct tunnels *tunnels)
{
	struct tunnel *next = NULL;

	for (size_t i = 0; i < tunnels->count; i++)
		if (tunnels->items[i]->due && (!next || tunnels->items[i]->look_ms < next->look_ms))
			next = tunnels->items[i];
	return next;
}

static void schedule(struct tunnels *tunnels)
{
	const struct tunnel *next = next_due(tunnels);
	int64_t wait_ms = next ? next->look_ms - clock_now_ms() : 0;
	struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000};

	if (wait_ms < 0)
		wait = (struct timeval){0};
	if (next)
		event_add(tunnels->timer, &wait);
}

void tunnel_look_in(struct agent *agent, struct tunnel *tunnel, int64_t wait_ms)
{
	int64_t at_ms = clock_now_ms() + wait_ms;

	if (tunnel->due && tunnel->look_ms <= at_ms)
		return;
	tunnel->due = true;
	tunnel->look_ms = at_ms;
	schedule(agent->tunnels);
}

void tunnel_look_soon(struct agent *agent, struct tunnel *tunnel)
{
	tunnel_look_in(agent, tunnel, repair_delay_ms(&tunnel->repair, clock_now_ms()));
}

void tunnels_look_soon(struct agent *agent, const char *name)
{
	struct tunnel *tunnel = tunnels_get(agent, name);

	if (tunnel)
		tunnel_look_soon(agent, tunnel);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	static const struct repair_basis basis;
	struct agent *agent = context;
	struct tunnel *tunnel = next_due(agent->tunnels);

	(void)fd;
	(void)what;
	if (!tunnel || keeper_look(agent->tunnels->keeper, tunnel->name) < 0)
		return; /* its answer looks at the time again */
	tunnel->due = false;
	tunnel->lines = 0;
	repair_begin(&tunnel->repair, &basis, clock_now_ms());
}

/* ---- what a look found ---- */

static void note_repairs(struct agent *agent, struct tunnel *tunnel, const struct quick_kept *kept)
{
	for (size_t i = 0; i < kept->repair_count; i++) {
		const struct quick_repair *repair = &kept->repairs[i];
		int64_t took_ms;
		const char *why;

		if (!repair_done(&tunnel->repair, repair->what, repair->text, clock_now_ms(), &why, &took_ms))
			continue;
		repair_count(&agent->repair, repair->what);
		if (repair->what == REPAIR_LINK || repair->what == REPAIR_MTU)
			repair_forget(&tunnel->repair, REPAIR_MTU);
		repairs_note(agent, &tunnel->lines, repair->text, why, took_ms);
	}
	repairs_note_rest(agent, tunnel->lines);
}

static void note_state(struct agent *agent, struct tunnel *tunnel, enum quick_kept_state now)
{
	if (now == QUICK_KEPT_BUSY || now == tunnel->told)
		return;
	tunnel->told = now;
	if (now == QUICK_KEPT_LOST)
		journal_add(&agent->journal, "lost", NULL,
			"the link of %s is gone: `holdfast up %s` makes it anew, `holdfast down %s` takes "
			"away "
			"the rest",
			tunnel->name, tunnel->name, tunnel->name);
	if (now == QUICK_KEPT_UP)
		journal_add(
			&agent->journal, "kept", NULL, "%s of `holdfast up` is kept as it is", tunnel->name);
}

static void fail(struct agent *agent, struct tunnel *tunnel, const char *why)
{
	text_copy(tunnel->failure, sizeof(tunnel->failure), why);
	log_limited(LEVEL_WARNING, "agent", "not-kept", tunnel->name, log_text("tunnel", tunnel->name),
		log_text("why", why));
	tunnel->retry_ms = tunnel->retry_ms ? tunnel->retry_ms * 2 : TUNNELS_RETRY_MS;
	if (tunnel->retry_ms > AGENT_SLOW_POLL_MS)
		tunnel->retry_ms = AGENT_SLOW_POLL_MS;
	tunnel_look_in(agent, tunnel, tunnel->retry_ms);
}

static void take_up(struct agent *agent, struct tunnel *tunnel, struct quick_kept *kept)
{
	note_state(agent, tunnel, kept->state);
	if (kept->state == QUICK_KEPT_BUSY) {
		tunnel->kept.state = QUICK_KEPT_BUSY;
		text_copy(tunnel->kept.awaited, sizeof(tunnel->kept.awaited), kept->awaited);
		quick_kept_clear(kept);
		tunnel_look_in(agent, tunnel, TUNNELS_RETRY_MS);
		return;
	}
	if (kept->peers_left_out && !tunnel->kept.peers_left_out)
		log_warning("agent", "peers-not-watched", log_text("tunnel", tunnel->name),
			log_u64("peers", kept->peers_left_out), log_u64("limit", QUICK_KEPT_PEERS_MAX));
	quick_kept_clear(&tunnel->kept);
	tunnel->kept = *kept;
	tunnel_settle(agent, tunnel);
	agent->tunnels->version++;
	names_update(agent);
	if (tunnel_underlay(agent, tunnel))
		underlay_check_soon(tunnel_underlay(agent, tunnel));
	if (kept->failure[0]) {
		fail(agent, tunnel, tunnel->kept.failure);
		return;
	}
	tunnel->failure[0] = '\0';
	tunnel->retry_ms = 0;
}

/* What was repaired is told whatever failed after it. */
static void take_look(struct agent *agent, struct tunnel *tunnel, struct keeper_answer *answer)
{
	struct quick_kept *kept = &answer->kept;
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX + 32];

	agent->looks++;
	agent->operations += kept->repair_count;
	note_repairs(agent, tunnel, kept);
	repair_end(&tunnel->repair,
		answer->result >= 0 && !kept->failure[0] && kept->state != QUICK_KEPT_BUSY, clock_now_ms());
	if (answer->result >= 0) {
		take_up(agent, tunnel, kept);
		return;
	}
	quick_kept_clear(kept);
	if (tunnel->kept.state == QUICK_KEPT_BUSY)
		tunnel->kept.state = QUICK_KEPT_NONE; /* nobody is waited for any more */
	fail(agent, tunnel, err_format(&answer->err, line, sizeof(line)));
}

void tunnels_take_answer(struct agent *agent)
{
	struct keeper_answer answer;
	struct tunnel *tunnel;

	if (!keeper_next(agent->tunnels->keeper, &answer))
		return;
	if (answer.result >= 0 &&
		answer.kept.state == QUICK_KEPT_UNDONE) /* its journal has gone, and so may it */
		journal_add(&agent->journal, "undone", NULL,
			"a command had been killed while at work on %s: all of it was taken back",
			answer.name);
	tunnel = tunnels_get(agent, answer.name);
	if (tunnel)
		take_look(agent, tunnel, &answer);
	else
		quick_kept_clear(&answer.kept);
	schedule(agent->tunnels);
}

static void on_answer(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	tunnels_take_answer(context);
}

void tunnels_look_open(struct agent *agent)
{
	struct tunnels *tunnels = agent->tunnels;

	tunnels->timer = evtimer_new(agent->base, on_timer, agent);
	tunnels->answers =
		event_new(agent->base, keeper_fd(tunnels->keeper), EV_READ | EV_PERSIST, on_answer, agent);
	event_add(tunnels->answers, NULL);
}
