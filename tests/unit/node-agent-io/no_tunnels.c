/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "node-agent/io/agent/tunnels.h"

/* A host without tunnels of `holdfast up`. */

size_t tunnels_count(const struct agent *of)
{
	(void)of;
	return 0;
}

uint64_t tunnels_version(const struct agent *of)
{
	(void)of;
	return 0;
}

const struct tunnel *tunnels_at(const struct agent *of, size_t index)
{
	(void)of;
	(void)index;
	return NULL;
}

const struct tunnel *tunnels_find(const struct agent *of, const char *name)
{
	(void)of;
	(void)name;
	return NULL;
}

void tunnels_see_mark(struct agent *of, const char *name, uint32_t mark)
{
	(void)of;
	(void)name;
	(void)mark;
}

void tunnels_look_soon(struct agent *of, const char *name)
{
	(void)of;
	(void)name;
}

bool tunnel_sends_from(const struct tunnel *tunnel, const struct place *place)
{
	(void)tunnel;
	return !place;
}

struct underlay *tunnel_underlay(struct agent *of, const struct tunnel *tunnel)
{
	(void)of;
	(void)tunnel;
	return NULL;
}

int tunnel_get_device(
	struct agent *of, const struct tunnel *tunnel, struct wg_device *ret_device, struct err *err)
{
	(void)of;
	(void)tunnel;
	(void)ret_device;
	(void)err;
	return -ENODEV;
}

int tunnel_set_device(
	struct agent *of, const struct tunnel *tunnel, const struct wg_change *change, struct err *err)
{
	(void)of;
	(void)tunnel;
	(void)change;
	(void)err;
	return -ENODEV;
}
