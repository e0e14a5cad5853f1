/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/watch/watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/log.h"
#include "controller/io/watch/echo.h"

struct known {
	char name[PROTO_NAME_MAX + 1];
	enum verdict_kind verdict;
};

struct watch {
	struct liveness *liveness;
	struct echo *echo;
	struct watch_hooks hooks;
	uint64_t floor;
	bool frozen;
	size_t known_count;
	struct known known[PROTO_GATEWAYS_MAX];
};

static struct known *find_known(struct watch *watch, const char *name)
{
	for (size_t i = 0; i < watch->known_count; i++)
		if (strcmp(watch->known[i].name, name) == 0)
			return &watch->known[i];
	return NULL;
}

static void on_verdict(void *context, const char *partner, const struct liveness_view *view)
{
	struct watch *watch = context;
	struct known *known = find_known(watch, partner);
	enum verdict_kind before = known ? known->verdict : VERDICT_UNKNOWN;
	if (known)
		known->verdict = view->verdict;
	watch->hooks.verdict(partner, view, before, watch->hooks.context);
}

static void on_fill(void *context, struct datagram_beat *beat)
{
	const struct watch *watch = context;
	beat->floor = watch->floor;
	beat->floor_confirmed = true;
	beat->frozen = watch->frozen;
}

static void on_beat(void *context, const char *partner, const struct datagram *datagram,
	const struct liveness_receipt *receipt)
{
	struct watch *watch = context;
	if (receipt->proven)
		watch->hooks.beat(partner, &datagram->beat, watch->hooks.context);
}

static void on_leave(void *context, const char *partner, const struct datagram *datagram,
	const struct liveness_receipt *receipt)
{
	struct watch *watch = context;
	if (receipt->proven && datagram->head.kind == DATAGRAM_CLAIM)
		watch->hooks.claim(partner, &datagram->claim, watch->hooks.context);
}

static void on_stalled(void *context, int64_t gap_ms)
{
	(void)context;
	log_limited(LEVEL_WARNING, "watch", "stalled", "loop", log_i64("gap_ms", gap_ms));
}

static void on_silence(void *context, const char *partner, const struct datagram_silence *silence)
{
	struct watch *watch = context;
	watch->hooks.silence(partner, silence, watch->hooks.context);
}

static void on_kernel_probe(void *context, const char *partner, const struct addr *address, uint32_t count)
{
	struct watch *watch = context;
	echo_send(watch->echo, partner, address, count);
}

static void on_kernel_answer(const char *gateway, void *context)
{
	struct watch *watch = context;
	liveness_kernel_answered(watch->liveness, gateway);
}

static bool has_ipv6(void)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static void add_local(struct liveness_config *config, const struct endpoint *local)
{
	config->locals[config->local_count++] =
		(struct liveness_local){.address = local->addr, .port = local->port};
}

/* ":7443" means all addresses of both families. */
static int parse_listen(const char *listen, struct liveness_config *config, struct err *err)
{
	struct endpoint local;
	char text[64];
	if (listen[0] != ':') {
		int r = endpoint_parse(listen, &local, err);
		if (r >= 0)
			add_local(config, &local);
		return r;
	}
	snprintf(text, sizeof text, "0.0.0.0%s", listen);
	int r = endpoint_parse(text, &local, err);
	if (r < 0)
		return r;
	add_local(config, &local);
	if (has_ipv6()) {
		local.addr = (struct addr){.family = AF_INET6};
		add_local(config, &local);
	}
	return 0;
}

int watch_new(struct event_base *base, const char *listen, const char *name, uint64_t boot, uint64_t store,
	const struct watch_hooks *hooks, struct watch **ret_watch, struct err *err)
{
	struct liveness_config config = {.is_controller = true,
		.boot = boot,
		.store = store,
		.timing = timing_from_interval(TIMING_INTERVAL_DEFAULT_MS)};
	struct liveness_ops ops = {.fill = on_fill,
		.beat = on_beat,
		.leave = on_leave,
		.verdict = on_verdict,
		.silence = on_silence,
		.stalled = on_stalled};
	text_copy(config.name, sizeof config.name, name);
	int r = parse_listen(listen, &config, err);
	if (r < 0)
		return r;
	struct watch *watch = mem_new(1, sizeof *watch);
	watch->hooks = *hooks;
	watch->echo = echo_new(base, on_kernel_answer, watch);
	if (watch->echo)
		ops.kernel_probe = on_kernel_probe;
	r = liveness_new(base, &config, &ops, watch, &watch->liveness, err);
	if (r < 0)
		watch_free(watch);
	else
		*ret_watch = watch;
	return r;
}

void watch_free(struct watch *watch)
{
	if (!watch)
		return;
	liveness_free(watch->liveness);
	echo_free(watch->echo);
	free(watch);
}

static void fill_partner(struct liveness_partner *partner, const struct generation_gateway *gateway)
{
	*partner = (struct liveness_partner){.watch = true,
		.underlay = true,
		.learn = true,
		.pair_key = gateway->pair_key,
		.address_count = gateway->desired->address_count,
		.locals = {SIZE_MAX, SIZE_MAX}};
	text_copy(partner->name, sizeof partner->name, gateway->name);
	memcpy(partner->addresses, gateway->desired->addresses, sizeof partner->addresses);
}

static void remember(struct watch *watch, const struct generation *generation)
{
	struct known known[PROTO_GATEWAYS_MAX] = {0};
	size_t count = 0;
	for (; count < generation->gateway_count && count < PROTO_GATEWAYS_MAX; count++) {
		const struct known *old = find_known(watch, generation->gateways[count].name);
		text_copy(known[count].name, sizeof known[count].name, generation->gateways[count].name);
		known[count].verdict = old ? old->verdict : VERDICT_UNKNOWN;
	}
	memcpy(watch->known, known, sizeof known);
	watch->known_count = count;
}

void watch_set_generation(struct watch *watch, const struct generation *generation)
{
	struct timing timing = timing_from_interval(generation->liveness_ms);
	size_t count = generation->gateway_count;
	struct liveness_partner *partners = mem_new(count + 1, sizeof *partners);
	for (size_t i = 0; i < count; i++)
		fill_partner(&partners[i], &generation->gateways[i]);
	remember(watch, generation);
	liveness_set_timing(watch->liveness, &timing);
	int r = liveness_set_partners(watch->liveness, partners, count);
	if (r < 0)
		log_error("watch", "partners", log_errno(r));
	mem_wipe(partners, count * sizeof *partners);
	free(partners);
}

void watch_set_floor(struct watch *watch, uint64_t floor)
{
	watch->floor = floor;
}

void watch_set_frozen(struct watch *watch, bool frozen)
{
	watch->frozen = frozen;
}

void watch_hear_tls(struct watch *watch, const char *gateway)
{
	liveness_tls_contact(watch->liveness, gateway);
}

void watch_send_grant(struct watch *watch, const char *gateway, const struct grant *grant)
{
	struct datagram datagram = {.head.kind = DATAGRAM_GRANT, .grant = *grant};
	liveness_send(watch->liveness, gateway, &datagram);
}

int watch_view(const struct watch *watch, const char *gateway, struct liveness_view *ret_view)
{
	return liveness_view(watch->liveness, gateway, ret_view);
}

struct liveness_counters watch_counters(const struct watch *watch)
{
	return liveness_counters(watch->liveness);
}
