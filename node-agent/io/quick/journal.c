/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/json/read.h"
#include "common/json/write.h"
#include "node-agent/core/firewall/firewall.h"
#include "node-agent/io/quick/quick_int.h"

/* No secrets are in it. It lies on a tmpfs, so it is gone when what it tells of is. */
enum {
	JOURNAL_VERSION = 1,
	PEERS_MAX = 1 << 20,
	HOST_ROUTES_MAX = 1 << 20,
	ENDPOINT_MAX = 2 * QUICK_NAME_MAX + 1,
	DNS_TEXT_MAX = 2 * QUICK_DNS_MAX * (QUICK_NAME_MAX + 16)
};

static const char *const stages[] = {"none", "making", "up", "removing", "adopting", "releasing"};
static const char *const dns_ways[] = {"none", "resolvconf", "resolved", "file", "namespace"};

static void journal_path(const struct quick *quick, const char *name, char path[PATH_MAX + 32])
{
	snprintf(path, PATH_MAX + 32, "%s/%s.json", quick->directory, name);
}

void quick_journal_clear(struct quick_journal *journal)
{
	quick_memory_clear(&journal->memory);
	quick_texts_clear(&journal->left_out);
	quick_journal_clear_spaces(journal);
	quick_dns_state_clear(&journal->dns);
	free(journal->host_routes);
	*journal = (struct quick_journal){0};
}

void quick_journal_forget_left_out(struct quick_journal *journal)
{
	quick_texts_clear(&journal->left_out);
	journal->mtu_left = 0;
	journal->firewall_left = false;
}

/* ---- writing ---- */

static void put_rule(json_t *rules, const struct plan_rule *rule)
{
	json_t *object = jput_object(rules, NULL);

	jput_u64(object, "family", rule->family);
	jput_u64(object, "priority", rule->priority);
	jput_u64(object, "table", rule->table);
	jput_bool(object, "not_marked", rule->invert);
	jput_u64(object, "mark", rule->fwmark);
}

static void put_host_route(json_t *routes, const struct quick_host_route *route)
{
	json_t *object = jput_object(routes, NULL);

	jput_prefix(object, "to", &route->to);
	jput_u64(object, "table", route->table);
	jput_u64(object, "metric", route->metric);
}

static void put_memory(json_t *root, const struct quick_memory *memory)
{
	json_t *object = jput_object(root, "file"), *peers = jput_array(object, "peers");

	jput_bool(object, "private_key", memory->has_private_key);
	jput_bool(object, "listen_port", memory->has_listen_port);
	jput_bool(object, "fwmark", memory->has_fwmark);
	jput_bool(object, "multicast", memory->has_multicast);
	for (size_t i = 0; i < memory->peer_count; i++) {
		json_t *peer = jput_object(peers, NULL);

		jput_key(peer, "public_key", &memory->peers[i].public_key);
		jput_bool(peer, "preshared_key", memory->peers[i].has_preshared_key);
		jput_text(peer, "endpoint", memory->peers[i].endpoint);
	}
}

static void put_parameters(json_t *root, const struct quick_journal *journal)
{
	json_t *parameters = jput_object(root, "parameters");

	for (unsigned i = 0; i < QUICK_PARAMETERS; i++) {
		json_t *object = jput_object(parameters, quick_parameter_key(i));

		jput_bool(object, "needed", journal->parameters[i].needed);
		jput_text(object, "before", journal->parameters[i].before);
	}
}

static void put_left_out(json_t *root, const struct quick_journal *journal)
{
	json_t *object = jput_object(root, "left_out"), *operations = jput_array(object, "operations");

	jput_u64(object, "mtu", journal->mtu_left);
	jput_bool(object, "firewall", journal->firewall_left);
	for (size_t i = 0; i < journal->left_out.count; i++)
		jput_text(jput_object(operations, NULL), "operation", journal->left_out.items[i]);
}

