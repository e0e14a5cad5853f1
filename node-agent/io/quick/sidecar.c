/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/io/file.h"
#include "node-agent/io/quick/files.h"
#include "node-agent/io/quick/session.h"

/* ---- key files ---- */

/* Relative paths start where the sidecar is. */
static int read_key_file(struct quick *quick, const char *as_written, struct key *ret_key)
{
	CLEANUP_FREE char *path = file_beside(quick->sidecar_path, as_written);
	char warning[1024];

	if (file_secret_is_open(path, warning, sizeof(warning)))
		quick_say(quick, QUICK_WARNING, "%s", warning);
	return file_read_key(path, ret_key, quick->err);
}

static int take_private_key(struct quick *quick)
{
	struct quick_config *config = &quick->config;
	int r;

	if (!quick->sidecar.private_key_file)
		return 0;
	r = read_key_file(quick, quick->sidecar.private_key_file, &config->private_key);
	if (r < 0)
		return err_prefix(quick->err, r, "private_key_file");
	config->has_private_key = config->private_key_elsewhere = true;
	return 0;
}

static int check_link_local(struct quick *quick)
{
	const struct quick_sidecar *sidecar = &quick->sidecar;

	if (!sidecar->link_local || quick->config.has_private_key)
		return 0;
	return err_at(quick->err, -EINVAL, quick->sidecar_path, sidecar->link_local_place.line,
		sidecar->link_local_place.column,
		"link_local: it is made of the public key: PrivateKey or private_key_file is missing");
}

static int take_preshared_keys(struct quick *quick)
{
	for (size_t i = 0; i < quick->config.peer_count; i++) {
		struct quick_peer *peer = &quick->config.peers[i];
		const struct quick_sidecar_peer *more =
			quick_sidecar_find(&quick->sidecar, &peer->public_key);
		int r;

		if (!more || !more->preshared_key_file || peer->disabled)
			continue;
		r = read_key_file(quick, more->preshared_key_file, &peer->preshared_key);
		if (r < 0)
			return err_prefix(quick->err, r, "preshared_key_file");
		peer->has_preshared_key = peer->preshared_key_elsewhere = true;
	}
	return 0;
}

/* ---- the file ---- */

static int read_sidecar(struct quick *quick)
{
	const char *path = quick->sidecar_path;
	struct err err;
	int r = file_read(path, QUICK_SIDECAR_MAX_BYTES, &quick->sidecar_text, &quick->sidecar_size, &err);

	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		*quick->err = err;
		return r;
	}
	quick_warn_if_open(quick, path);
	r = quick_sidecar_read(path, quick->sidecar_text, quick->sidecar_size, &quick->sidecar, quick->err);
	return r < 0 ? r : quick_sidecar_join(&quick->sidecar, path, &quick->config, quick->err);
}

int quick_load_sidecar(struct quick *quick)
{
	int r = read_sidecar(quick);

	if (r < 0 || quick->keeping) /* keys are none of its business */
		return r;
	r = take_private_key(quick);
	if (r >= 0)
		r = check_link_local(quick);
	return r < 0 ? r : take_preshared_keys(quick);
}
