/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/text.h"
#include "common/io/log.h"
#include "node-agent/io/agent/agent_int.h"
#include "node-agent/io/stage/stage.h"

/* What an agent that starts takes over from the one before: the generation on the disk, as it runs in the kernel. */

struct adoption {
	struct agent *agent;
	struct wg_device device; /* the one asked last; name "": none */
};

static int compare_key(const void *public_key, const void *peer)
{
	return memcmp(((const struct key *)public_key)->bytes,
		((const struct wg_peer *)peer)->public_key.bytes, KEY_BYTES);
}

static const struct wg_peer *running_peer(struct adoption *adoption, const struct desired_peer *peer)
{
	struct wg_device *device = &adoption->device;

	if (strcmp(device->name, peer->tunnel)) {
		wg_device_clear(device);
		if (agent_get_device(adoption->agent, peer->tunnel, device) < 0)
			return NULL;
	}
	return device->peer_count ? bsearch(&peer->public_key, device->peers, device->peer_count,
					    sizeof(*device->peers), compare_key)
				  : NULL;
}

/* What runs, runs: a key file that has gone since is no reason to cut a client off. Where nothing runs, the peer gets a
 * key that nobody knows: without one it would be let in with less than it was meant to show. */
static void keep_key(
	void *context, const struct desired_peer *peer, const struct err *why, struct key *ret_key)
{
	const struct wg_peer *running = running_peer(context, peer);
	bool kept = running && !key_is_zero(&running->preshared_key);

	log_error(
		"agent", "preshared-key", log_text("peer", peer->name), log_bool("kept", kept), log_err(why));
	if (kept)
		*ret_key = running->preshared_key;
	else if (getrandom(ret_key->bytes, KEY_BYTES, 0) != KEY_BYTES)
		abort();
}

static struct key *adopt_keys(struct agent *agent, const struct desired *desired)
{
	struct adoption adoption = {.agent = agent};
	struct key *keys;

	stage_adopt_preshared_keys(agent->config->path, desired, keep_key, &adoption, &keys);
	wg_device_clear(&adoption.device);
	return keys;
}

int agent_adopt(struct agent *agent, struct err *err)
{
	struct desired *desired;
	int r = state_load_desired(agent->config->state, &desired, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0) { /* a controller has another copy; not to start would help nobody */
		log_error("agent", "state-not-read", log_err(err));
		return 0;
	}
	r = generation_make(desired, adopt_keys(agent, desired), &agent->held, err);
	if (r < 0)
		return r;
	agent_seats_update(agent);
	holding_update(agent);
	checking_update(agent);
	telling_update(agent);
	hooks_update(agent);
	agent_look_now(agent);
	agent_beats_update(agent);
	return 0;
}
