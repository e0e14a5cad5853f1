/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/fleet/generation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/fleet_files/fleet_files.h"
#include "common/io/clock.h"
#include "common/io/signature.h"
#include "controller/core/fleet/access.h"
#include "controller/core/fleet/compile.h"
#include "controller/core/fleet/counts.h"
#include "controller/core/fleet/expired.h"
#include "controller/core/fleet/read.h"
#include "proto/desired_text.h"

static void derive_pair_key(void *context, const char *a, const char *b, struct key *ret_key)
{
	char pair[2 * PROTO_NAME_MAX + 2];
	bool in_order = strcmp(a, b) < 0;
	snprintf(pair, sizeof pair, "%s|%s", in_order ? a : b, in_order ? b : a);
	mac_derive(context, "pair", pair, ret_key);
}

void generation_free(struct generation *generation)
{
	if (!generation)
		return;
	for (size_t i = 0; i < generation->gateway_count; i++)
		desired_free(generation->gateways[i].desired);
	if (generation->gateways)
		mem_wipe(generation->gateways, generation->gateway_count * sizeof *generation->gateways);
	free(generation->gateways);
	free(generation->endpoints);
	free(generation->bundle);
	lines_clear(&generation->doubts);
	free(generation);
}

const struct generation_gateway *generation_find(const struct generation *generation, const char *gateway)
{
	for (size_t i = 0; generation && i < generation->gateway_count; i++)
		if (strcmp(generation->gateways[i].name, gateway) == 0)
			return &generation->gateways[i];
	return NULL;
}

/* Returns the size of the text. */
static size_t hash_with(const struct desired *desired, const char *peers, char hash[SHA256_HEX_MAX])
{
	char *text = desired_encode_with(desired, peers);
	size_t size = strlen(text);
	sha256_hex(text, size, hash);
	mem_wipe(text, size);
	free(text);
	return size;
}

static void hash_desired(const struct desired *desired, char hash[SHA256_HEX_MAX])
{
	CLEANUP_FREE char *peers = desired_peers_encode(desired);
	hash_with(desired, peers, hash);
}

/* The text of a gateway's peers: of the gateways of a pool it is the same, so it is kept for the next one. */
struct peers_text {
	const struct desired *of; /* NULL: none yet */
	char *text;               /* owned */
};

static void take_peers_text(struct peers_text *kept, const struct desired *desired)
{
	if (!kept->of || !desired_peers_equal(kept->of, desired)) {
		free(kept->text);
		kept->text = desired_peers_encode(desired);
	}
	kept->of = desired;
}

/* Adds the hash of what it is whatever its number to *all. */
static void compile_gateway(struct generation_gateway *gateway, const struct fleet *fleet, size_t index,
	const struct fleet_issue *issue, struct peers_text *peers, struct text *all)
{
	char hash[SHA256_HEX_MAX];
	text_copy(gateway->name, sizeof gateway->name, fleet->gateways[index].name);
	gateway->desired = fleet_compile(fleet, index, issue);
	take_peers_text(peers, gateway->desired);
	gateway->desired->generation = 0;
	hash_with(gateway->desired, peers->text, hash);
	text_add(all, "%s %s\n", gateway->name, hash);
	gateway->desired->generation = issue->generation;
	gateway->bytes = hash_with(gateway->desired, peers->text, gateway->hash);
	issue->pair_key(issue->context, gateway->name, issue->controller, &gateway->pair_key);
}

/* What one gateway found, all others have found after that, if it is the same for them. */
static int64_t doubt_ms(const struct fleet_endpoint *endpoint)
{
	int64_t longest_ms = 1000; /* reports, and looks at what is forwarded */
	for (size_t i = 0; i < endpoint->check_count; i++) {
		const struct desired_check *check = &endpoint->checks[i].check;
		if ((int64_t)check->every_ms + check->timeout_ms > longest_ms)
			longest_ms = (int64_t)check->every_ms + check->timeout_ms;
	}
	return longest_ms + 500;
}

static void set_up_endpoint(struct decisions_endpoint *setup, const struct fleet_endpoint *endpoint)
{
	struct ownership_config *config = &setup->config;
	text_copy(config->name, sizeof config->name, endpoint->name);
	config->lease_ms = endpoint->lease_ms;
	config->exclusive = endpoint->isolation == ISOLATION_FENCE;
	config->preempt_ms = endpoint->preempt_ms;
	config->doubt_ms = doubt_ms(endpoint);
	config->member_count = endpoint->gateway_count;
	for (size_t i = 0; i < endpoint->gateway_count; i++)
		text_copy(config->members[i], sizeof config->members[i], endpoint->gateways[i].name);
	setup->tunnel_count = endpoint->tunnel_count;
	for (size_t i = 0; i < endpoint->tunnel_count; i++)
		text_copy(setup->tunnels[i], sizeof setup->tunnels[i], endpoint->tunnels[i].name);
}

