/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/save.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "node-agent/io/quick/device.h"
#include "node-agent/io/quick/files.h"
#include "node-agent/io/quick/session.h"
#include "node-agent/io/quick/spaces.h"
#include "node-agent/io/quick/undo.h"

static bool is_of_sidecar(const struct quick *quick, const struct rtnl_address *address)
{
	for (size_t i = 0; i < quick->sidecar.address_count; i++)
		if (prefix_equal(&quick->sidecar.addresses[i].prefix, &address->prefix) &&
			addr_equal(&quick->sidecar.addresses[i].peer, &address->peer))
			return true;
	return false;
}

static bool is_in_file(const struct quick *quick, const struct prefix *address)
{
	for (size_t i = 0; i < quick->config.address_count; i++)
		if (prefix_equal(&quick->config.addresses[i], address))
			return true;
	return false;
}

/* Not those that the kernel gave it (an interface has a link-local address without having been told), nor those that the
 * sidecar did. */
static size_t take_addresses(const struct quick *quick, const struct quick_view *view, struct prefix *to)
{
	size_t count = 0;

	for (size_t i = 0; i < view->address_count; i++) {
		const struct prefix *address = &view->addresses[i].prefix;

		if (is_of_sidecar(quick, &view->addresses[i]))
			continue;
		if (is_in_file(quick, address) || !addr_is_link_local(&address->addr))
			to[count++] = *address;
	}
	return count;
}

/* Names of interfaces where the device sends from. */
static char (*find_zones(struct quick *quick, const struct plan_device *device))[ZONE_TEXT_MAX]
{
	char(*zones)[ZONE_TEXT_MAX] = mem_new(device->peer_count + 1, sizeof(*zones));
	struct rtnl_link link;

	for (size_t i = 0; i < device->peer_count; i++) {
		unsigned scope = device->peers[i].endpoint.scope;

		if (scope && rtnl_link_get_index(quick_birth_rtnl(quick), scope, &link, NULL) >= 0)
			text_copy(zones[i], sizeof(*zones), link.name);
	}
	return zones;
}

static char *compose(struct quick *quick, const struct quick_view *view)
{
	CLEANUP_FREE struct prefix *addresses = mem_new(view->address_count + 1, sizeof(*addresses));
	CLEANUP_FREE char(*zones)[ZONE_TEXT_MAX] = find_zones(quick, &view->world.devices[0]);
	const struct quick_journal *journal = &quick->journal;
	bool ours = journal->stage == QUICK_STAGE_UP;
	struct quick_saved live = {.addresses = addresses,
		.address_count = take_addresses(quick, view, addresses),
		.mtu = view->world.links[0].mtu,
		.private_key = view->device->private_key,
		.public_key = view->device->public_key,
		.listen_port = view->device->listen_port,
		.port_is_chosen = ours && journal->listen_port == view->device->listen_port,
		.fwmark = view->device->fwmark,
		.mark_is_chosen = ours && journal->mark == view->device->fwmark,
		.peers = view->world.devices[0].peers,
		.peer_count = view->world.devices[0].peer_count,
		.zones = (const char(*)[ZONE_TEXT_MAX])zones};
	char *text = quick_save(quick->text, quick->size, &quick->config, &quick->allowed, &live);

	key_wipe(&live.private_key);
	return text;
}

static int write_text(struct quick *quick, const char *text)
{
	if (quick->options->dry_run) {
		quick->options->say(QUICK_OUTPUT, text);
		return 0;
	}
	if (strlen(text) == quick->size && !memcmp(text, quick->text, quick->size))
		return 0;
	quick_say(quick, QUICK_STEP, "save %s", quick->path);
	return file_write(quick->path, text, strlen(text), 0600, quick->err);
}

static bool is_live(const struct quick_view *view, const struct key *public_key)
{
	const struct plan_device *device = quick_view_device(view);

	for (size_t i = 0; i < device->peer_count; i++)
		if (key_equal(&device->peers[i].public_key, public_key))
			return true;
	return false;
}

/* A sidecar that speaks of a peer which the file does not have is refused: better said now than after the next boot. */
static void warn_of_peers(const struct quick *quick, const struct quick_view *view)
{
	for (size_t i = 0; i < quick->sidecar.peer_count; i++) {
		const struct quick_sidecar_peer *peer = &quick->sidecar.peers[i];

		if (!peer->disabled && !is_live(view, &peer->public_key))
			quick_say(quick, QUICK_WARNING,
				"%s:%u:%u: this peer goes from the .conf: `holdfast up` will refuse what is "
				"said of it here",
				quick->sidecar_path, peer->place.line, peer->place.column);
	}
}

int quick_save_config(struct quick *quick)
{
	struct quick_view view;
	char *text;
	int r = quick_observe(quick, &view);

	if (r < 0)
		return r;
	text = compose(quick, &view);
	warn_of_peers(quick, &view);
	quick_view_clear(&view);
	r = write_text(quick, text);
	mem_wipe(text, strlen(text));
	free(text);
	return r;
}

static int save(struct quick *quick)
{
	int r = quick_require_device(quick);

	return r < 0 ? r : quick_save_config(quick);
}

int quick_save_file(const struct quick_options *options, struct err *err)
{
	static const struct quick_command command = {.load = quick_load, .work = save};

	return quick_session(options, &command, err);
}