static json_t *to_json(const struct quick_journal *journal)
{
	json_t *root = json_object(), *rules, *routes;

	jput_u64(root, "version", JOURNAL_VERSION);
	jput_text(root, "interface", journal->name);
	jput_text(root, "stage", stages[journal->stage]);
	jput_bool(root, "link", journal->link);
	jput_u64(root, "ifindex", journal->ifindex);
	jput_u64(root, "mark", journal->mark);
	jput_u64(root, "listen_port", journal->listen_port);
	jput_bool(root, "firewall", journal->firewall);
	jput_bool(root, "forwards", journal->forwards);
	jput_bool(root, "silent", journal->silent);
	jput_u64(root, "firewall_without", journal->firewall_without);
	jput_text(root, "dns", dns_ways[journal->dns.way]);
	jput_text(root, "dns_name", journal->dns.name);
	jput_text(root, "dns_text", journal->dns.text);
	put_parameters(root, journal);
	jput_bool(root, "foreign", journal->foreign);
	rules = jput_array(root, "rules");
	for (size_t i = 0; i < journal->rule_count; i++)
		put_rule(rules, &journal->rules[i]);
	routes = jput_array(root, "host_routes");
	for (size_t i = 0; i < journal->host_route_count; i++)
		put_host_route(routes, &journal->host_routes[i]);
	put_memory(root, &journal->memory);
	put_left_out(root, journal);
	quick_journal_put_spaces(root, journal);
	return root;
}

static int write_journal(struct quick *quick, const struct quick_journal *journal)
{
	char path[PATH_MAX + 32];
	json_t *json = to_json(journal);
	size_t size;
	CLEANUP_FREE char *text = json_compact(json, &size);

	json_decref(json);
	journal_path(quick, journal->name, path);
	return file_write(path, text, size, 0600, quick->err);
}

static int write_own(struct quick *quick)
{
	text_copy(quick->journal.name, sizeof(quick->journal.name), quick->name);
	if (!quick->journal.target.inode && !quick->spaces.missing) {
		if (quick->journal.target.where)
			quick_spaces_note_made(quick);
		else
			quick_spaces_note(quick);
	}
	return write_journal(quick, &quick->journal);
}

/* Others write into it under that lock, and taking it reads what they wrote. */
int quick_journal_write(struct quick *quick)
{
	bool held = quick->route_lock_fd >= 0;
	int r = quick_lock_routes(quick);

	if (r >= 0)
		r = write_own(quick);
	if (!held)
		quick_unlock_routes(quick);
	return r;
}

void quick_journal_remove(struct quick *quick)
{
	char path[PATH_MAX + 32];

	journal_path(quick, quick->name, path);
	unlink(path);
	quick_copy_remove(quick); /* last: one that is killed leaves no journal without a copy */
}

/* ---- reading ---- */

static int get_rule(const struct jnode *node, struct plan_rule *rule, struct err *err)
{
	uint64_t family = 0, priority = 0, table = 0, mark = 0;
	int r = jnode_u64(node, "family", JSON_REQUIRED, 0, UINT8_MAX, &family, err);

	if (r >= 0)
		r = jnode_u64(node, "priority", JSON_REQUIRED, 0, UINT32_MAX, &priority, err);
	if (r >= 0)
		r = jnode_u64(node, "table", JSON_REQUIRED, 0, UINT32_MAX, &table, err);
	if (r >= 0)
		r = jnode_u64(node, "mark", JSON_REQUIRED, 0, UINT32_MAX, &mark, err);
	if (r >= 0)
		r = jnode_bool(node, "not_marked", JSON_REQUIRED, &rule->invert, err);
	rule->family = (uint8_t)family;
	rule->priority = (uint32_t)priority;
	rule->table = (uint32_t)table;
	rule->fwmark = (uint32_t)mark;
	rule->has_fwmark = rule->invert;
	rule->has_suppress = !rule->invert;
	return r;
}

static int get_rules(const struct jnode *root, struct quick_journal *journal, struct err *err)
{
	struct jnode rules;
	int r = jnode_array(root, "rules", JSON_REQUIRED, QUICK_RULES_MAX, &rules, err);

	for (size_t i = 0; r >= 0 && i < jnode_count(&rules); i++) {
		struct jnode item = jnode_item(&rules, i);

		r = get_rule(&item, &journal->rules[i], err);
		journal->rule_count = i + 1;
	}
	return r;
}

static int get_host_route(const struct jnode *node, struct quick_journal *journal, struct err *err)
{
	uint64_t table = 0, metric = 0;
	struct quick_host_route route = {0};
	int r = jnode_prefix(node, "to", JSON_REQUIRED, &route.to, err);

	if (r >= 0)
		r = jnode_u64(node, "table", JSON_REQUIRED, 0, UINT32_MAX, &table, err);
	if (r >= 0)
		r = jnode_u64(node, "metric", JSON_REQUIRED, 0, UINT32_MAX, &metric, err);
	if (r < 0)
		return r;
	route.table = (uint32_t)table;
	route.metric = (uint32_t)metric;
	journal->host_routes = mem_grow(journal->host_routes, &journal->host_route_capacity,
		journal->host_route_count + 1, sizeof(route));
	journal->host_routes[journal->host_route_count++] = route;
	return 0;
}

