/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/io/clock.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/journal.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"
#include "node-agent/io/wireguard/implementation.h"

enum { AWAIT_MS = 3000, LOOK_EVERY_MS = 20 };

static const char *program(void)
{
	const char *program = getenv("WG_QUICK_USERSPACE_IMPLEMENTATION");

	return program && program[0] ? program : "wireguard-go";
}

static int create(struct quick *quick, const char *implementation)
{
	CLEANUP_NETNS_VISIT struct netns_visit visit = {.back_fd = -1};
	int r = quick_visit_birth(quick, &visit);

	return r < 0 ? r
		     : wg_create_in(quick->name, implementation, quick_target_fd(quick), WG_CREATE_TIMEOUT_MS,
			       quick->err);
}

/* One that is killed before it is moved leaves it where the socket is. */
static int note_program(struct quick *quick)
{
	struct rtnl_link link;

	quick->journal.program = true;
	quick->journal.in_birth = quick->spaces.apart && rtnl_link_get(quick->spaces.birth_rtnl, quick->name,
								 &link, NULL) == -ENODEV;
	return quick_journal_write(quick);
}

static int make_by_program(struct quick *quick)
{
	int r = note_program(quick);

	if (r < 0)
		return r;
	quick_say(quick, QUICK_WARNING, "this kernel has no WireGuard: using the slower %s", program());
	quick_say(quick, QUICK_STEP, "%s %s", program(), quick->name);
	r = create(quick, program());
	if (r == -ENOENT)
		return err_set(quick->err, r,
			"this kernel has no WireGuard, and there is no program %.100s that can be run: "
			"install a "
			"kernel with it (Debian: linux-image-amd64) or the package wireguard-go",
			program());
	return r;
}

static void say_link(const struct quick *quick)
{
	const char *where = quick->sidecar.namespace;

	if (quick->spaces.apart)
		quick_say(quick, QUICK_STEP, "ip link add dev %s netns %s type wireguard", quick->name,
			where ? where : "...");
	else
		quick_say(quick, QUICK_STEP, "ip link add dev %s type wireguard", quick->name);
}

int quick_make_link(struct quick *quick)
{
	struct rtnl_link link;
	int r;

	say_link(quick);
	if (quick->options->dry_run)
		return 0;
	r = create(quick, "kernel");
	if (r == -EOPNOTSUPP)
		r = make_by_program(quick);
	if (r >= 0)
		r = rtnl_link_get(quick->rtnl, quick->name, &link, quick->err);
	if (r < 0)
		return r;
	quick->journal.ifindex = link.ifindex;
	quick->journal.in_birth = false;
	return quick_journal_write(quick);
}

int quick_await_program(struct quick *quick)
{
	bool awaited = quick->journal.program && quick->spaces.apart && !quick->options->dry_run;
	int64_t until_ms = clock_now_ms() + AWAIT_MS;
	const struct wg_device *device;
	int r = 0;

	while (awaited && r >= 0) {
		quick_forget_device(quick);
		r = quick_read_device(quick, &device);
		if (r < 0)
			break;
		awaited = !device->listen_port && clock_now_ms() < until_ms;
		if (awaited)
			r = quick_check_signal(quick, LOOK_EVERY_MS);
	}
	return r;
}
