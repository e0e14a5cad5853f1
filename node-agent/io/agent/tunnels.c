/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/io/agent/tunnels_int.h"

size_t tunnels_count(const struct agent *agent)
{
	return agent->tunnels ? agent->tunnels->count : 0;
}

const struct tunnel *tunnels_at(const struct agent *agent, size_t index)
{
	return agent->tunnels->items[index];
}

const char *tunnels_left_out(const struct agent *agent)
{
	return agent->tunnels && agent->tunnels->left_out.data ? agent->tunnels->left_out.data : "";
}

uint64_t tunnels_version(const struct agent *agent)
{
	return agent->tunnels ? agent->tunnels->version : 0;
}

struct tunnel *tunnels_get(const struct agent *agent, const char *name)
{
	for (size_t i = 0; i < tunnels_count(agent); i++)
		if (!strcmp(agent->tunnels->items[i]->name, name))
			return agent->tunnels->items[i];
	return NULL;
}

const struct tunnel *tunnels_find(const struct agent *agent, const char *name)
{
	return tunnels_get(agent, name);
}

/* ---- which there are ---- */

static void free_tunnel(struct tunnel *tunnel)
{
	tunnel_leave_places(tunnel);
	quick_kept_clear(&tunnel->kept);
	free(tunnel);
}

static void add(struct agent *agent, const char *name)
{
	struct tunnels *tunnels = agent->tunnels;
	struct tunnel *tunnel = mem_new(1, sizeof(*tunnel));

	text_copy(tunnel->name, sizeof(tunnel->name), name);
	tunnel->repair.whole = true; /* its journal says so */
	tunnels->items =
		mem_grow(tunnels->items, &tunnels->capacity, tunnels->count + 1, sizeof(struct tunnel *));
	tunnels->items[tunnels->count++] = tunnel;
	tunnel_look_in(agent, tunnel, 0);
}

static void forget(struct agent *agent, size_t index)
{
	struct tunnels *tunnels = agent->tunnels;
	struct tunnel *tunnel = tunnels->items[index];

	free_tunnel(tunnel);
	tunnels->items[index] = tunnels->items[--tunnels->count];
	tunnels->version++;
}

static int by_name(const void *left, const void *right)
{
	return strcmp(left, right);
}

static bool is_among(const char *name, const struct quick_kept_names *names)
{
	return names->count && bsearch(name, names->items, names->count, sizeof(*names->items), by_name);
}

static void forget_gone(struct agent *agent, const struct quick_kept_names *names)
{
	for (size_t i = agent->tunnels->count; i-- > 0;)
		if (!is_among(agent->tunnels->items[i]->name, names))
			forget(agent, i);
}

/* Those that are kept stay so, however many come. */
static void add_new(struct agent *agent, const struct quick_kept_names *names, struct text *left_out)
{
	for (size_t i = 0; i < names->count; i++) {
		if (tunnels_get(agent, names->items[i]))
			continue;
		if (agent->tunnels->count < QUICK_KEPT_MAX)
			add(agent, names->items[i]);
		else
			text_add(left_out, "%s%s", left_out->data ? " " : "", names->items[i]);
	}
}

/* Once for the same ones. */
static void tell_left_out(struct tunnels *tunnels, struct text *left_out)
{
	const char *now = left_out->data ? left_out->data : "";
	const char *before = tunnels->left_out.data ? tunnels->left_out.data : "";

	if (*now && strcmp(now, before) != 0)
		log_warning("agent", "too-many-tunnels", log_i64("kept", QUICK_KEPT_MAX),
			log_text("not_kept", now));
	text_clear(&tunnels->left_out);
	tunnels->left_out = *left_out;
}

void tunnels_scan(struct agent *agent)
{
	static const uint32_t mask = IN_MOVED_TO | IN_DELETE | IN_ONLYDIR;
	CLEANUP_QUICK_KEPT_NAMES struct quick_kept_names names = {0};
	struct tunnels *tunnels = agent->tunnels;
	struct text left_out = {0};
	struct err err = {0};

	tunnels_take_answer(agent); /* what was repaired of one that has gone since is told */
	(void)inotify_add_watch(tunnels->inotify_fd, tunnels->directory, mask); /* before it is listed */
	if (quick_kept_list(agent->config->run, &names, &err) < 0) {
		log_limited(LEVEL_WARNING, "agent", "tunnels-not-listed", "", log_err(&err));
		return; /* none of them has gone for that */
	}
	if (names.count)
		qsort(names.items, names.count, sizeof(*names.items), by_name);
	forget_gone(agent, &names);
	add_new(agent, &names, &left_out);
	tell_left_out(tunnels, &left_out);
	names_update(agent);
}

static bool ends_with(const char *text, const char *suffix)
{
	size_t length = strlen(text), tail = strlen(suffix);

	return length > tail && !strcmp(text + length - tail, suffix);
}

/* Those that a command kept from being looked at. Our looks take locks, too, but never the one that they found taken. */
static void on_unlocked(struct agent *agent, const char *lock)
{
	for (size_t i = 0; i < agent->tunnels->count; i++) {
		struct tunnel *tunnel = agent->tunnels->items[i];

		if (tunnel->kept.state == QUICK_KEPT_BUSY && !strcmp(tunnel->kept.awaited, lock))
			tunnel_look_in(agent, tunnel, 0);
	}
}

/* Does it say anything about which there are? Locks come and go with each look. */
static bool on_file(struct agent *agent, const struct inotify_event *event)
{
	char name[NAME_MAX + 1];
	struct tunnel *tunnel;

	text_copy(name, sizeof(name), event->len ? event->name : "");
	if (ends_with(name, ".lock")) {
		on_unlocked(agent, name);
		return false;
	}
	if (ends_with(name, ".json"))
		name[strlen(name) - strlen(".json")] = '\0';
	tunnel = event->mask & IN_MOVED_TO ? tunnels_get(agent, name) : NULL;
	if (tunnel)
		tunnel_look_soon(agent, tunnel);
	return true;
}

static void on_files(evutil_socket_t fd, short what, void *context)
{
	char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct agent *agent = context;
	bool changed = false;
	ssize_t length;

	(void)what;
	while ((length = read(fd, buffer, sizeof(buffer))) > 0)
		for (char *at = buffer; at < buffer + length;) {
			const struct inotify_event *event = (const void *)at;

			changed |= on_file(agent, event);
			at += sizeof(*event) + event->len;
		}
	if (changed)
		tunnels_scan(agent);
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
	tunnels->files = event_new(agent->base, tunnels->inotify_fd, EV_READ | EV_PERSIST, on_files, agent);
	event_add(tunnels->files, NULL);
	tunnels_look_open(agent);
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
	tunnels_scan(agent);
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
	tunnels_leave_lost(agent);
	if (now_ms < tunnels->regular_ms)
		return;
	tunnels->regular_ms = now_ms + AGENT_SLOW_POLL_MS;
	tunnels_scan(agent);
	for (size_t i = 0; i < tunnels->count; i++)
		tunnel_look_in(agent, tunnels->items[i], 0);
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
	for (size_t i = 0; i < tunnels->count; i++)
		free_tunnel(tunnels->items[i]);
	free(tunnels->items);
	text_clear(&tunnels->left_out);
	if (tunnels->inotify_fd >= 0)
		close(tunnels->inotify_fd);
	quick_keeper_close(agent->config->run, tunnels->lock_fd);
	free(tunnels);
	agent->tunnels = NULL;
}
