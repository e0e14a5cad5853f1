/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <string.h>

#include "node-agent/core/quick/read.h"
#include "node-agent/core/quick/sidecar.h"
#include "tests/fuzz/fuzz_target.h"

static const char conf[] = "[Interface]\nAddress = 10.0.0.1/24\nDNS = 10.0.0.53\n[Peer]\n"
			   "PublicKey = 9GaK3g4Tb/3yFsNWxymBQ2ezeTNUtab/cNlqRMUW3S4=\n";

/* Sorted by key, each once: what it says of a peer is found. */
static void check_peers(const struct quick_sidecar *sidecar)
{
	for (size_t i = 0; i < sidecar->peer_count; i++) {
		const struct quick_sidecar_peer *peer = &sidecar->peers[i];

		FUZZ_CHECK(quick_sidecar_find(sidecar, &peer->public_key) == peer);
		FUZZ_CHECK(peer->place.line && peer->place.column);
		FUZZ_CHECK(!peer->unrouted || (!peer->route_metric && !peer->route_table));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct quick_sidecar sidecar;
	struct quick_config config;
	struct err err = {0};

	if (quick_sidecar_read("fuzz", (const char *)data, size, &sidecar, &err) < 0) {
		FUZZ_CHECK(err.text[0] && !strchr(err.text, '\n'));
		return 0;
	}
	check_peers(&sidecar);
	FUZZ_CHECK(!quick_read("conf", conf, strlen(conf), &config, &err));
	if (quick_sidecar_join(&sidecar, "fuzz", &config, &err) < 0)
		FUZZ_CHECK(err.line && err.text[0]);
	quick_config_clear(&config);
	quick_sidecar_clear(&sidecar);
	return 0;
}
