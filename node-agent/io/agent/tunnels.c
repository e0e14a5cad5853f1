/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/agent/tunnels.h"

#include <errno.h>
#include <limits.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/core/quick/target.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/agent/keeper.h"

struct tunnels {
	struct keeper *keeper;
	int lock_fd, inotify_fd;
	char directory[PATH_MAX];
	struct event *answers, *files, *timer;
	size_t count;
	struct tunnel *items[QUICK_KEPT_MAX];
	int64_t regular_ms; /* when to look at all of them again */
	uint64_t version;
};

size_t tunnels_count(const struct agent *agent)
{
	return agent->tunnels ? agent->tunnels->count : 0;
}

const struct tunnel *tunnels_at(const struct agent *agent, size_t index)
{
	return agent->tunnels->items[index];
}

uint64_t tunnels_version(const struct agent *agent)
{
	return agent->tunnels ? agent->tunnels->version : 0;
}

static struct tunnel *find(const struct agent *agent, const char *name)
{
	for (size_t i = 0; i < tunnels_count(agent); i++)
		if (!strcmp(agent->tunnels->items[i]->name, name))
			return agent->tunnels->items[i];
	return NULL;
}

const struct tunnel *tunnels_find(const struct agent *agent, const char *name)
{
	return find(agent, name);
}

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

static void look_in(struct agent *agent, struct tunnel *tunnel, int64_t wait_ms)
{
	int64_t at_ms = clock_now_ms() + wait_ms;

	if (tunnel->due && tunnel->look_ms <= at_ms)
		return;
	tunnel->due = true;
	tunnel->look_ms = at_ms;
	schedule(agent->tunnels);
}

static void look_soon(struct agent *agent, struct tunnel *tunnel)
{
	look_in(agent, tunnel, repair_delay_ms(&tunnel->repair, clock_now_ms()));
}

void tunnels_look_soon(struct agent *agent, const char *name)
{
	struct tunnel *tunnel = find(agent, name);

	if (tunnel)
		look_soon(agent, tunnel);
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

/* ---- which there are ---- */

static void add(struct agent *agent, const char *name)
{
	struct tunnels *tunnels = agent->tunnels;
	struct tunnel *tunnel = mem_new(1, sizeof(*tunnel));

	text_copy(tunnel->name, sizeof(tunnel->name), name);
	tunnel->repair.whole = true; /* its journal says so */
	tunnels->items[tunnels->count++] = tunnel;
	look_in(agent, tunnel, 0);
}

static void forget(struct agent *agent, size_t index)
{
	struct tunnels *tunnels = agent->tunnels;
	struct tunnel *tunnel = tunnels->items[index];

	reconcile_forget_wg(agent->reconcile, tunnel->name);
	quick_kept_clear(&tunnel->kept);
	free(tunnel);
	tunnels->items[index] = tunnels->items[--tunnels->count];
	tunnels->version++;
}

static bool is_among(const char *name, char names[QUICK_KEPT_MAX][IFNAMSIZ], size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

static void take_answer(struct agent *agent);

static void scan(struct agent *agent)
{
	static const uint32_t mask = IN_MOVED_TO | IN_DELETE | IN_ONLYDIR;
	struct tunnels *tunnels = agent->tunnels;
	char names[QUICK_KEPT_MAX][IFNAMSIZ];
	size_t count;

	take_answer(agent); /* what was repaired of one that has gone since is told */
	(void)inotify_add_watch(tunnels->inotify_fd, tunnels->directory, mask); /* before it is listed */
	count = quick_kept_list(agent->config->run, names);
	for (size_t i = tunnels->count; i-- > 0;)
		if (!is_among(tunnels->items[i]->name, names, count))
			forget(agent, i);
	for (size_t i = 0; i < count && tunnels->count < QUICK_KEPT_MAX; i++)
		if (!find(agent, names[i]))
			add(agent, names[i]);
	names_update(agent);
}

static bool ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text), tail = strlen(suffix);

	return length > tail && !strcmp(text + length - tail, suffix);
}

