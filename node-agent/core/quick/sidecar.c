/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/sidecar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

void quick_sidecar_clear(struct quick_sidecar *sidecar)
{
	if (!sidecar)
		return;
	for (size_t i = 0; i < sidecar->peer_count; i++)
		free(sidecar->peers[i].preshared_key_file);
	free(sidecar->peers);
	free(sidecar->private_key_file);
	quick_texts_clear(&sidecar->dns_domains);
	free(sidecar->namespace);
	free(sidecar->socket_namespace);
	*sidecar = (struct quick_sidecar){0};
}

static int compare_key(const void *key, const void *peer)
{
	const struct quick_sidecar_peer *of = peer;

	return memcmp(key, of->public_key.bytes, KEY_BYTES);
}

const struct quick_sidecar_peer *quick_sidecar_find(
	const struct quick_sidecar *sidecar, const struct key *public_key)
{
	if (!sidecar->peer_count)
		return NULL;
	return bsearch(
		public_key->bytes, sidecar->peers, sidecar->peer_count, sizeof(*sidecar->peers), compare_key);
}

static int fail(const char *file, const struct quick_place *place, const char *text, struct err *err)
{
	return err_at(err, -EINVAL, file, place->line, place->column, "%s", text);
}

static bool same_address(const struct quick_sidecar_address *more, const struct prefix *address)
{
	return !addr_is_set(&more->peer) && prefix_equal(&more->prefix, address);
}

static int check_addresses(const struct quick_sidecar *sidecar, const char *file,
	const struct quick_config *config, struct err *err)
{
	for (size_t i = 0; i < sidecar->address_count; i++)
		for (size_t j = 0; j < config->address_count; j++)
			if (same_address(&sidecar->addresses[i], &config->addresses[j]))
				return fail(file, &sidecar->addresses[i].place,
					"address: the .conf has this one", err);
	return 0;
}

/* One mark for each peer that the .conf has. */
static int meet_peers(const struct quick_sidecar *sidecar, const char *file, struct quick_config *config,
	bool *met, struct err *err)
{
	for (size_t i = 0; i < config->peer_count; i++) {
		struct quick_peer *peer = &config->peers[i];
		const struct quick_sidecar_peer *more = quick_sidecar_find(sidecar, &peer->public_key);

		if (!more)
			continue;
		met[more - sidecar->peers] = true;
		peer->disabled = more->disabled;
		if (more->preshared_key_file && peer->has_preshared_key)
			return fail(file, &more->place,
				"preshared_key_file: the .conf has a PresharedKey for this peer: one of them "
				"has to go",
				err);
	}
	return 0;
}

/* The first in the file that was not met. */
static int check_met(const struct quick_sidecar *sidecar, const char *file, const bool *met, struct err *err)
{
	const struct quick_place *first = NULL;

	for (size_t i = 0; i < sidecar->peer_count; i++)
		if (!met[i] && (!first || sidecar->peers[i].place.line < first->line))
			first = &sidecar->peers[i].place;
	return first ? fail(file, first, "peers: the .conf has no peer with this public key", err) : 0;
}

int quick_sidecar_join(
	const struct quick_sidecar *sidecar, const char *file, struct quick_config *config, struct err *err)
{
	CLEANUP_FREE bool *met = mem_new(sidecar->peer_count + 1, sizeof(*met));
	int r;

	if (sidecar->private_key_file && config->has_private_key)
		return fail(file, &sidecar->private_key_place,
			"private_key_file: the .conf has a PrivateKey: one of them has to go", err);
	if (sidecar->default_route != QUICK_DEFAULT_RULES && config->table != QUICK_TABLE_AUTO)
		return fail(file, &sidecar->default_route_place,
			"default_route: the .conf has a Table: only with Table = auto there is one to make",
			err);
	if (sidecar->dns_domains.count && !config->dns.count)
		return fail(file, &sidecar->dns_domains_place,
			"dns_domains: the .conf has no name servers (DNS) to ask for them", err);
	r = check_addresses(sidecar, file, config, err);
	if (r < 0)
		return r;
	r = meet_peers(sidecar, file, config, met, err);
	return r < 0 ? r : check_met(sidecar, file, met, err);
}
