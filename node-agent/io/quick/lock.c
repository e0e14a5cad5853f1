/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/file.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/keeping.h"
#include "node-agent/io/quick/lock.h"
#include "node-agent/io/quick/lock_file.h"
#include "node-agent/io/quick/session.h"

enum {
	TRY_EVERY_MS = 20,
	PATIENT_TRIES = 10, /* an agent's look at a tunnel is shorter */
	LOCK_PATH_MAX = PATH_MAX + 32
};

/* No interface has a space in its name. */
static const char ROUTES[] = "routes of all";

static const char *directory_of(const struct quick *quick, const char *name)
{
	return name == ROUTES ? quick->route_directory : quick->directory;
}

static void lock_path(const struct quick *quick, const char *name, char path[LOCK_PATH_MAX])
{
	snprintf(path, LOCK_PATH_MAX, "%s/%s.lock", directory_of(quick, name), name);
}

static int open_lock(struct quick *quick, const char *path)
{
	char directory[LOCK_PATH_MAX];
	int r, fd;

	text_copy(directory, sizeof(directory), path);
	*strrchr(directory, '/') = '\0';
	r = file_make_directories(directory, 0700, quick->err);
	if (r < 0)
		return r;
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 && errno == ENOENT)
		return -EAGAIN; /* the directory has just been removed by the one before us */
	return fd < 0 ? err_set(quick->err, -errno, "%s: %s", path, strerror(errno)) : fd;
}

/* -EAGAIN: another has it. */
static int try_once(struct quick *quick, const char *path)
{
	int fd = open_lock(quick, path), r = -EAGAIN;

	if (fd < 0)
		return fd;
	if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK)
			r = err_set(quick->err, -errno, "%s: %s", path, strerror(errno));
	} else if (lock_file_is_current(fd, path)) {
		return fd; /* a file that the one before us removed locks nothing */
	}
	close(fd);
	return r;
}

/* For an agent, which is told when the file goes. One of another namespace goes unseen. */
static void note_awaited(const struct quick *quick, const char *name)
{
	struct quick_kept *kept = quick->keeping ? quick->keeping->kept : NULL;

	if (kept)
		kept->state = QUICK_KEPT_BUSY;
	if (kept && !strcmp(directory_of(quick, name), quick->directory))
		snprintf(kept->awaited, sizeof(kept->awaited), "%s.lock", name);
}

/* -EAGAIN: another has it. */
static int take_now(struct quick *quick, const char *name, int *ret_fd)
{
	char path[LOCK_PATH_MAX];
	int fd;

	lock_path(quick, name, path);
	fd = try_once(quick, path);
	if (fd == -EAGAIN)
		note_awaited(quick, name);
	if (fd < 0)
		return fd;
	*ret_fd = fd;
	return 0;
}

static int took_too_long(struct quick *quick, const char *name)
{
	return err_set(quick->err, -EAGAIN, "another holdfast is at work on %s, for more than %d ms", name,
		quick->lock_timeout_ms);
}

/* The kernel tells nobody when a lock is free while signals are held back: so it is tried, and signals looked at
 * meanwhile. */
static int take(struct quick *quick, const char *name, int *ret_fd)
{
	char path[LOCK_PATH_MAX];
	int64_t deadline_ms = clock_now_ms() + quick->lock_timeout_ms;
	int r, tries = 0;

	lock_path(quick, name, path);
	while ((r = try_once(quick, path)) == -EAGAIN) {
		if (tries++ == PATIENT_TRIES)
			quick_say(quick, QUICK_WARNING, "another holdfast is at work on %s: waiting for it",
				name);
		if (quick->lock_timeout_ms && clock_now_ms() >= deadline_ms)
			return took_too_long(quick, name);
		r = quick_check_signal(quick, TRY_EVERY_MS);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	*ret_fd = r;
	return 0;
}

static void release(const struct quick *quick, const char *name, int *fd)
{
	char path[LOCK_PATH_MAX];

	if (*fd < 0)
		return;
	lock_path(quick, name, path);
	unlink(path);
	close(*fd);
	*fd = -1;
	rmdir(directory_of(quick, name)); /* the last one turns off the light */
}

int quick_try_lock(struct quick *quick)
{
	return take_now(quick, quick->name, &quick->lock_fd);
}

bool quick_found_lock_taken(const struct quick *quick)
{
	return quick->keeping && quick->keeping->kept && quick->keeping->kept->state == QUICK_KEPT_BUSY;
}

int quick_lock(struct quick *quick)
{
	return take(quick, quick->name, &quick->lock_fd);
}

/* One that was killed left its file: it goes, unless it is in use. */
static void sweep_routes(struct quick *quick)
{
	struct err before = *quick->err;
	char path[LOCK_PATH_MAX];
	int fd;

	lock_path(quick, ROUTES, path);
	if (quick->lock_fd < 0 || access(path, F_OK) < 0)
		return;
	fd = try_once(quick, path);
	release(quick, ROUTES, &fd);
	*quick->err = before;
}

void quick_unlock(struct quick *quick)
{
	quick_unlock_routes(quick);
	sweep_routes(quick);
	release(quick, quick->name, &quick->lock_fd);
}

int quick_lock_routes(struct quick *quick)
{
	int r;

	if (quick->route_lock_fd >= 0)
		return 0;
	if (quick->keeping && !quick->keeping->record_only)
		r = take_now(quick, ROUTES, &quick->route_lock_fd);
	else
		r = take(quick, ROUTES, &quick->route_lock_fd);
	if (r >= 0)
		quick_journal_take_handed(quick);
	return r;
}

void quick_unlock_routes(struct quick *quick)
{
	release(quick, ROUTES, &quick->route_lock_fd);
}