static struct generation *compile(const struct fleet *fleet, const struct fleet_issue *issue)
{
	struct generation *generation = mem_new(1, sizeof *generation);
	struct peers_text peers = {0};
	struct text all = {0};
	text_copy(generation->fleet, sizeof generation->fleet, fleet->name);
	generation->number = issue->generation;
	generation->wall_ms = clock_wall_ms();
	generation->liveness_ms = fleet->liveness_ms;
	generation->gateway_count = fleet->gateway_count;
	generation->gateways = mem_new(fleet->gateway_count + 1, sizeof *generation->gateways);
	for (size_t i = 0; i < fleet->gateway_count; i++)
		compile_gateway(&generation->gateways[i], fleet, i, issue, &peers, &all);
	generation->endpoint_count = fleet->endpoint_count;
	generation->endpoints = mem_new(fleet->endpoint_count + 1, sizeof *generation->endpoints);
	for (size_t i = 0; i < fleet->endpoint_count; i++)
		set_up_endpoint(&generation->endpoints[i], &fleet->endpoints[i]);
	sha256_hex(all.data ? all.data : "", all.length, generation->hash);
	text_clear(&all);
	free(peers.text);
	return generation;
}

enum { SECOND_MS = 1000 };

/* What is said of a fleet, a line each. */
struct findings {
	struct lines *errors, *warnings, *doubts; /* doubts are warnings, too */
};

static void collect_one(const struct diagnostic *diagnostic, const struct findings *findings)
{
	char line[DIAGNOSTIC_TEXT_MAX];
	diagnostic_format(diagnostic, line, sizeof line);
	if (diagnostic->kind == WARNING_STORED) {
		lines_add(findings->doubts, "%s", line);
		lines_add(findings->warnings, "an apply of it would be refused: %s", line);
	} else {
		lines_add(diagnostic_is_warning(diagnostic) ? findings->warnings : findings->errors, "%s",
			line);
	}
}

static void collect(const struct diagnostics *diagnostics, const struct findings *findings)
{
	for (size_t i = 0; i < diagnostics->count; i++)
		collect_one(&diagnostics->items[i], findings);
}

static int read_fleet(
	const struct bundle *bundle, bool stored, struct fleet **ret_fleet, const struct findings *findings)
{
	struct diagnostics diagnostics = {0};
	struct fleet_source *sources = mem_new(bundle->count + 1, sizeof *sources);
	for (size_t i = 0; i < bundle->count; i++)
		sources[i] = (struct fleet_source){.name = bundle->files[i].name,
			.text = bundle->files[i].text,
			.size = bundle->files[i].size};
	int r = (stored ? fleet_read_stored : fleet_read)(sources, bundle->count, ret_fleet, &diagnostics);
	if (r >= 0)
		fleet_warn_expired(*ret_fleet, clock_wall_ms() / SECOND_MS, &diagnostics);
	collect(&diagnostics, findings);
	diagnostics_clear(&diagnostics);
	free(sources);
	return r;
}

/* A datagram names its sender and receiver only: two of one name could not be told apart. */
static int check_name(
	const struct bundle *bundle, const struct fleet *fleet, const char *controller, struct lines *errors)
{
	const struct fleet_gateway *gateway = fleet_find_gateway(fleet, controller);
	if (!gateway)
		return 0;
	lines_add(errors, "%s:%u:%u: the controller itself is called \"%s\": give the gateway another name",
		bundle->files[gateway->place.source].name, gateway->place.line, gateway->place.column,
		controller);
	return -EINVAL;
}

void generation_grant_seed(const struct key *secret, struct key *ret_seed)
{
	mac_derive(secret, "holdfast grants", "", ret_seed);
}

static void grant_key_of(const struct key *secret, struct key *ret_public)
{
	struct key seed;

	generation_grant_seed(secret, &seed);
	signature_public_key(&seed, ret_public);
	key_wipe(&seed);
}

int generation_make(const struct bundle *bundle, uint64_t number, const struct generation_maker *maker,
	struct generation **ret_generation, struct lines *errors, struct lines *warnings)
{
	struct key secret = *maker->secret;
	struct fleet_issue issue = {.generation = number,
		.store = maker->store,
		.controller = maker->controller,
		.pair_key = derive_pair_key,
		.context = &secret};
	struct lines doubts = {0};
	struct fleet *fleet = NULL;
	int r = read_fleet(bundle, maker->stored, &fleet, &(struct findings){errors, warnings, &doubts});
	grant_key_of(maker->secret, &issue.grant_key);
	if (r >= 0)
		r = check_name(bundle, fleet, maker->controller, errors);
	if (r >= 0) {
		struct generation *generation = compile(fleet, &issue);
		generation->bundle = bundle_encode(bundle);
		generation->doubts = doubts;
		*ret_generation = generation;
	} else {
		lines_clear(&doubts);
	}
	fleet_free(fleet);
	key_wipe(&secret);
	return r;
}

static int compile_one(const struct fleet *fleet, const struct fleet_issue *issue, const char *gateway,
	const char *hash, struct desired **ret_desired)
{
	const struct fleet_gateway *found = fleet_find_gateway(fleet, gateway);
	char own[SHA256_HEX_MAX];
	if (!found)
		return -ENOENT;
	struct desired *desired = fleet_compile(fleet, (size_t)(found - fleet->gateways), issue);
	hash_desired(desired, own);
	if (strcmp(own, hash) != 0) {
		desired_free(desired);
		return -ESTALE;
	}
	*ret_desired = desired;
	return 0;
}

