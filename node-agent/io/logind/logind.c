/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/logind/logind.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/io/log.h"
#include "node-agent/io/logind/bus.h"

static const char LOGIN_NAME[] = "org.freedesktop.login1", LOGIN_PATH[] = "/org/freedesktop/login1",
		  LOGIN_MANAGER[] = "org.freedesktop.login1.Manager";
static const char SYSTEMD_NAME[] = "org.freedesktop.systemd1", SYSTEMD_PATH[] = "/org/freedesktop/systemd1",
		  SYSTEMD_MANAGER[] = "org.freedesktop.systemd1.Manager";
static const char PROPERTIES[] = "org.freedesktop.DBus.Properties";

struct logind {
	struct event_base *base;
	struct logind_ops ops;
	void *context;
	struct bus *bus;      /* NULL: there is none at the moment */
	struct event *retry;  /* then what failed is tried again */
	struct event *nobody; /* the answer when nobody can be asked */
	bool wanted;          /* the lock */
	bool locking;         /* it is asked for */
	int lock;             /* -1 */
	bool going_down;      /* what logind was heard to say last */
	bool asked;           /* a question of logind_ask_host() is open */
};

static void try_again(struct logind *logind)
{
	event_add(logind->retry, &(struct timeval){.tv_sec = LOGIND_RETRY_MS / 1000});
}

static void answer(struct logind *logind, bool going_down)
{
	if (!logind->asked)
		return;
	logind->asked = false;
	logind->ops.answered(logind->context, going_down);
}

/* 0, or why a call came to nothing; said at debug level, for it is no fault of a machine that it has no systemd. */
static int check_reply(sd_bus_message *reply, const char *of)
{
	const sd_bus_error *error = sd_bus_message_get_error(reply);

	if (!error)
		return 0;
	log_debug("logind", "no-answer", log_text("of", of),
		log_text("error", error->message ? error->message : error->name));
	return -sd_bus_message_get_errno(reply);
}

/* ---- the lock ---- */

static int read_lock(sd_bus_message *reply)
{
	int fd, r = check_reply(reply, "Inhibit");

	if (r >= 0)
		r = sd_bus_message_read(reply, "h", &fd);
	if (r < 0)
		return r;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3); /* the message owns the one it came with */
	return fd < 0 ? -errno : fd;
}

static int on_lock(sd_bus_message *reply, void *context, sd_bus_error *error)
{
	struct logind *logind = context;
	int fd = read_lock(reply);

	(void)error;
	logind->locking = false;
	if (fd < 0) {
		try_again(logind);
		return 0;
	}
	logind->lock = fd;
	log_debug("logind", "delay-lock-taken");
	if (!logind->wanted)
		logind_let_go(logind);
	return 0;
}

static void take_lock(struct logind *logind)
{
	int r;

	if (!logind->wanted || logind->locking || logind->lock >= 0 || !logind->bus)
		return;
	r = sd_bus_call_method_async(bus_get(logind->bus), NULL, LOGIN_NAME, LOGIN_PATH, LOGIN_MANAGER,
		"Inhibit", on_lock, logind, "ssss", "shutdown", "holdfast-agent",
		"Virtual endpoints move to another gateway first", "delay");
	logind->locking = r >= 0;
	bus_schedule(logind->bus);
}

void logind_hold(struct logind *logind)
{
	logind->wanted = true;
	take_lock(logind);
}

void logind_let_go(struct logind *logind)
{
	logind->wanted = false;
	if (logind->lock < 0)
		return;
	close(logind->lock);
	logind->lock = -1;
	log_debug("logind", "delay-lock-given-up");
}

/* ---- what logind tells ---- */

static void tell(struct logind *logind, bool going_down)
{
	logind->going_down = going_down;
	logind->ops.told(logind->context, going_down);
}

static int on_prepare(sd_bus_message *signal, void *context, sd_bus_error *error)
{
	struct logind *logind = context;
	int going_down;

	(void)error;
	if (sd_bus_message_read(signal, "b", &going_down) >= 0)
		tell(logind, going_down);
	return 0;
}