static int get_host_routes(const struct jnode *root, struct quick_journal *journal, struct err *err)
{
	struct jnode routes;
	int r = jnode_array(root, "host_routes", JSON_REQUIRED, HOST_ROUTES_MAX, &routes, err);

	for (size_t i = 0; r >= 0 && i < jnode_count(&routes); i++) {
		struct jnode item = jnode_item(&routes, i);

		r = get_host_route(&item, journal, err);
	}
	return r;
}

static int get_peer(const struct jnode *node, struct quick_memory *memory, struct err *err)
{
	struct quick_memory_peer *peer;
	int r;

	memory->peers = mem_grow(
		memory->peers, &memory->peer_capacity, memory->peer_count + 1, sizeof(*memory->peers));
	peer = &memory->peers[memory->peer_count++];
	r = jnode_key(node, "public_key", JSON_REQUIRED, &peer->public_key, err);
	if (r >= 0)
		r = jnode_bool(node, "preshared_key", JSON_REQUIRED, &peer->has_preshared_key, err);
	if (r >= 0)
		r = jnode_text_new(node, "endpoint", JSON_OPTIONAL, ENDPOINT_MAX, &peer->endpoint, err);
	return r;
}

static int get_memory(const struct jnode *root, struct quick_memory *memory, struct err *err)
{
	struct jnode object, peers;
	int r = jnode_object(root, "file", JSON_REQUIRED, &object, err);

	if (r >= 0)
		r = jnode_bool(&object, "private_key", JSON_REQUIRED, &memory->has_private_key, err);
	if (r >= 0)
		r = jnode_bool(&object, "listen_port", JSON_REQUIRED, &memory->has_listen_port, err);
	if (r >= 0)
		r = jnode_bool(&object, "fwmark", JSON_REQUIRED, &memory->has_fwmark, err);
	if (r >= 0)
		r = jnode_bool(&object, "multicast", JSON_REQUIRED, &memory->has_multicast, err);
	if (r >= 0)
		r = jnode_array(&object, "peers", JSON_REQUIRED, PEERS_MAX, &peers, err);
	for (size_t i = 0; r >= 0 && i < jnode_count(&peers); i++) {
		struct jnode item = jnode_item(&peers, i);

		r = get_peer(&item, memory, err);
	}
	return r;
}

static int get_left_out(const struct jnode *root, struct quick_journal *journal, struct err *err)
{
	struct jnode object, operations;
	char text[PLAN_TEXT_MAX];
	uint64_t mtu = 0;
	int r = jnode_object(root, "left_out", JSON_REQUIRED, &object, err);

	if (r >= 0)
		r = jnode_u64(&object, "mtu", JSON_REQUIRED, 0, UINT32_MAX, &mtu, err);
	if (r >= 0)
		r = jnode_bool(&object, "firewall", JSON_REQUIRED, &journal->firewall_left, err);
	if (r >= 0)
		r = jnode_array(&object, "operations", JSON_REQUIRED, QUICK_LEFT_OUT_MAX, &operations, err);
	for (size_t i = 0; r >= 0 && i < jnode_count(&operations); i++) {
		struct jnode item = jnode_item(&operations, i);

		r = jnode_text(&item, "operation", JSON_REQUIRED, text, sizeof(text), err);
		if (r >= 0)
			quick_texts_add(&journal->left_out, text, strlen(text));
	}
	journal->mtu_left = (uint32_t)mtu;
	return r;
}

static int get_numbers(const struct jnode *root, struct quick_journal *journal, struct err *err)
{
	uint64_t ifindex = 0, mark = 0, port = 0, without = 0;
	int r = jnode_u64(root, "ifindex", JSON_REQUIRED, 0, INT32_MAX, &ifindex, err);

	if (r >= 0)
		r = jnode_u64(root, "mark", JSON_REQUIRED, 0, UINT32_MAX, &mark, err);
	if (r >= 0)
		r = jnode_u64(root, "listen_port", JSON_REQUIRED, 0, UINT16_MAX, &port, err);
	journal->ifindex = (unsigned)ifindex;
	journal->mark = (uint32_t)mark;
	if (r >= 0)
		r = jnode_u64(root, "firewall_without", JSON_REQUIRED, 0, FIREWALL_ALL, &without, err);
	journal->listen_port = (uint16_t)port;
	journal->firewall_without = (unsigned)without;
	return r;
}