int generation_make_one(const struct bundle *bundle, uint64_t number, const struct generation_maker *maker,
	const char *gateway, const char *hash, struct desired **ret_desired)
{
	struct key secret = *maker->secret;
	struct fleet_issue issue = {.generation = number,
		.store = maker->store,
		.controller = maker->controller,
		.pair_key = derive_pair_key,
		.context = &secret};
	struct lines errors = {0}, warnings = {0}, doubts = {0};
	struct fleet *fleet = NULL;
	int r = read_fleet(bundle, maker->stored, &fleet, &(struct findings){&errors, &warnings, &doubts});
	grant_key_of(maker->secret, &issue.grant_key);
	if (r >= 0)
		r = compile_one(fleet, &issue, gateway, hash, ret_desired);
	fleet_free(fleet);
	lines_clear(&errors);
	lines_clear(&warnings);
	lines_clear(&doubts);
	key_wipe(&secret);
	return r;
}

int generation_read_files(
	const char *path, struct bundle *ret_bundle, struct file_places *places, struct err *err)
{
	struct fleet_files files = {0};
	struct bundle bundle = {0};
	int r = fleet_files_read_and_place(path, &files, places, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < files.count && r >= 0; i++)
		r = bundle_add(&bundle, files.items[i].name, files.items[i].text, files.items[i].size, err);
	fleet_files_clear(&files);
	if (r < 0)
		bundle_clear(&bundle);
	else
		*ret_bundle = bundle;
	return r;
}

/* Two generations, to be compared; what they point to is cleared with it. */
struct sides {
	const struct desired **old_gateways, **new_gateways;
	struct access_side before, after;
};

static const struct desired **take_side(
	const struct generation *generation, int64_t now_s, struct access_side *ret_side)
{
	size_t count = generation ? generation->gateway_count : 0;
	const struct desired **gateways = mem_new(count + 1, sizeof(const struct desired *));
	for (size_t i = 0; i < count; i++)
		gateways[i] = generation->gateways[i].desired;
	*ret_side = (struct access_side){.gateways = gateways, .count = count, .now_s = now_s};
	return gateways;
}

/* now_s 0: with those that are expired, which a gateway whose clock is wrong still lets in. */
static void sides_take(
	const struct generation *from, const struct generation *to, int64_t now_s, struct sides *ret_sides)
{
	ret_sides->old_gateways = take_side(from, now_s, &ret_sides->before);
	ret_sides->new_gateways = take_side(to, now_s, &ret_sides->after);
}

static void sides_clear(struct sides *sides)
{
	free(sides->old_gateways);
	free(sides->new_gateways);
}

void generation_count(const struct generation *from, struct generation *to)
{
	struct fleet_counts counts;
	struct sides sides;
	sides_take(from, to, clock_wall_ms() / SECOND_MS, &sides);
	fleet_count(&sides.before, &sides.after, &counts);
	sides_clear(&sides);
	to->counts = (struct store_counts){counts.added, counts.changed, counts.removed, counts.other};
}

bool generation_narrows(const struct generation *from, const struct generation *to)
{
	struct sides sides;
	bool narrows;
	sides_take(from, to, 0, &sides);
	narrows = access_narrows(&sides.before, &sides.after);
	sides_clear(&sides);
	return narrows;
}

struct admission {
	size_t max, count;
	struct lines *lines;
};

static void note_admitted(
	const struct desired_peer *from, const struct desired_peer *to, unsigned changes, void *context)
{
	struct admission *admission = context;
	(void)from;
	if (!(changes & (ACCESS_ADMITTED | ACCESS_WIDENED)))
		return;
	if (admission->count++ < admission->max)
		lines_add(admission->lines, changes & ACCESS_ADMITTED ? "admits %s in %s" : "widens %s in %s",
			to->name, to->tunnel);
}

void generation_admits(
	const struct generation *from, const struct generation *to, size_t max, struct lines *lines)
{
	struct admission admission = {.max = max, .lines = lines};
	struct sides sides;
	sides_take(from, to, 0, &sides);
	access_compare(&sides.before, &sides.after, note_admitted, &admission);
	sides_clear(&sides);
	if (admission.count > max)
		lines_add(lines, "admits or widens %zu more peers", admission.count - max);
}

void generation_record(const struct generation *generation, struct store_generation *ret_record)
{
	*ret_record = (struct store_generation){.number = generation->number,
		.wall_ms = generation->wall_ms,
		.floor = generation->floor,
		.rollback_to = generation->rollback_to,
		.counts = generation->counts,
		.bundle = mem_text(generation->bundle)};
	text_copy(ret_record->hash, sizeof ret_record->hash, generation->hash);
	text_copy(ret_record->who, sizeof ret_record->who, generation->who);
	text_copy(ret_record->what, sizeof ret_record->what, generation->what);
}