static int on_preparing(sd_bus_message *reply, void *context, sd_bus_error *error)
{
	struct logind *logind = context;
	int going_down;

	(void)error;
	if (check_reply(reply, "PreparingForShutdown") < 0 ||
		sd_bus_message_read(reply, "v", "b", &going_down) < 0)
		return 0;
	if (!going_down != !logind->going_down) /* it was said while there was no bus */
		tell(logind, going_down);
	return 0;
}

static int on_matched(sd_bus_message *reply, void *context, sd_bus_error *error)
{
	(void)context;
	(void)error;
	check_reply(reply, "AddMatch");
	return 0;
}

static int get_property(struct logind *logind, const char *name, const char *path, const char *interface,
	const char *property, sd_bus_message_handler_t done)
{
	return sd_bus_call_method_async(bus_get(logind->bus), NULL, name, path, PROPERTIES, "Get", done,
		logind, "ss", interface, property);
}

static int subscribe(struct logind *logind)
{
	sd_bus *bus = bus_get(logind->bus);
	int r = sd_bus_set_method_call_timeout(bus, LOGIND_CALL_MS * UINT64_C(1000));

	if (r >= 0)
		r = sd_bus_match_signal_async(bus, NULL, LOGIN_NAME, LOGIN_PATH, LOGIN_MANAGER,
			"PrepareForShutdown", on_prepare, on_matched, logind);
	if (r >= 0)
		r = get_property(
			logind, LOGIN_NAME, LOGIN_PATH, LOGIN_MANAGER, "PreparingForShutdown", on_preparing);
	return r;
}

/* ---- the service manager ---- */

static int on_state(sd_bus_message *reply, void *context, sd_bus_error *error)
{
	struct logind *logind = context;
	const char *state = "";

	(void)error;
	if (check_reply(reply, "SystemState") >= 0)
		(void)sd_bus_message_read(reply, "v", "s", &state);
	answer(logind, strcmp(state, "stopping") == 0);
	return 0;
}

void logind_ask_host(struct logind *logind)
{
	int r = -ENOTCONN;

	logind->asked = true;
	if (logind->bus) {
		r = get_property(
			logind, SYSTEMD_NAME, SYSTEMD_PATH, SYSTEMD_MANAGER, "SystemState", on_state);
		bus_schedule(logind->bus);
	}
	if (r < 0)
		event_add(logind->nobody, &(struct timeval){0});
}

static void on_nobody(evutil_socket_t fd, short what, void *context)
{
	(void)fd;
	(void)what;
	answer(context, false);
}

/* ---- life ---- */

/* The lock is a descriptor of logind's: it stays ours without the bus. */
static void on_lost(void *context, int r)
{
	struct logind *logind = context;

	log_debug("logind", "bus-lost", log_errno(r));
	bus_free(logind->bus);
	logind->bus = NULL;
	logind->locking = false;
	try_again(logind);
	answer(logind, false);
}

static int open_bus(struct logind *logind)
{
	static const struct bus_ops ops = {.lost = on_lost};
	int r = bus_open(logind->base, &ops, logind, &logind->bus);

	if (r < 0)
		return r;
	r = subscribe(logind);
	if (r < 0) {
		bus_free(logind->bus);
		logind->bus = NULL;
	}
	return r;
}

static void on_retry(evutil_socket_t fd, short what, void *context)
{
	struct logind *logind = context;
	int r = logind->bus ? 0 : open_bus(logind);

	(void)fd;
	(void)what;
	if (r < 0) {
		log_debug("logind", "no-bus", log_errno(r));
		try_again(logind);
	}
	take_lock(logind);
}

struct logind *logind_new(struct event_base *base, const struct logind_ops *ops, void *context)
{
	struct logind *logind = mem_new(1, sizeof(*logind));

	logind->base = base;
	logind->ops = *ops;
	logind->context = context;
	logind->lock = -1;
	logind->wanted = true;
	logind->retry = evtimer_new(base, on_retry, logind);
	logind->nobody = evtimer_new(base, on_nobody, logind);
	event_add(logind->retry, &(struct timeval){0});
	return logind;
}

void logind_free(struct logind *logind)
{
	if (!logind)
		return;
	bus_free(logind->bus);
	if (logind->lock >= 0)
		close(logind->lock);
	event_free(logind->retry);
	event_free(logind->nobody);
	free(logind);
}