static int get_parameters(const struct jnode *root, struct quick_journal *journal, struct err *err)
{
	struct jnode parameters, object;
	int r = jnode_object(root, "parameters", JSON_REQUIRED, &parameters, err);

	for (unsigned i = 0; r >= 0 && i < QUICK_PARAMETERS; i++) {
		struct quick_parameter_note *note = &journal->parameters[i];

		r = jnode_object(&parameters, quick_parameter_key(i), JSON_REQUIRED, &object, err);
		if (r >= 0)
			r = jnode_bool(&object, "needed", JSON_REQUIRED, &note->needed, err);
		if (r >= 0)
			r = jnode_text(
				&object, "before", JSON_REQUIRED, note->before, sizeof(note->before), err);
	}
	return r;
}

static int from_json(const struct jnode *root, struct quick_journal *journal, struct err *err)
{
	unsigned stage = 0, dns = 0;
	int r = jnode_text(root, "interface", JSON_REQUIRED, journal->name, sizeof(journal->name), err);

	if (r >= 0)
		r = jnode_word(root, "stage", JSON_REQUIRED, stages, ARRAY_COUNT(stages), &stage, err);
	if (r >= 0)
		r = jnode_word(root, "dns", JSON_REQUIRED, dns_ways, ARRAY_COUNT(dns_ways), &dns, err);
	if (r >= 0)
		r = jnode_text(
			root, "dns_name", JSON_REQUIRED, journal->dns.name, sizeof(journal->dns.name), err);
	if (r >= 0)
		r = jnode_text_new(root, "dns_text", JSON_OPTIONAL, DNS_TEXT_MAX, &journal->dns.text, err);
	if (r >= 0)
		r = get_parameters(root, journal, err);
	if (r >= 0)
		r = jnode_bool(root, "link", JSON_REQUIRED, &journal->link, err);
	if (r >= 0)
		r = jnode_bool(root, "foreign", JSON_REQUIRED, &journal->foreign, err);
	if (r >= 0)
		r = jnode_bool(root, "firewall", JSON_REQUIRED, &journal->firewall, err);
	if (r >= 0)
		r = jnode_bool(root, "forwards", JSON_REQUIRED, &journal->forwards, err);
	if (r >= 0)
		r = jnode_bool(root, "silent", JSON_REQUIRED, &journal->silent, err);
	if (r >= 0)
		r = get_numbers(root, journal, err);
	if (r >= 0)
		r = get_rules(root, journal, err);
	if (r >= 0)
		r = get_host_routes(root, journal, err);
	if (r >= 0)
		r = get_memory(root, &journal->memory, err);
	if (r >= 0)
		r = get_left_out(root, journal, err);
	if (r >= 0)
		r = quick_journal_get_spaces(root, journal, err);
	journal->stage = (enum quick_stage)stage;
	journal->dns.way = (enum quick_dns)dns;
	return r;
}

/* Larger than any file can make it, so that what was written can be read. */
static const struct json_limits limits = {.max_bytes = 256u * 1024 * 1024, .max_depth = 8};

static int read_journal(struct quick *quick, const char *name, struct quick_journal *ret_journal)
{
	struct quick_journal journal = {0};
	char path[PATH_MAX + 32];
	CLEANUP_FREE char *text = NULL;
	json_t *json = NULL;
	struct jnode root;
	size_t size;
	int r;

	journal_path(quick, name, path);
	r = file_read(path, limits.max_bytes, &text, &size, quick->err);
	if (r >= 0)
		r = json_parse_bytes(text, size, &limits, &json, quick->err);
	if (r < 0)
		return r;
	root = jnode_root(json);
	r = from_json(&root, &journal, quick->err);
	json_decref(json);
	if (r < 0) {
		quick_journal_clear(&journal);
		return err_prefix(quick->err, r, "%.300s", path);
	}
	*ret_journal = journal;
	return 0;
}

static bool is_half_written(const struct quick *quick, const char *name)
{
	static const char *const suffixes[] = {"json", "conf", "yaml"};
	char prefix[IFNAMSIZ + sizeof(".json.")];
	size_t length = strlen(name);

	if (length <= 4 || strcmp(name + length - 4, ".tmp") != 0)
		return false;
	for (size_t i = 0; i < ARRAY_COUNT(suffixes); i++) {
		snprintf(prefix, sizeof(prefix), "%s.%s.", quick->name, suffixes[i]);
		if (!strncmp(name, prefix, strlen(prefix)))
			return true;
	}
	return false;
}

