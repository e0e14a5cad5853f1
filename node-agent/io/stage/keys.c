/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/io/file.h"
#include "common/io/log.h"
#include "node-agent/io/stage/stage.h"

static int read_one(
	const char *config_path, const struct desired_peer *peer, struct key *ret_key, struct err *err)
{
	CLEANUP_FREE char *path = file_beside(config_path, peer->preshared_key_file);
	char warning[1024];

	if (file_secret_is_open(path, warning, sizeof(warning)))
		log_limited(LEVEL_WARNING, "stage", "open-key-file", path, log_text("warning", warning));
	return file_read_key(path, ret_key, err);
}

static int read_all(const char *config_path, const struct desired *desired, struct key *keys, struct err *err)
{
	for (size_t i = 0; i < desired->peer_count; i++) {
		const struct desired_peer *peer = &desired->peers[i];
		int r = peer->preshared_key_file ? read_one(config_path, peer, &keys[i], err) : 0;

		if (r < 0)
			return err_prefix(err, r, "peer %s: preshared key", peer->name);
	}
	return 0;
}

static bool any_preshared(const struct desired *desired)
{
	for (size_t i = 0; i < desired->peer_count; i++)
		if (desired->peers[i].preshared_key_file)
			return true;
	return false;
}

int stage_read_preshared_keys(const char *config_path, const struct desired *desired,
	struct key **ret_preshared_keys, struct err *err)
{
	struct key *keys;
	int r;

	if (!any_preshared(desired)) {
		*ret_preshared_keys = NULL;
		return 0;
	}
	keys = mem_new(desired->peer_count, sizeof(*keys));
	r = read_all(config_path, desired, keys, err);
	if (r < 0) {
		stage_keys_free(keys, desired->peer_count);
		return r;
	}
	*ret_preshared_keys = keys;
	return 0;
}

void stage_adopt_preshared_keys(const char *config_path, const struct desired *desired,
	stage_key_missing *missing, void *context, struct key **ret_preshared_keys)
{
	struct key *keys;
	struct err err = {0};

	*ret_preshared_keys = NULL;
	if (!any_preshared(desired))
		return;
	keys = mem_new(desired->peer_count, sizeof(*keys));
	for (size_t i = 0; i < desired->peer_count; i++)
		if (desired->peers[i].preshared_key_file &&
			read_one(config_path, &desired->peers[i], &keys[i], &err) < 0)
			missing(context, &desired->peers[i], &err, &keys[i]);
	*ret_preshared_keys = keys;
}

void stage_keys_free(struct key *keys, size_t count)
{
	if (!keys)
		return;
	mem_wipe(keys, count * sizeof(*keys));
	free(keys);
}
