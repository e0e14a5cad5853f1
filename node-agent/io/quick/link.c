/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/io/quick/quick_int.h"
#include "node-agent/io/wireguard/implementation.h"

static const char *program(void)
{
	const char *program = getenv("WG_QUICK_USERSPACE_IMPLEMENTATION");

	return program && program[0] ? program : "wireguard-go";
}

static int make_by_program(struct quick *quick)
{
	int r;

	quick_say(quick, QUICK_WARNING, "this kernel has no WireGuard: using the slower %s", program());
	quick_say(quick, QUICK_STEP, "%s %s", program(), quick->name);
	r = wg_create(quick->name, program(), WG_CREATE_TIMEOUT_MS, quick->err);
	if (r == -ENOENT)
		return err_set(quick->err, r,
			"this kernel has no WireGuard, and there is no program %.100s that can be run: "
			"install a "
			"kernel with it (Debian: linux-image-amd64) or the package wireguard-go",
			program());
	return r;
}

int quick_make_link(struct quick *quick)
{
	struct rtnl_link link;
	int r;

	quick_say(quick, QUICK_STEP, "ip link add dev %s type wireguard", quick->name);
	if (quick->options->dry_run)
		return 0;
	r = wg_create(quick->name, "kernel", WG_CREATE_TIMEOUT_MS, quick->err);
	if (r == -EOPNOTSUPP)
		r = make_by_program(quick);
	if (r >= 0)
		r = rtnl_link_get(quick->rtnl, quick->name, &link, quick->err);
	if (r < 0)
		return r;
	quick->journal.ifindex = link.ifindex;
	return quick_journal_write(quick);
}
