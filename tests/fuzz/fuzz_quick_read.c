/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "node-agent/core/quick/read.h"
#include "node-agent/core/quick/save.h"
#include "node-agent/core/quick/strip.h"
#include "tests/fuzz/fuzz_target.h"

/* What a device would hold of the file, with nothing changed since. */
static struct quick_saved as_live(
	const struct quick_config *config, const struct quick_allowed *allowed, struct plan_peer *peers)
{
	struct quick_saved live = {.addresses = config->addresses,
		.address_count = config->address_count,
		.mtu = config->mtu,
		.private_key = config->private_key,
		.listen_port = config->listen_port,
		.fwmark = config->fwmark,
		.peers = peers};

	for (size_t i = 0; i < config->peer_count; i++)
		if (!allowed->superseded[i]) {
			peers[live.peer_count] = (struct plan_peer){.public_key = config->peers[i].public_key,
				.preshared_key = config->peers[i].preshared_key,
				.endpoint = config->peers[i].endpoint,
				.keepalive_s = config->peers[i].keepalive_s,
				.allowed_ips = allowed->prefixes + allowed->first[i],
				.allowed_ip_count = allowed->first[i + 1] - allowed->first[i]};
			live.peer_count++;
		}
	return live;
}

static int by_key(const void *left, const void *right)
{
	const struct plan_peer *a = left, *b = right;

	return memcmp(a->public_key.bytes, b->public_key.bytes, KEY_BYTES);
}

/* A file that is read is saved as it was, byte for byte; what save writes can be read. */
static void check_save(const char *text, size_t size, const struct quick_config *config)
{
	struct plan_peer *peers = calloc(config->peer_count + 1, sizeof(*peers));
	struct quick_allowed allowed;
	struct quick_config again;
	struct quick_saved live;
	struct err err;
	char *saved;

	quick_allowed_init(&allowed, config, "fuzz", NULL);
	live = as_live(config, &allowed, peers);
	qsort(peers, live.peer_count, sizeof(*peers), by_key);
	saved = quick_save(text, size, config, &allowed, &live);
	FUZZ_CHECK(strlen(saved) == size && !memcmp(saved, text, size));
	free(saved);
	live.mtu = 1234;
	live.listen_port = 77;
	live.fwmark = 5;
	live.address_count = 0;
	live.peer_count /= 2;
	saved = quick_save(text, size, config, &allowed, &live);
	if (!quick_read("fuzz", saved, strlen(saved), &again, &err))
		quick_config_clear(&again);
	free(saved);
	quick_allowed_clear(&allowed);
	free(peers);
}

/* What is left of a file that is read is read, too. */
static void check_strip(const char *stripped)
{
	struct quick_config config;
	struct err err = {0};

	FUZZ_CHECK(!quick_read("fuzz", stripped, strlen(stripped), &config, &err));
	quick_config_clear(&config);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct quick_config config;
	struct err err = {0};
	char *stripped = quick_strip(text, size);

	if (quick_read("fuzz", text, size, &config, &err) < 0) {
		FUZZ_CHECK(err.text[0] && !strchr(err.text, '\n'));
		free(stripped);
		return 0;
	}
	check_strip(stripped);
	free(stripped);
	check_save(text, size, &config);
	quick_config_clear(&config);
	return 0;
}
