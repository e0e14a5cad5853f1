/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tunnel_up PEERS PRIVATE_KEY_FILE PUBLIC_KEY: brings a tunnel wg0 with that many peers up by the plan engine, then looks
 * again. Prints milliseconds and operations of both rounds on a line.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/log.h"
#include "node-agent/core/firewall/firewall.h"
#include "node-agent/io/reconcile/reconcile.h"

enum { PORT = 51820, MARK = 0x48460001, FIRST_ADDRESS = 0x0a400000 /* 10.64.0.0 */ };

static int compare(const void *a, const void *b)
{
	return desired_peer_compare(a, b);
}

static void make_peer(struct desired_peer *peer, uint32_t number)
{
	struct in_addr address = {.s_addr = htonl(FIRST_ADDRESS + number)};
	char text[INET_ADDRSTRLEN];

	snprintf(peer->name, sizeof(peer->name), "peer-%u", number);
	text_copy(peer->tunnel, sizeof(peer->tunnel), "wg0");
	if (getrandom(peer->public_key.bytes, KEY_BYTES, 0) != KEY_BYTES)
		abort();
	peer->allowed_ips = mem_new(1, sizeof(*peer->allowed_ips));
	peer->allowed_ip_count = 1;
	addr_parse(inet_ntop(AF_INET, &address, text, sizeof(text)), &peer->allowed_ips[0].addr, NULL);
	peer->allowed_ips[0].length = 32;
}

static int make_desired(size_t count, const char *key_file, const char *public_key,
	struct desired **ret_desired, struct err *err)
{
	struct desired *desired = desired_new();
	struct desired_tunnel *tunnel;
	int r;

	*ret_desired = desired;
	desired->tunnels = tunnel = mem_new(1, sizeof(*tunnel));
	desired->tunnel_count = 1;
	text_copy(tunnel->name, sizeof(tunnel->name), "wg0");
	text_copy(tunnel->private_key_file, sizeof(tunnel->private_key_file), key_file);
	tunnel->listen_port = PORT;
	tunnel->fwmark = MARK;
	tunnel->address_count = 1;
	r = key_parse(public_key, &tunnel->public_key, err);
	if (r >= 0)
		r = prefix_parse("10.50.0.1/24", &tunnel->addresses[0], err);
	desired->peers = mem_new(count, sizeof(*desired->peers));
	desired->peer_count = count;
	for (size_t i = 0; i < count; i++)
		make_peer(&desired->peers[i], (uint32_t)i);
	qsort(desired->peers, count, sizeof(*desired->peers), compare);
	return r;
}

static int round_of(struct reconcile *reconcile, const struct reconcile_input *input, struct err *err)
{
	struct reconcile_result result;
	int64_t before_us = clock_now_us();
	int r = reconcile_run(reconcile, input, &result, err);

	if (r < 0)
		return r;
	printf("%.1f %zu ", (double)(clock_now_us() - before_us) / 1000, result.changed);
	return result.failed ? err_set(err, -1, "%s", result.failure) : 0;
}

static int measure(const struct desired *desired, struct err *err)
{
	struct fw_ruleset *ruleset = NULL;
	struct reconcile *reconcile = NULL;
	int r = firewall_from_desired(desired, &ruleset, err);
	struct reconcile_input input = {.facts.desired = desired, .ruleset = ruleset};

	if (r >= 0)
		r = reconcile_open("/etc/holdfast/agent.yaml", "auto", &reconcile, err);
	if (r >= 0)
		r = round_of(reconcile, &input, err);
	if (r >= 0)
		r = round_of(reconcile, &input, err);
	reconcile_close(reconcile);
	fw_ruleset_free(ruleset);
	return r;
}

int main(int argc, char **argv)
{
	struct desired *desired = NULL;
	struct err err = {0};
	int r;

	if (argc != 4 || atoi(argv[1]) < 1)
		return 2;
	log_set_level(LEVEL_WARNING);
	r = make_desired((size_t)atoi(argv[1]), argv[2], argv[3], &desired, &err);
	if (r >= 0)
		r = measure(desired, &err);
	desired_free(desired);
	if (r >= 0)
		return putchar('\n') == EOF;
	fprintf(stderr, "tunnel_up: %s\n", err.text);
	return 1;
}
