/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/date.h"
#include "common/base/mem.h"
#include "controller/core/fleet/difference_part.h"

static void render_name(const void *thing, struct text *text)
{
	text_add(text, "%s", ((const struct desired_peer *)thing)->name);
}

static void allowed_ips(const void *thing, struct list *list)
{
	const struct desired_peer *peer = thing;

	list_prefixes(list, peer->allowed_ips, peer->allowed_ip_count);
}

/* Of those that others lay claim to: who goes first, and what tells that it lives. */
static void render_shares(const void *thing, struct text *text)
{
	const struct desired_peer *peer = thing;
	char prefix[PREFIX_TEXT_MAX], probe[ADDR_TEXT_MAX];

	for (size_t i = 0; i < peer->share_count; i++) {
		const struct desired_share *share = &peer->shares[i];

		text_add(text, "%s%s priority %u", i ? ", " : "",
			prefix_format(&share->prefix, prefix, sizeof(prefix)), (unsigned)share->priority);
		if (addr_is_set(&share->probe))
			text_add(text, " probe %s", addr_format(&share->probe, probe, sizeof(probe)));
	}
	if (!peer->share_count)
		text_add(text, "none");
}

/* The path; the key itself is not here. */
static void render_preshared_key_file(const void *thing, struct text *text)
{
	const char *path = ((const struct desired_peer *)thing)->preshared_key_file;

	text_add(text, "%s", path ? path : "none");
}

static void render_endpoint(const void *thing, struct text *text)
{
	const struct desired_peer *peer = thing;
	const struct endpoint *endpoint = &peer->endpoint;
	char buffer[ENDPOINT_TEXT_MAX];

	if (peer->endpoint_host) {
		text_add(text, "%s:%u", peer->endpoint_host, peer->endpoint_port);
		return;
	}
	text_add(text, "%s",
		addr_is_set(&endpoint->addr) ? endpoint_format(endpoint, buffer, sizeof(buffer)) : "none");
}

static void render_keepalive(const void *thing, struct text *text)
{
	unsigned seconds = ((const struct desired_peer *)thing)->keepalive_s;

	if (seconds)
		text_add(text, "%u", seconds);
	else
		text_add(text, "off");
}

static void render_route(const void *thing, struct text *text)
{
	text_add(text, ((const struct desired_peer *)thing)->unrouted ? "false" : "true");
}

static void render_route_metric(const void *thing, struct text *text)
{
	unsigned metric = ((const struct desired_peer *)thing)->route_metric;

	if (metric)
		text_add(text, "%u", metric);
	else
		text_add(text, "default");
}

static void render_route_table(const void *thing, struct text *text)
{
	unsigned table = ((const struct desired_peer *)thing)->route_table;

	if (table)
		text_add(text, "%u", table);
	else
		text_add(text, "the tunnel's");
}

static void render_groups(const void *thing, struct text *text)
{
	const char *groups = ((const struct desired_peer *)thing)->groups;

	text_add(text, "%s", groups ? groups : "none");
}

static void render_expires(const void *thing, struct text *text)
{
	int64_t expires_s = ((const struct desired_peer *)thing)->expires_s;
	char buffer[DATE_TEXT_MAX];

	text_add(text, "%s", expires_s ? date_format(expires_s, buffer) : "never");
}

static const struct field fields[] = {
	{"name", .render = render_name},
	{"allowed_ips", .list = allowed_ips},
	{"shared", .render = render_shares},
	{"preshared_key_file", .render = render_preshared_key_file},
	{"endpoint", .render = render_endpoint},
	{"persistent_keepalive", .render = render_keepalive},
	{"route", .render = render_route},
	{"route_metric", .render = render_route_metric},
	{"route_table", .render = render_route_table},
	{"groups", .render = render_groups},
	{"expires", .render = render_expires},
};

static size_t say(char sign, const struct desired_peer *peer, struct text *lines)
{
	struct list list = {0};

	allowed_ips(peer, &list);
	text_add(lines, "%c peer %s in %s ", sign, peer->name, peer->tunnel);
	list_say(&list, lines);
	text_add(lines, "\n");
	list_clear(&list);
	return 1;
}

static size_t say_change(const struct desired_peer *from, const struct desired_peer *to, struct text *lines)
{
	char what[PROTO_NAME_MAX + PROTO_INTERFACE_MAX + 16];

	(void)snprintf(what, sizeof(what), "peer %s in %s", to->name, to->tunnel);
	return difference_fields(what, fields, ARRAY_COUNT(fields), from, to, lines);
}

/* from NULL: it comes; to NULL: it goes. */
struct changed_peer {
	const struct desired_peer *from, *to;
};

static const char *name_of(const struct changed_peer *changed)
{
	return (changed->to ? changed->to : changed->from)->name;
}

/* As people look for them; what goes stands before what comes in its place. */
static int compare_changed(const void *left, const void *right)
{
	const struct changed_peer *a = left, *b = right;
	int order = strcmp(name_of(a), name_of(b));

	return order ? order : (a->to != NULL) - (b->to != NULL);
}

/* Both are sorted alike: a merge. */
static size_t find_changed(const struct desired *from, const struct desired *to, struct changed_peer *changed)
{
	size_t count = 0, old = 0, new = 0;

	while (old < from->peer_count || new < to->peer_count) {
		int order = old == from->peer_count ? 1
			    : new == to->peer_count
				    ? -1
				    : desired_peer_compare(&from->peers[old], &to->peers[new]);

		if (order || !desired_peer_equal(&from->peers[old], &to->peers[new]))
			changed[count++] = (struct changed_peer){
				order > 0 ? NULL : &from->peers[old], order < 0 ? NULL : &to->peers[new]};
		old += order <= 0;
		new += order >= 0;
	}
	return count;
}

static size_t say_changed(const struct changed_peer *changed, struct text *lines)
{
	if (changed->from && changed->to)
		return say_change(changed->from, changed->to, lines);
	return changed->to ? say('+', changed->to, lines) : say('-', changed->from, lines);
}

size_t difference_peers(const struct desired *from, const struct desired *to, struct text *lines)
{
	struct changed_peer *changed =
		mem_new(from->peer_count + to->peer_count + 1, sizeof(struct changed_peer));
	size_t found = find_changed(from, to, changed), count = 0;

	qsort(changed, found, sizeof(changed[0]), compare_changed);
	for (size_t i = 0; i < found; i++)
		count += say_changed(&changed[i], lines);
	free(changed);
	return count;
}