/* What a SIGKILL in the middle of writing left: we hold the lock, so nobody is writing. */
static void sweep(const struct quick *quick)
{
	DIR *directory = opendir(quick->directory);
	struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory)))
		if (is_half_written(quick, entry->d_name))
			unlinkat(dirfd(directory), entry->d_name, 0);
	closedir(directory);
}

int quick_journal_read(struct quick *quick)
{
	int r;

	sweep(quick);
	r = read_journal(quick, quick->name, &quick->journal);

	if (r != -ENOENT)
		return r;
	quick_copy_remove(quick); /* without its journal it is nothing */
	*quick->err = (struct err){0};
	return 0;
}

/* ---- others' ---- */

/* Something of ours that another tunnel needs: what, and how it takes it. */
struct heirloom {
	bool (*take)(struct quick_journal *other, const struct heirloom *heirloom);
	enum quick_parameter parameter;
	const char *before;
	enum quick_space_part part;
};

static bool take_parameter(struct quick_journal *other, const struct heirloom *heirloom)
{
	struct quick_parameter_note *note = &other->parameters[heirloom->parameter];

	if (note->needed)
		text_copy(note->before, sizeof(note->before), heirloom->before);
	return note->needed;
}

static bool take_space(struct quick_journal *other, const struct heirloom *heirloom)
{
	switch (heirloom->part) {
	case QUICK_SPACE_LOOPBACK:
		other->loopback = true;
		break;
	case QUICK_SPACE_MADE:
		other->made_target = true;
		break;
	}
	return true;
}

static bool is_same_target(const struct quick_journal *one, const struct quick_journal *other)
{
	struct netns a = {.inode = one->target.inode, .cookie = one->target.cookie};
	struct netns b = {.inode = other->target.inode, .cookie = other->target.cookie};

	return netns_same(&a, &b);
}

static bool visit_one(struct quick *quick, const char *name, quick_journal_visit *visit, void *data)
{
	struct quick_journal other;
	bool done;

	if (read_journal(quick, name, &other) < 0)
		return false;
	done = is_same_target(&other, &quick->journal) && visit(quick, &other, data);
	quick_journal_clear(&other);
	return done;
}

bool quick_journal_visit_others(struct quick *quick, quick_journal_visit *visit, void *data)
{
	DIR *directory = opendir(quick->directory);
	struct err before = *quick->err;
	struct dirent *entry;
	bool done = false;
	char name[NAME_MAX + 1];

	while (directory && !done && (entry = readdir(directory))) {
		char *suffix;

		text_copy(name, sizeof(name), entry->d_name);
		suffix = strrchr(name, '.');
		if (!suffix || strcmp(suffix, ".json") != 0)
			continue;
		*suffix = '\0';
		if (strcmp(name, quick->name) != 0)
			done = visit_one(quick, name, visit, data);
	}
	if (directory)
		closedir(directory);
	*quick->err = before;
	return done;
}

static bool hand_to(struct quick *quick, struct quick_journal *other, void *data)
{
	const struct heirloom *heirloom = data;

	return other->stage == QUICK_STAGE_UP && heirloom->take(other, heirloom) &&
	       write_journal(quick, other) >= 0;
}

static void take_handed(struct quick_journal *journal, const struct quick_journal *written)
{
	for (unsigned i = 0; i < QUICK_PARAMETERS; i++) {
		struct quick_parameter_note *note = &journal->parameters[i];

		if (!note->before[0])
			text_copy(note->before, sizeof(note->before), written->parameters[i].before);
	}
	journal->loopback |= written->loopback;
	journal->made_target |= written->made_target;
}

/* Only one that is up is given something. */
void quick_journal_take_handed(struct quick *quick)
{
	struct err before = *quick->err;
	struct quick_journal written;

	if (quick->journal.stage == QUICK_STAGE_NONE || quick->lock_fd < 0)
		return;
	if (read_journal(quick, quick->name, &written) >= 0) {
		if (written.stage == QUICK_STAGE_UP)
			take_handed(&quick->journal, &written);
		quick_journal_clear(&written);
	}
	*quick->err = before;
}

bool quick_journal_hand_over(struct quick *quick, enum quick_parameter parameter, const char *value)
{
	struct heirloom heirloom = {.take = take_parameter, .parameter = parameter, .before = value};

	return quick_journal_visit_others(quick, hand_to, &heirloom);
}

bool quick_journal_hand_over_space(struct quick *quick, enum quick_space_part part)
{
	struct heirloom heirloom = {.take = take_space, .part = part};

	return quick_journal_visit_others(quick, hand_to, &heirloom);
}
