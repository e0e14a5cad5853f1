/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/fleet_file.h"

#include <errno.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "controller/core/quiet/quiet.h"
#include "controller/core/refresh/refresh.h"
#include "controller/io/apply/apply.h"
#include "controller/io/apply/confirming.h"
#include "controller/io/audit.h"
#include "controller/io/controller.h"
#include "controller/io/fleet/file_watch.h"
#include "controller/io/fleet/generation.h"

enum { STATUS_WRONG = 422, STATUS_HINDERED = 409, STATUS_BROKEN = 500 };

static const char again[] = "the fleet file, once more";

/* One look at the disk, by the writer's thread. */
struct reading {
	struct fleet_file *file; /* NULL: the daemon is ending */
	char *path;              /* owned */
	bool is_watched;
	struct bundle bundle;
	struct file_places places;
};

struct fleet_file {
	struct controller *controller;
	struct file_watch *watch; /* NULL: it is not watched */
	struct reading *reading;  /* under way; NULL */
	struct refresh refresh;
	struct event *timer;                                           /* to apply it again */
	char failure[FLEET_FILE_TEXT_MAX], blind[FLEET_FILE_TEXT_MAX]; /* "": none */
};

void fleet_file_warn(const struct lines *warnings)
{
	for (size_t i = 0; i < warnings->count; i++)
		log_warning("fleet", "warning", log_text("text", warnings->items[i]));
}

int fleet_file_sum_up(const struct lines *errors, int r, struct err *err)
{
	if (errors->count > 1)
		return err_set(err, r, "%s (and %zu more: 'holdfast validate' shows all)", errors->items[0],
			errors->count - 1);
	return err_set(err, r, "%s", errors->count ? errors->items[0] : "the fleet file is wrong");
}

/* While a confirmation is awaited it would be in vain: fleet_file_retry() comes when it has ended. */
static void arm(struct fleet_file *file)
{
	int64_t due_ms = refresh_due_ms(&file->refresh), wait_ms = due_ms - clock_now_ms();
	if (due_ms < 0 || confirming_is_awaited(file->controller->confirming))
		return;
	if (wait_ms < 0)
		wait_ms = 0;
	const struct timeval wait = {.tv_sec = wait_ms / 1000, .tv_usec = wait_ms % 1000 * 1000L};
	evtimer_add(file->timer, &wait);
}

static void ended(struct fleet_file *file, int status)
{
	bool is_hindered = status == STATUS_HINDERED || status == STATUS_BROKEN;
	refresh_end(&file->refresh, is_hindered, clock_now_ms());
	arm(file);
	fleet_file_resume(file); /* whoever asked for it meanwhile */
}

/* What hinders it as it did before is told once. */
static void take_failure(struct fleet_file *file, int status, const struct lines *errors)
{
	char before[FLEET_FILE_TEXT_MAX];
	struct err err;
	text_copy(before, sizeof before, file->failure);
	fleet_file_sum_up(errors, 0, &err);
	text_copy(file->failure, sizeof file->failure, err.text);
	if (file->refresh.who == again && strcmp(before, file->failure) == 0)
		return;
	audit_add(file->controller, file->refresh.who, "apply", "", status,
		errors->count ? errors->items[0] : "");
	for (size_t i = 0; i < errors->count; i++)
		log_error("fleet", "not-applied", log_text("text", errors->items[i]));
}

static void on_applied(const struct apply_result *result, void *context)
{
	struct fleet_file *file = context;
	bool done = result->status == 200;
	if (done || file->refresh.who != again)
		fleet_file_warn(result->warnings);
	if (!done)
		take_failure(file, result->status, result->errors);
	else
		file->failure[0] = '\0';
	if (done && !result->changed)
		log_info("fleet", "unchanged", log_u64("generation", result->generation));
	ended(file, result->status);
}

static void take_unreadable(struct fleet_file *file, const struct err *err)
{
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX];
	struct lines errors = {0};
	lines_add(&errors, "%s", err_format(err, line, sizeof line));
	take_failure(file, STATUS_WRONG, &errors);
	lines_clear(&errors);
}

static void watch_places(struct fleet_file *file, struct file_places *places)
{
	char before[FLEET_FILE_TEXT_MAX];
	struct err err;
	text_copy(before, sizeof before, file->blind);
	file->blind[0] = '\0';
	if (file_watch_set(file->watch, places, &err) < 0)
		err_format(&err, file->blind, sizeof file->blind);
	if (file->blind[0] && strcmp(before, file->blind) != 0)
		log_warning("fleet", "not-watched", log_text("text", file->blind));
}

static bool is_restless(const struct fleet_file *file, char *path, size_t size)
{
	return file->watch && file_watch_is_restless(file->watch, clock_now_ms(), path, size);
}

static void describe_restless(const char *path, char *text, size_t size)
{
	snprintf(text, size,
		"not applied: %s has kept changing for more than %d s, and is read when it has been left "
		"alone for "
		"%d ms: who writes it?",
		path, QUIET_RESTLESS_MS / 1000, QUIET_MS);
}