/* A lock that goes is a command that ended (or ourselves, who wait for nobody then). */
static void on_unlocked(struct agent *agent)
{
	for (size_t i = 0; i < agent->tunnels->count; i++)
		if (agent->tunnels->items[i]->kept.state == QUICK_KEPT_BUSY)
			look_in(agent, agent->tunnels->items[i], 0);
}

static void on_file(struct agent *agent, const struct inotify_event *event)
{
	char name[NAME_MAX + 1];
	struct tunnel *tunnel;

	text_copy(name, sizeof(name), event->len ? event->name : "");
	if (ends_with(name, ".lock"))
		on_unlocked(agent);
	else if (ends_with(name, ".json"))
		name[strlen(name) - strlen(".json")] = '\0';
	tunnel = event->mask & IN_MOVED_TO ? find(agent, name) : NULL;
	if (tunnel)
		look_soon(agent, tunnel);
}

static void on_files(evutil_socket_t fd, short what, void *context)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct agent *agent = context;
	ssize_t length;

	(void)what;
	while ((length = read(fd, buffer, sizeof(buffer))) > 0)
		for (char *at = buffer; at < buffer + length;) {
			const struct inotify_event *event = (const void *)at;

			on_file(agent, event);
			at += sizeof(*event) + event->len;
		}
	scan(agent);
}

/* ---- what a look found ---- */

static void note_repairs(struct agent *agent, struct tunnel *tunnel, const struct quick_kept *kept)
{
	for (size_t i = 0; i < kept->repair_count; i++) {
		const struct quick_repair *repair = &kept->repairs[i];
		enum repair_what what =
			repair->of_dns ? REPAIR_DNS : repairs_what(repair->kind, repair->of_flags);
		int64_t took_ms;
		const char *why;

		if (!repair_done(&tunnel->repair, what, repair->text, clock_now_ms(), &why, &took_ms))
			continue;
		repair_count(&agent->repair, what);
		if (repair->kind == PLAN_LINK_SET)
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
	look_in(agent, tunnel, tunnel->retry_ms);
}

static void settle(struct agent *agent, struct tunnel *tunnel, struct quick_kept *kept)
{
	note_state(agent, tunnel, kept->state);
	if (kept->state == QUICK_KEPT_BUSY) {
		tunnel->kept.state = QUICK_KEPT_BUSY;
		quick_kept_clear(kept);
		look_in(agent, tunnel, TUNNELS_RETRY_MS);
		return;
	}
	quick_kept_clear(&tunnel->kept);
	tunnel->kept = *kept;
	agent->tunnels->version++;
	names_update(agent);
	underlay_check_soon(agent);
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
		settle(agent, tunnel, kept);
		return;
	}
	quick_kept_clear(kept);
	fail(agent, tunnel, err_format(&answer->err, line, sizeof(line)));
}

static void take_answer(struct agent *agent)
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
	tunnel = find(agent, answer.name);
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
	take_answer(context);
}

/* ---- what others tell ---- */

static void look_why(struct agent *agent, struct tunnel *tunnel, const struct monitor_event *event)
{
	repairs_told(&tunnel->repair, event);
	look_soon(agent, tunnel);
}

static void look_all(struct agent *agent, const struct monitor_event *event)
{
	for (size_t i = 0; i < tunnels_count(agent); i++)
		look_why(agent, agent->tunnels->items[i], event);
}

static void look_named(struct agent *agent, const char *name, const struct monitor_event *event)
{
	struct tunnel *tunnel = find(agent, name);

	if (tunnel)
		look_why(agent, tunnel, event);
}

/* Our own changes come back as events too: what is as it shall be is no reason for anything. */
static void on_link(struct agent *agent, const struct monitor_event *event)
{
	struct tunnel *tunnel = find(agent, event->link.name);

	if (tunnel && event->link.up && event->link.mtu == tunnel->kept.mtu)
		look_soon(agent, tunnel);
	else if (tunnel)
		look_why(agent, tunnel, event);
}

