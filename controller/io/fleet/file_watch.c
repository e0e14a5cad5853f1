/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/fleet/file_watch.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "controller/core/quiet/quiet.h"

enum {
	READS_MAX = 4, /* of 16 KiB at a time: up to 4,096 events, and others have their turn */
	OF_NAMES = IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_MOVE_SELF,
	OF_FILES = OF_NAMES | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB,
};

struct file_watch {
	int fd;
	struct event *readable, *timer;
	struct file_places places; /* owned */
	int *ids;                  /* owned; of places.items, as inotify calls them; -1: not watched */
	struct quiet quiet;
	bool is_told; /* that it is restless */
	file_watch_changed *changed;
	file_watch_restless *restless;
	void *context;
};

static void arm(struct file_watch *watch)
{
	int64_t due_ms = quiet_due_ms(&watch->quiet), wait_ms = due_ms - clock_now_ms();
	if (due_ms < 0)
		return;
	if (wait_ms < 0)
		wait_ms = 0;
	const struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000L};
	evtimer_add(watch->timer, &wait);
}

/* Made just now by who will write it, and not a link to what is whole. */
static bool is_begun(const struct file_place *place, const char *name)
{
	struct text path = {0};
	struct stat status;
	text_add(&path, "%s/%s", place->directory, name);
	bool is_begun = lstat(path.data, &status) == 0 && S_ISREG(status.st_mode) && status.st_nlink == 1;
	text_clear(&path);
	return is_begun;
}

static enum quiet_change change_of(
	const struct inotify_event *event, const struct file_place *place, const char *name)
{
	if (event->mask & IN_MODIFY)
		return QUIET_WRITTEN;
	if (event->mask & IN_CREATE && place->has_files && !(event->mask & IN_ISDIR))
		return is_begun(place, name) ? QUIET_WRITTEN : QUIET_CHANGED;
	return event->mask & IN_ATTRIB ? QUIET_TOUCHED : QUIET_CHANGED;
}

static void note_in(
	struct file_watch *watch, const struct inotify_event *event, const struct file_place *place)
{
	const char *name = event->len ? event->name : ""; /* "": the directory itself */
	if (*name && !file_place_has(place, name))
		return;
	quiet_note(&watch->quiet, change_of(event, place, name), event->wd, name, clock_now_ms());
}

/* A directory may have two names, and then stands there twice. */
static void note(struct file_watch *watch, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW)
		quiet_note(&watch->quiet, QUIET_CHANGED, -1, "", clock_now_ms());
	for (size_t i = 0; i < watch->places.count; i++) {
		if (watch->ids[i] != event->wd || event->wd < 0)
			continue;
		note_in(watch, event, &watch->places.items[i]);
		if (event->mask & IN_IGNORED)
			watch->ids[i] = -1;
	}
}

static const char *directory_of(const struct file_watch *watch, int id)
{
	for (size_t i = 0; i < watch->places.count; i++)
		if (watch->ids[i] == id)
			return watch->places.items[i].directory;
	return NULL;
}

bool file_watch_is_restless(const struct file_watch *watch, int64_t now_ms, char *path, size_t size)
{
	const struct quiet_file *file = quiet_restless(&watch->quiet, now_ms);
	const char *directory = file ? directory_of(watch, file->directory) : NULL;
	if (file)
		snprintf(path, size, "%s%s%s", directory ? directory : "something of the fleet file's",
			*file->name ? "/" : "", file->name);
	return file != NULL;
}

static void look_for_restless(struct file_watch *watch)
{
	char path[FILE_WATCH_PATH_MAX];
	bool was_told = watch->is_told;
	watch->is_told = file_watch_is_restless(watch, clock_now_ms(), path, sizeof path);
	if (watch->is_told && !was_told)
		watch->restless(path, watch->context);
}

/* false: nothing is left. */
static bool read_some(struct file_watch *watch)
{
	char buffer[16384] __attribute__((aligned(__alignof__(struct inotify_event))));
	ssize_t length = read(watch->fd, buffer, sizeof buffer);
	for (char *at = buffer; at < buffer + length;) {
		const struct inotify_event *event = (const void *)at;
		note(watch, event);
		at += sizeof *event + event->len;
	}
	return length > 0;
}