static bool is_quiet(struct fleet_file *file)
{
	return !file->watch || file_watch_is_quiet(file->watch);
}

static void take(struct fleet_file *file, struct reading *reading, int r, const struct err *err)
{
	if (file->watch)
		watch_places(file, &reading->places);
	if (!refresh_take(&file->refresh, file->controller->apply != NULL, is_quiet(file)))
		return;
	if (r < 0) {
		take_unreadable(file, err);
		ended(file, STATUS_WRONG);
	} else {
		apply_start(file->controller,
			&(struct apply_request){.bundle = &reading->bundle,
				.who = file->refresh.who,
				.what = "",
				.is_repeated = file->watch != NULL},
			on_applied, file);
	}
}

static int read_files(struct store *store, void *context, struct err *err)
{
	struct reading *reading = context;
	(void)store;
	return generation_read_files(
		reading->path, &reading->bundle, reading->is_watched ? &reading->places : NULL, err);
}

static void on_read(void *context, int r, const struct err *err)
{
	struct reading *reading = context;
	struct fleet_file *file = reading->file;
	if (file) {
		file->reading = NULL;
		take(file, reading, r, err);
		fleet_file_resume(file);
	}
	bundle_clear(&reading->bundle);
	file_places_clear(&reading->places);
	free(reading->path);
	free(reading);
}

static void read_soon(struct fleet_file *file)
{
	struct controller *controller = file->controller;
	file->reading = mem_new(1, sizeof *file->reading);
	*file->reading = (struct reading){
		.file = file, .path = mem_text(controller->config.fleet), .is_watched = file->watch != NULL};
	writer_add(controller->writer,
		&(struct writer_job){.write = read_files, .done = on_read, .context = file->reading});
}

void fleet_file_resume(struct fleet_file *file)
{
	if (file && refresh_begin(&file->refresh, file->controller->apply != NULL))
		read_soon(file);
}

static void warn_restless(const char *path, void *context)
{
	char text[FILE_WATCH_PATH_MAX + 128];
	(void)context;
	describe_restless(path, text, sizeof text);
	log_warning("fleet", "not-quiet", log_text("text", text));
}

void fleet_file_read(struct fleet_file *file, const char *who)
{
	char path[FILE_WATCH_PATH_MAX];
	if (!file->controller->config.fleet)
		return;
	if (is_restless(file, path, sizeof path))
		warn_restless(path, file);
	refresh_want(&file->refresh, who);
	fleet_file_resume(file);
}

void fleet_file_retry(struct fleet_file *file)
{
	if (!file)
		return;
	refresh_retry(&file->refresh, again);
	fleet_file_resume(file);
}

static void on_timer(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	fleet_file_retry(context);
}

static void on_changed(void *context)
{
	struct fleet_file *file = context;
	refresh_want(&file->refresh, "the fleet file, which has changed");
	fleet_file_resume(file);
}

int fleet_file_new(struct controller *controller, struct fleet_file **ret_file, struct err *err)
{
	struct fleet_file *file = mem_new(1, sizeof *file);
	file->controller = controller;
	file->refresh.watched = controller->config.watch;
	file->timer = evtimer_new(controller->base, on_timer, file);
	int r = controller->config.watch
			? file_watch_new(controller->base, on_changed, warn_restless, file, &file->watch, err)
			: 0;
	if (r < 0) {
		fleet_file_free(file);
		return r;
	}
	if (file->watch)
		on_changed(file);
	*ret_file = file;
	return 0;
}

void fleet_file_free(struct fleet_file *file)
{
	if (!file)
		return;
	if (file->reading)
		file->reading->file = NULL;
	event_free(file->timer);
	file_watch_free(file->watch);
	free(file);
}

bool fleet_file_permits(const struct fleet_file *file, bool rollback, char *why, size_t size)
{
	const struct config *config = &file->controller->config;
	if (!file->watch || (rollback && confirming_is_awaited(file->controller->confirming)))
		return true;
	snprintf(why, size,
		"%s is the fleet, and is applied whenever it changes (watch: true in %s): edit it, or take "
		"watch out there and start the controller again",
		config->fleet, config->path);
	return false;
}

void fleet_file_collect(const struct fleet_file *file, struct health *health)
{
	char path[FILE_WATCH_PATH_MAX], text[FILE_WATCH_PATH_MAX + 128];
	if (!file || !file->watch)
		return;
	if (file->failure[0])
		health_warning(health, "not applied: %s%s", file->failure,
			refresh_is_hindered(&file->refresh) ? " (it is tried again)" : "");
	if (is_restless(file, path, sizeof path)) {
		describe_restless(path, text, sizeof text);
		health_warning(health, "%s", text);
	}
	if (file->blind[0])
		health_warning(health, "%s: changes there are read on SIGHUP only", file->blind);
}
