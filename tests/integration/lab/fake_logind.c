/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

/*
 * What an agent asks of systemd, on a private bus (DBUS_SYSTEM_BUS_ADDRESS): logind's delay lock and its signal, and the
 * service manager's state. Standard input says what happens: "shutdown", "stay", "state WORD". Standard output says what
 * became of the lock: "held", "released".
 */
static struct {
	sd_bus *bus;
	int preparing; /* as sd-bus has booleans */
	char state[32];
	int lock; /* our end of the one given out; -1 */
} machine = {.state = "running", .lock = -1};

static void say(const char *text)
{
	puts(text);
	fflush(stdout);
}

static int on_inhibit(sd_bus_message *call, void *context, sd_bus_error *error)
{
	const char *what, *who, *why, *mode;
	int ends[2], r;

	(void)context;
	r = sd_bus_message_read(call, "ssss", &what, &who, &why, &mode);
	if (r < 0)
		return r;
	if (strcmp(what, "shutdown") || strcmp(mode, "delay") || machine.preparing || machine.lock >= 0)
		return sd_bus_error_setf(error, SD_BUS_ERROR_ACCESS_DENIED, "%s, %s: not now", what, mode);
	if (pipe(ends) < 0)
		return -errno;
	machine.lock = ends[0];
	r = sd_bus_reply_method_return(call, "h", ends[1]);
	close(ends[1]);
	say("held");
	return r;
}

static int get_state(sd_bus *bus, const char *path, const char *interface, const char *property,
	sd_bus_message *reply, void *context, sd_bus_error *error)
{
	(void)bus;
	(void)path;
	(void)interface;
	(void)property;
	(void)context;
	(void)error;
	return sd_bus_message_append(reply, "s", machine.state);
}

static const sd_bus_vtable login_manager[] = {SD_BUS_VTABLE_START(0),
	SD_BUS_METHOD("Inhibit", "ssss", "h", on_inhibit, SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_PROPERTY("PreparingForShutdown", "b", NULL, 0, 0), SD_BUS_SIGNAL("PrepareForShutdown", "b", 0),
	SD_BUS_VTABLE_END};
static const sd_bus_vtable system_manager[] = {
	SD_BUS_VTABLE_START(0), SD_BUS_PROPERTY("SystemState", "s", get_state, 0, 0), SD_BUS_VTABLE_END};

static int prepare(bool preparing)
{
	machine.preparing = preparing;
	return sd_bus_emit_signal(machine.bus, "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
		"PrepareForShutdown", "b", machine.preparing);
}

/* 0, 1 at the end of input, or -errno. */
static int obey(void)
{
	char line[64];

	if (!fgets(line, sizeof(line), stdin))
		return 1;
	line[strcspn(line, "\n")] = '\0';
	if (!strcmp(line, "shutdown"))
		return prepare(true) < 0 ? -EIO : 0;
	if (!strcmp(line, "stay"))
		return prepare(false) < 0 ? -EIO : 0;
	return sscanf(line, "state %31s", machine.state) == 1 ? 0 : -EINVAL;
}

static int start(void)
{
	int r = sd_bus_open_system(&machine.bus);

	if (r >= 0)
		r = sd_bus_add_object_vtable(machine.bus, NULL, "/org/freedesktop/login1",
			"org.freedesktop.login1.Manager", login_manager, &machine.preparing);
	if (r >= 0)
		r = sd_bus_add_object_vtable(machine.bus, NULL, "/org/freedesktop/systemd1",
			"org.freedesktop.systemd1.Manager", system_manager, NULL);
	if (r >= 0)
		r = sd_bus_request_name(machine.bus, "org.freedesktop.login1", 0);
	return r < 0 ? r : sd_bus_request_name(machine.bus, "org.freedesktop.systemd1", 0);
}

static void watch_lock(short what)
{
	if (!(what & POLLHUP))
		return;
	close(machine.lock);
	machine.lock = -1;
	say("released");
}

static int turn(void)
{
	struct pollfd fds[] = {
		{.fd = sd_bus_get_fd(machine.bus), .events = (short)sd_bus_get_events(machine.bus)},
		{.fd = STDIN_FILENO, .events = POLLIN}, {.fd = machine.lock}};
	int r;

	while ((r = sd_bus_process(machine.bus, NULL)) > 0)
		;
	fds[0].events = (short)sd_bus_get_events(machine.bus);
	fds[2].fd = machine.lock;
	if (r < 0 || poll(fds, 3, -1) < 0)
		return r < 0 ? r : -errno;
	if (machine.lock >= 0)
		watch_lock(fds[2].revents);
	return fds[1].revents ? obey() : 0;
}

int main(void)
{
	int r;

	setvbuf(stdin, NULL, _IONBF, 0); /* poll() sees what stdio does not hold back */
	r = start();
	if (r >= 0)
		say("ready");
	while (r >= 0 && (r = turn()) == 0)
		;
	if (r < 0)
		fprintf(stderr, "fake_logind: %s\n", strerror(-r));
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