/* Is all known by now? If not, the rest comes in the next turn. */
static bool drain(struct file_watch *watch)
{
	int reads = 0;
	while (reads < READS_MAX && read_some(watch))
		reads++;
	arm(watch);
	return reads < READS_MAX;
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	drain(context);
	look_for_restless(context);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	struct file_watch *watch = context;
	(void)fd;
	(void)what;
	if (drain(watch) && quiet_take(&watch->quiet, clock_now_ms()))
		watch->changed(watch->context);
}

int file_watch_new(struct event_base *base, file_watch_changed *changed, file_watch_restless *restless,
	void *context, struct file_watch **ret_watch, struct err *err)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (fd < 0)
		return err_set(err, -errno, "inotify: %s (fs.inotify.max_user_instances?)", strerror(errno));
	struct file_watch *watch = mem_new(1, sizeof *watch);
	*watch = (struct file_watch){.fd = fd, .changed = changed, .restless = restless, .context = context};
	watch->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, watch);
	watch->timer = evtimer_new(base, on_timer, watch);
	event_add(watch->readable, NULL);
	*ret_watch = watch;
	return 0;
}

static bool has_id(const int *ids, size_t count, int id)
{
	for (size_t i = 0; i < count; i++)
		if (ids[i] == id)
			return true;
	return false;
}

/* -1: it is not watched. Two names of one directory ask for it twice: neither takes away what the other wants. */
static int add(struct file_watch *watch, const struct file_place *place, struct err *err)
{
	uint32_t wanted = place->has_files ? OF_FILES : OF_NAMES;
	int id = inotify_add_watch(watch->fd, place->directory, wanted | IN_ONLYDIR | IN_MASK_ADD);
	if (id >= 0 || errno == ENOENT || errno == ENOTDIR) /* its own directory says when it comes */
		return id;
	if (errno == EACCES &&
		!place->has_files) /* one on the way, such as somebody's home: only that it is replaced goes unseen */
		return -1;
	err_at(err, -errno, place->directory, 0, 0, "cannot be watched: %s%s", strerror(errno),
		errno == ENOSPC ? " (fs.inotify.max_user_watches?)" : "");
	return -1;
}

/* The first failure is told. */
static int add_all(struct file_watch *watch, const struct file_places *places, int *ids, struct err *err)
{
	int result = 0;
	for (size_t i = 0; i < places->count; i++) {
		struct err why = {0};
		ids[i] = add(watch, &places->items[i], &why);
		if (!why.text[0] || result < 0)
			continue;
		result = -EIO;
		*err = why;
	}
	if (places->is_cut && result == 0)
		result = err_set(
			err, -E2BIG, "more than %d directories: not all are watched", FILE_PLACES_MAX);
	return result;
}

/* What has happened there since it was read has been noted. */
static bool was_seen(const struct file_watch *watch, int id, const struct file_place *place)
{
	for (size_t i = 0; i < watch->places.count; i++)
		if (watch->ids[i] == id && file_place_covers(&watch->places.items[i], place))
			return true;
	return false;
}

int file_watch_set(struct file_watch *watch, struct file_places *places, struct err *err)
{
	size_t before = watch->places.count;
	int *old = watch->ids, *ids = mem_new(places->count + 1, sizeof *ids);
	int r = add_all(watch, places, ids, err);
	for (size_t i = 0; i < places->count; i++)
		if (ids[i] >= 0 && !was_seen(watch, ids[i], &places->items[i]))
			quiet_note(&watch->quiet, QUIET_CHANGED, ids[i], "", clock_now_ms());
	for (size_t i = 0; i < before; i++)
		if (old[i] >= 0 && !has_id(ids, places->count, old[i]))
			inotify_rm_watch(watch->fd, old[i]);
	free(old);
	file_places_clear(&watch->places);
	watch->places = *places;
	*places = (struct file_places){0};
	watch->ids = ids;
	arm(watch);
	return r;
}

bool file_watch_is_quiet(struct file_watch *watch)
{
	if (!drain(watch)) {
		quiet_note(&watch->quiet, QUIET_CHANGED, -1, "", clock_now_ms());
		arm(watch);
	}
	return quiet_due_ms(&watch->quiet) < 0;
}

void file_watch_free(struct file_watch *watch)
{
	if (!watch)
		return;
	event_free(watch->readable);
	event_free(watch->timer);
	close(watch->fd);
	quiet_clear(&watch->quiet);
	file_places_clear(&watch->places);
	free(watch->ids);
	free(watch);
}
