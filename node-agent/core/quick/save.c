/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/core/quick/save.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/quick/save_line.h"

struct saver {
	struct save_lines lines;
	const struct quick_config *config;
	const struct quick_allowed *allowed;
	const struct quick_saved *live;
};

/* A run of lines: [first, end), from its heading on. */
struct run {
	size_t first, end;
};

static bool is_heading(const struct save_line *line, const char *heading)
{
	struct quick_span text = quick_trim(line->line.text);
	const char *comment = text.length ? memchr(text.at, '#', text.length) : NULL;

	if (comment)
		text = quick_trim((struct quick_span){text.at, (size_t)(comment - text.at)});
	return heading ? quick_span_is(text, heading) : text.length && text.at[0] == '[';
}

static struct run run_from(const struct save_lines *lines, size_t first)
{
	struct run run = {first, first + 1};

	while (run.end < lines->count && !is_heading(&lines->items[run.end], NULL))
		run.end++;
	return run;
}

/* Where something new of a section goes: behind its last line that says something. */
static struct save_line *last_key(struct save_lines *lines, struct run run)
{
	size_t last = run.first;

	for (size_t i = run.first; i < run.end; i++)
		if (lines->items[i].is_key)
			last = i;
	return &lines->items[last];
}

static struct save_line *find_key(struct save_lines *lines, struct run run, const char *key)
{
	struct save_line *found = NULL;

	for (size_t i = run.first; i < run.end; i++)
		if (save_line_is(&lines->items[i], key))
			found = &lines->items[i];
	return found;
}

/* Set a key of a section; value NULL: away with it. */
static void set_key(struct save_lines *lines, struct run run, const char *key, const char *value)
{
	struct save_line *line = find_key(lines, run, key);

	if (line && value) {
		save_line_change(line, value);
	} else if (line) {
		for (size_t i = run.first; i < run.end; i++)
			lines->items[i].dropped |= save_line_is(&lines->items[i], key);
	} else if (value) {
		text_add(&last_key(lines, run)->after, "%s = %s\n", key, value);
	}
}

static void set_number(struct save_lines *lines, struct run run, const char *key, uint32_t value, bool hex)
{
	struct text text = {0};

	text_add(&text, hex ? "0x%" PRIx32 : "%" PRIu32, value);
	set_key(lines, run, key, text.data);
	text_clear(&text);
}

static void set_secret(struct save_lines *lines, struct run run, const char *key, const struct key *value)
{
	char text[KEY_TEXT_MAX];

	set_key(lines, run, key, key_is_zero(value) ? NULL : key_format(value, text));
	mem_wipe(text, sizeof(text));
}

/* ---- [Interface] ---- */

static struct run find_interface(const struct save_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		if (is_heading(&lines->items[i], "[Interface]"))
			return run_from(lines, i);
	return (struct run){0, 0};
}

static bool has_address(const struct prefix *addresses, size_t count, const struct prefix *address)
{
	for (size_t i = 0; i < count; i++)
		if (prefix_equal(&addresses[i], address))
			return true;
	return false;
}

static void save_address_line(const struct saver *saver, struct save_line *line)
{
	struct quick_span rest = line->line.value, word;
	struct text kept = {0};
	bool differs = false;

	while (quick_next_word(&rest, &word)) {
		char text[PREFIX_TEXT_MAX] = "";
		struct prefix prefix;

		memcpy(text, word.at, word.length < sizeof(text) ? word.length : 0);
		if (quick_address_parse(text, &prefix) >= 0 &&
			has_address(saver->live->addresses, saver->live->address_count, &prefix))
			text_add(&kept, "%s%s", kept.length ? ", " : "", text);
		else
			differs = true;
	}
	if (differs && kept.length)
		save_line_change(line, kept.data);
	else if (differs)
		line->dropped = true;
	text_clear(&kept);
}

static void save_addresses(struct saver *saver, struct run interface)
{
	struct save_line *last = NULL;
	char text[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < saver->lines.count; i++)
		if (saver->lines.items[i].line.key == QUICK_KEY_ADDRESS) {
			save_address_line(saver, &saver->lines.items[i]);
			last = &saver->lines.items[i];
		}
	if (!last)
		last = &saver->lines.items[interface.first];
	for (size_t i = 0; i < saver->live->address_count; i++)
		if (!has_address(saver->config->addresses, saver->config->address_count,
			    &saver->live->addresses[i]))
			text_add(&last->after, "Address = %s\n",
				prefix_format(&saver->live->addresses[i], text, sizeof(text)));
}

static void save_mtu(struct saver *saver)
{
	struct text text = {0};

	text_add(&text, "%" PRIu32, saver->live->mtu);
	for (size_t i = 0; i < saver->lines.count && saver->config->mtu; i++)
		if (saver->lines.items[i].line.key == QUICK_KEY_MTU && saver->config->mtu != saver->live->mtu)
			save_line_change(&saver->lines.items[i], text.data);
	text_clear(&text);
}