/* A new address is to be protected, too. */
static void on_new_address(struct agent *agent, const struct rtnl_address *address)
{
	struct tunnel *tunnel = find(agent, address->device);
	char text[PREFIX_TEXT_MAX];

	if (!tunnel || !tunnel->kept.needs_mark)
		return;
	repair_tell(&tunnel->repair, REPAIR_FIREWALL, clock_now_ms(), "%s was added to %s",
		prefix_format(&address->prefix, text, sizeof(text)), address->device);
	look_soon(agent, tunnel);
}

/* Host routes hide from the kernel's own answers that the way to their endpoints changed: any route may be it. */
static void on_route(struct agent *agent, const struct monitor_event *event)
{
	const struct rtnl_route *route = &event->route;
	bool ours = route->protocol == QUICK_PROTOCOL || route->protocol == PLAN_PROTOCOL ||
		    (route->protocol == QUICK_PROTOCOL_HOST && event->kind == MONITOR_ROUTE);

	for (size_t i = 0; i < tunnels_count(agent) && !ours && route->table != RT_TABLE_LOCAL; i++) {
		struct tunnel *tunnel = agent->tunnels->items[i];

		if (!tunnel->kept.has_host_routes)
			continue;
		repair_tell(&tunnel->repair, REPAIR_ROUTE, clock_now_ms(), "the underlay changed");
		look_soon(agent, tunnel);
	}
}

void tunnels_told(struct agent *agent, const struct monitor_event *event)
{
	switch (event->kind) {
	case MONITOR_LINK:
		on_link(agent, event);
		return;
	case MONITOR_LINK_GONE:
		look_named(agent, event->link.name, event);
		return;
	case MONITOR_ADDRESS:
		on_new_address(agent, &event->address);
		return;
	case MONITOR_ADDRESS_GONE:
		look_named(agent, event->address.device, event);
		return;
	case MONITOR_ROUTE:
		on_route(agent, event);
		return;
	case MONITOR_ROUTE_GONE:
		on_route(agent, event);
		if (event->route.table != RT_TABLE_LOCAL)
			look_named(agent, event->route.device, event);
		return;
	case MONITOR_RULE:
		return;
	case MONITOR_RULE_GONE:
		if (event->rule.protocol == QUICK_PROTOCOL)
			look_all(agent, event);
		return;
	case MONITOR_RESYNC:
		look_all(agent, event);
		return;
	}
}

void tunnels_firewall_changed(struct agent *agent)
{
	for (size_t i = 0; i < tunnels_count(agent); i++) {
		struct tunnel *tunnel = agent->tunnels->items[i];

		repair_tell(&tunnel->repair, REPAIR_FIREWALL, clock_now_ms(),
			"somebody deleted or changed a table (nft flush ruleset?)");
		look_soon(agent, tunnel);
	}
}

void tunnels_underlay_changed(struct agent *agent, const char *to, const char *way)
{
	for (size_t i = 0; i < tunnels_count(agent); i++) {
		struct tunnel *tunnel = agent->tunnels->items[i];

		repair_tell(&tunnel->repair, REPAIR_MTU, clock_now_ms(), "the way to %s is %s", to, way);
		look_soon(agent, tunnel);
	}
}

void tunnels_look_around(struct agent *agent)
{
	for (size_t i = 0; i < tunnels_count(agent); i++) {
		struct tunnel *tunnel = agent->tunnels->items[i];

		if (!tunnel->kept.has_host_routes)
			continue;
		repair_tell(&tunnel->repair, REPAIR_ROUTE, clock_now_ms(), "the underlay changed");
		look_in(agent, tunnel, 0);
	}
}

void tunnels_see_mark(struct agent *agent, const char *name, uint32_t mark)
{
	struct tunnel *tunnel = find(agent, name);

	if (!tunnel || tunnel->kept.state != QUICK_KEPT_UP || tunnel->kept.mark == mark)
		return;
	repair_tell(&tunnel->repair, REPAIR_WIREGUARD, clock_now_ms(), "somebody set the mark of %s to %u",
		name, mark);
	look_soon(agent, tunnel);
}

/* ---- start and end ---- */