static void save_interface(struct saver *saver)
{
	const struct quick_config *config = saver->config;
	const struct quick_saved *live = saver->live;
	struct run run = find_interface(&saver->lines);

	if (run.first == run.end)
		return;
	save_addresses(saver, run);
	save_mtu(saver);
	if (config->has_listen_port ? config->listen_port != live->listen_port
				    : live->listen_port && !live->port_is_chosen)
		set_number(&saver->lines, run, "ListenPort", live->listen_port, false);
	if (config->has_fwmark ? config->fwmark != live->fwmark : live->fwmark && !live->mark_is_chosen)
		set_number(&saver->lines, run, "FwMark", live->fwmark, true);
	if (config->private_key_elsewhere)
		return;
	/* Keys are clamped when they are set: one that gives the same public key is the same. */
	if (!config->has_private_key ? !key_is_zero(&live->private_key)
				     : !key_equal(&config->private_key, &live->private_key) &&
					       !key_is_zero(&live->private_key))
		set_secret(&saver->lines, run, "PrivateKey", &live->private_key);
}

/* ---- peers ---- */

static const struct plan_peer *find_live(const struct quick_saved *live, const struct key *key)
{
	size_t low = 0, high = live->peer_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(key->bytes, live->peers[middle].public_key.bytes, KEY_BYTES);

		if (!order)
			return &live->peers[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

static int compare_prefixes(const void *left, const void *right)
{
	return prefix_compare(left, right);
}

static struct prefix *sorted_allowed(const struct plan_peer *peer)
{
	struct prefix *sorted = mem_new(peer->allowed_ip_count + 1, sizeof(*sorted));

	if (peer->allowed_ip_count)
		memcpy(sorted, peer->allowed_ips, peer->allowed_ip_count * sizeof(*sorted));
	qsort(sorted, peer->allowed_ip_count, sizeof(*sorted), compare_prefixes);
	return sorted;
}

static char *allowed_text(const struct plan_peer *peer)
{
	CLEANUP_FREE struct prefix *sorted = sorted_allowed(peer);
	char prefix[PREFIX_TEXT_MAX];
	struct text text = {0};

	for (size_t i = 0; i < peer->allowed_ip_count; i++)
		text_add(&text, "%s%s", i ? ", " : "", prefix_format(&sorted[i], prefix, sizeof(prefix)));
	return text_take(&text);
}

/* allowed's are sorted within a peer. */
static bool allowed_alike(const struct saver *saver, size_t index, const struct plan_peer *live)
{
	CLEANUP_FREE struct prefix *sorted = sorted_allowed(live);
	size_t first = saver->allowed->first[index], count = saver->allowed->first[index + 1] - first;

	if (count != live->allowed_ip_count)
		return false;
	for (size_t i = 0; i < count; i++)
		if (!prefix_equal(&saver->allowed->prefixes[first + i], &sorted[i]))
			return false;
	return true;
}

static void save_allowed(struct saver *saver, struct run run, const struct plan_peer *live)
{
	CLEANUP_FREE char *text = allowed_text(live);
	struct save_line *kept = find_key(&saver->lines, run, "AllowedIPs");

	set_key(&saver->lines, run, "AllowedIPs", text[0] ? text : NULL);
	for (size_t i = run.first; i < run.end && kept; i++)
		if (&saver->lines.items[i] != kept && save_line_is(&saver->lines.items[i], "AllowedIPs"))
			saver->lines.items[i].dropped = true;
}

static const char *zone_of(const struct saver *saver, const struct plan_peer *live)
{
	return saver->live->zones ? saver->live->zones[live - saver->live->peers] : "";
}

/* An interface is called by its name or its number; a program that does not tell which is taken to agree. */
static bool zone_is(const char *zone, const struct endpoint *live, const char *name)
{
	char number[ZONE_TEXT_MAX];

	if (!live->scope)
		return true;
	snprintf(number, sizeof(number), "%" PRIu32, live->scope);
	return zone && (!strcmp(zone, name) || !strcmp(zone, number));
}

/* A name is what the user meant, wherever it leads today. */
static void save_endpoint(
	struct saver *saver, struct run run, const struct quick_peer *peer, const struct plan_peer *live)
{
	const char *zone = zone_of(saver, live);
	char text[ENDPOINT_TEXT_MAX];
	bool by_name = peer->host && !addr_is_set(&peer->endpoint.addr);
	bool alike = endpoint_matches(&peer->endpoint, &live->endpoint) &&
		     zone_is(peer->zone, &live->endpoint, zone);

	if (!by_name && addr_is_set(&live->endpoint.addr) && !alike)
		set_key(&saver->lines, run, "Endpoint",
			endpoint_format_zone(&live->endpoint, zone, text, sizeof(text)));
}

static void save_peer(struct saver *saver, struct run run, size_t index, const struct plan_peer *live)
{
	const struct quick_peer *peer = &saver->config->peers[index];

	if (!peer->preshared_key_elsewhere && !key_equal(&peer->preshared_key, &live->preshared_key))
		set_secret(&saver->lines, run, "PresharedKey", &live->preshared_key);
	if (!allowed_alike(saver, index, live))
		save_allowed(saver, run, live);
	save_endpoint(saver, run, peer, live);
	if (peer->keepalive_s != live->keepalive_s && live->keepalive_s)
		set_number(&saver->lines, run, "PersistentKeepalive", live->keepalive_s, false);
	else if (peer->keepalive_s != live->keepalive_s)
		set_key(&saver->lines, run, "PersistentKeepalive", NULL);
}

static bool is_comment(const struct save_line *line)
{
	return !line->is_key && quick_trim(line->line.text).length;
}

/* With the comment right above it, and the blank lines behind. */
static void drop_peer(struct saver *saver, struct run run)
{
	struct save_line *items = saver->lines.items;
	size_t last = (size_t)(last_key(&saver->lines, run) - items);

	while (last + 1 < run.end && !items[last + 1].is_key && !is_comment(&items[last + 1]))
		last++;
	while (run.first > 0 && is_comment(&items[run.first - 1]))
		run.first--;
	for (size_t i = run.first; i <= last; i++)
		items[i].dropped = true;
}

static void save_peers(struct saver *saver)
{
	size_t index = 0;

	for (size_t i = 0; i < saver->lines.count && index < saver->config->peer_count; i++) {
		const struct quick_peer *peer = &saver->config->peers[index];
		const struct plan_peer *live = find_live(saver->live, &peer->public_key);
		struct run run = run_from(&saver->lines, i);

		if (saver->lines.items[i].line.number != peer->place.line)
			continue;
		if (live && !saver->allowed->superseded[index])
			save_peer(saver, run, index, live);
		else if (!live && !peer->disabled && !key_equal(&peer->public_key, &saver->live->public_key))
			drop_peer(saver, run);
		index++;
	}
}

static int by_key(const void *left, const void *right)
{
	return memcmp(left, right, KEY_BYTES);
}

static struct key *known_keys(const struct quick_config *config)
{
	struct key *keys = mem_new(config->peer_count + 1, sizeof(*keys));

	for (size_t i = 0; i < config->peer_count; i++)
		keys[i] = config->peers[i].public_key;
	qsort(keys, config->peer_count, sizeof(*keys), by_key);
	return keys;
}

static void add_peer(struct text *to, const struct plan_peer *peer, const char *zone)
{
	CLEANUP_FREE char *allowed = allowed_text(peer);
	char key[KEY_TEXT_MAX], endpoint[ENDPOINT_TEXT_MAX];

	text_add(to, "\n[Peer]\nPublicKey = %s\n", key_format(&peer->public_key, key));
	if (!key_is_zero(&peer->preshared_key))
		text_add(to, "PresharedKey = %s\n", key_format(&peer->preshared_key, key));
	if (allowed[0])
		text_add(to, "AllowedIPs = %s\n", allowed);
	if (addr_is_set(&peer->endpoint.addr))
		text_add(to, "Endpoint = %s\n", 
			endpoint_format_zone(&peer->endpoint, zone, endpoint, sizeof(endpoint)));
	if (peer->keepalive_s)
		text_add(to, "PersistentKeepalive = %u\n", peer->keepalive_s);
	mem_wipe(key, sizeof(key));
}

static char *new_peers(const struct saver *saver)
{
	CLEANUP_FREE struct key *known = known_keys(saver->config);
	struct text text = {0};

	for (size_t i = 0; i < saver->live->peer_count; i++)
		if (!bsearch(&saver->live->peers[i].public_key, known, saver->config->peer_count,
			    sizeof(*known), by_key))
			add_peer(&text, &saver->live->peers[i], zone_of(saver, &saver->live->peers[i]));
	return text_take(&text);
}

char *quick_save(const char *text, size_t size, const struct quick_config *config,
	const struct quick_allowed *allowed, const struct quick_saved *live)
{
	struct saver saver = {.config = config, .allowed = allowed, .live = live};
	char *appended, *saved;

	save_lines_init(&saver.lines, text, size);
	save_interface(&saver);
	save_peers(&saver);
	appended = new_peers(&saver);
	saved = save_lines_join(&saver.lines, appended);
	mem_wipe(appended, strlen(appended));
	free(appended);
	save_lines_clear(&saver.lines);
	return saved;
}