static int open_all(struct agent *agent, struct tunnels *tunnels, struct err *err)
{
	static const uint32_t mask = IN_CREATE | IN_ONLYDIR;
	char parent[PATH_MAX];
	int r = quick_kept_directory(agent->config->run, tunnels->directory, sizeof(tunnels->directory), err);

	if (r < 0)
		return r;
	text_copy(parent, sizeof(parent), tunnels->directory);
	*strrchr(parent, '/') = '\0';
	tunnels->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (tunnels->inotify_fd < 0 || inotify_add_watch(tunnels->inotify_fd, parent, mask) < 0)
		return err_set(err, -errno, "%s cannot be watched: %s", parent, strerror(errno));
	return keeper_new(agent->config->run, &tunnels->keeper, err);
}

static void listen_to_all(struct agent *agent, struct tunnels *tunnels)
{
	tunnels->timer = evtimer_new(agent->base, on_timer, agent);
	tunnels->files = event_new(agent->base, tunnels->inotify_fd, EV_READ | EV_PERSIST, on_files, agent);
	tunnels->answers =
		event_new(agent->base, keeper_fd(tunnels->keeper), EV_READ | EV_PERSIST, on_answer, agent);
	event_add(tunnels->files, NULL);
	event_add(tunnels->answers, NULL);
}

static int keep_them(struct agent *agent, int lock_fd, struct err *err)
{
	int r;

	agent->tunnels = mem_new(1, sizeof(*agent->tunnels));
	agent->tunnels->lock_fd = lock_fd;
	agent->tunnels->inotify_fd = -1;
	r = open_all(agent, agent->tunnels, err);
	if (r < 0) {
		tunnels_close(agent);
		return r;
	}
	listen_to_all(agent, agent->tunnels);
	scan(agent);
	return 0;
}

int tunnels_open(struct agent *agent, struct err *err)
{
	int lock_fd = quick_keeper_open(agent->config->run, err);

	if (lock_fd == -EBUSY) {
		journal_add(&agent->journal, "tunnels-not-kept", NULL,
			"%s: they are kept from here as soon as it ends", err->text);
		return 0;
	}
	return lock_fd < 0 ? lock_fd : keep_them(agent, lock_fd, err);
}

/* The other agent may have been killed, which tells nobody. */
static void try_again(struct agent *agent)
{
	struct err err = {0};
	int r = quick_keeper_open(agent->config->run, &err);

	if (r >= 0)
		r = keep_them(agent, r, &err);
	if (r >= 0)
		journal_add(&agent->journal, "tunnels-kept", NULL,
			"no other agent keeps the tunnels of `holdfast up` any more: this one does");
	else if (r != -EBUSY)
		log_limited(LEVEL_WARNING, "agent", "tunnels-not-kept", "", log_err(&err));
}

void tunnels_second(struct agent *agent)
{
	struct tunnels *tunnels = agent->tunnels;
	int64_t now_ms = clock_now_ms();

	if (!tunnels) {
		try_again(agent);
		return;
	}
	if (now_ms < tunnels->regular_ms)
		return;
	tunnels->regular_ms = now_ms + AGENT_SLOW_POLL_MS;
	scan(agent);
	for (size_t i = 0; i < tunnels->count; i++)
		look_in(agent, tunnels->items[i], 0);
}

void tunnels_close(struct agent *agent)
{
	struct tunnels *tunnels = agent->tunnels;
	struct event *events[] = {tunnels ? tunnels->answers : NULL, tunnels ? tunnels->files : NULL,
		tunnels ? tunnels->timer : NULL};

	if (!tunnels)
		return;
	for (size_t i = 0; i < ARRAY_COUNT(events); i++)
		if (events[i])
			event_free(events[i]);
	keeper_free(tunnels->keeper);
	for (size_t i = 0; i < tunnels->count; i++) {
		quick_kept_clear(&tunnels->items[i]->kept);
		free(tunnels->items[i]);
	}
	if (tunnels->inotify_fd >= 0)
		close(tunnels->inotify_fd);
	quick_keeper_close(agent->config->run, tunnels->lock_fd);
	free(tunnels);
	agent->tunnels = NULL;
}
