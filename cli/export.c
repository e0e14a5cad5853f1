/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/export.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/date.h"
#include "common/base/mem.h"
#include "controller/core/fleet/expired.h"

enum {
	HEAD_MAX_BYTES = 64 * 1024,
	PEER_MAX_BYTES = 1024, /* without its allowed IPs */
	HOOK_WORDS_BYTES = 16, /* "PostDown = " */
	TOLD_MAX = 1024,
};

/* Of a path that stands in a command as it is. */
#define PATH_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./+,:@-"

struct exporting {
	const struct export *export;
	struct text *out;
	struct quick_texts *told;
};

static void tell(struct exporting *exporting, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void tell(struct exporting *exporting, const char *format, ...)
{
	char line[TOLD_MAX];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	quick_texts_add(exporting->told, line, strlen(line));
}

static bool is_of_tunnel(const struct exporting *exporting, const struct fleet_peer *peer)
{
	size_t tunnel = (size_t)(exporting->export->tunnel - exporting->export->fleet->tunnels);

	return !peer->disabled && peer->on >> tunnel & 1;
}

static bool is_exported(const struct exporting *exporting, const struct fleet_peer *peer)
{
	return is_of_tunnel(exporting, peer) && !fleet_peer_is_expired(peer, exporting->export->now_s);
}

static size_t room_for(const struct export *export)
{
	size_t room = HEAD_MAX_BYTES + HOOKS * PROTO_HOOKS_MAX * (PROTO_HOOK_MAX + HOOK_WORDS_BYTES);

	for (size_t i = 0; i < export->fleet->peer_count; i++)
		room += PEER_MAX_BYTES + export->fleet->peers[i].allowed_ip_count * PREFIX_TEXT_MAX;
	return room;
}

/* ---- keys ---- */

static int put_key(struct exporting *exporting, const char *name, const char *path, struct err *err)
{
	const struct export *export = exporting->export;
	char buffer[KEY_TEXT_MAX];
	struct key key;
	int r = export->read_key(export->context, path, &key, err);

	if (r < 0)
		return r;
	text_add(exporting->out, "%s = %s\n", name, key_format(&key, buffer));
	key_wipe(&key);
	mem_wipe(buffer, sizeof(buffer));
	return 0;
}

/* wg reads it from where the agent does. */
static int put_key_command(struct exporting *exporting, const char *words, const char *path, struct err *err)
{
	bool absolute = path[0] == '/';

	if (path[strspn(path, PATH_CHARACTERS)])
		return err_set(err, -ENOTSUP,
			"%s: such a path of a key is none to put into a command; with --keys the key itself "
			"goes in",
			path);
	text_add(exporting->out, "PostUp = wg set %%i %s %s%s%s\n", words,
		absolute ? "" : exporting->export->directory, absolute ? "" : "/", path);
	return 0;
}

static int put_key_commands(
	struct exporting *exporting, const struct fleet_settings *settings, struct err *err)
{
	const struct fleet *fleet = exporting->export->fleet;
	char words[KEY_TEXT_MAX + 32], key[KEY_TEXT_MAX];
	int r = put_key_command(exporting, "private-key", settings->private_key_file, err);

	for (size_t i = 0; !r && i < fleet->peer_count; i++) {
		if (!is_exported(exporting, &fleet->peers[i]) || !fleet->peers[i].preshared_key_file)
			continue;
		snprintf(words, sizeof(words), "peer %s preshared-key",
			key_format(&fleet->peers[i].public_key, key));
		r = put_key_command(exporting, words, fleet->peers[i].preshared_key_file, err);
	}
	return r;
}

/* ---- [Interface] ---- */

static void put_addresses(struct exporting *exporting, const struct fleet_settings *settings)
{
	char buffer[PREFIX_TEXT_MAX];
	size_t put = 0;

	for (size_t i = 0; i < settings->address_count; i++) {
		if (addr_is_set(&settings->address_peers[i])) {
			tell(exporting, "address: %s has a peer: left out",
				addr_format(&settings->addresses[i].addr, buffer, sizeof(buffer)));
			continue;
		}
		text_add(exporting->out, "%s", put++ ? ", " : "Address = ");
		text_add(
			exporting->out, "%s", prefix_format(&settings->addresses[i], buffer, sizeof(buffer)));
	}
	if (put)
		text_add(exporting->out, "\n");
}

static void tell_settings(struct exporting *exporting, const struct fleet_settings *settings)
{
	if (settings->forward.policy != FORWARD_UNMANAGED)
		tell(exporting,
			"forward: left out: in a wg-quick file that is a PostUp with nft or iptables");
	if (settings->link_local)
		tell(exporting, "link_local: left out");
	if (settings->multicast)
		tell(exporting, "multicast: left out");
	if (exporting->export->tunnel->endpoint != FLEET_NO_ENDPOINT)
		tell(exporting, "virtual endpoint %s: left out: its addresses, routes and checks",
			exporting->export->fleet->endpoints[exporting->export->tunnel->endpoint].name);
}

static void put_dns(struct text *out, const struct texts *dns)
{
	for (size_t i = 0; i < dns->count; i++)
		text_add(out, "%s%s", i ? ", " : "DNS = ", dns->items[i]);
	if (dns->count)
		text_add(out, "\n");
}

/* What is cut may mean something else altogether: whoever goes back to such a wg-quick has to know. */
static void tell_hashes(struct exporting *exporting, enum desired_hook hook, const struct texts *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		if (strchr(lines->items[i], '#'))
			tell(exporting,
				"%s number %zu: Debian's wg-quick cuts it at its #: put it into a script "
				"(newer ones and holdfast up do not)",
				desired_hook_names[hook], i + 1);
}

static void put_hooks(struct exporting *exporting, const struct texts hooks[HOOKS])
{
	static const enum quick_hook theirs[HOOKS] = {[HOOK_PRE_UP] = QUICK_PRE_UP,
		[HOOK_POST_UP] = QUICK_POST_UP,
		[HOOK_PRE_DOWN] = QUICK_PRE_DOWN,
		[HOOK_POST_DOWN] = QUICK_POST_DOWN};

	for (size_t hook = 0; hook < HOOKS; hook++) {
		tell_hashes(exporting, hook, &hooks[hook]);
		for (size_t i = 0; i < hooks[hook].count; i++)
			text_add(exporting->out, "%s = %s\n", quick_hook_name(theirs[hook]),
				hooks[hook].items[i]);
	}
}

static int put_interface(struct exporting *exporting, const struct fleet_settings *settings, struct err *err)
{
	struct text *out = exporting->out;
	int r = 0;

	text_add(out, "[Interface]\n");
	if (exporting->export->read_key)
		r = put_key(exporting, "PrivateKey", settings->private_key_file, err);
	put_addresses(exporting, settings);
	put_dns(out, &settings->dns);
	text_add(out, "ListenPort = %u\n", settings->listen_port);
	if (settings->mtu)
		text_add(out, "MTU = %u\n", settings->mtu);
	if (settings->table == TABLE_OFF)
		text_add(out, "Table = off\n");
	if (settings->table == TABLE_NUMBER)
		text_add(out, "Table = %u\n", settings->table_number);
	if (settings->fwmark_place.line) /* written, not chosen */
		text_add(out, "FwMark = 0x%x\n", settings->fwmark);
	if (!exporting->export->read_key)
		r = put_key_commands(exporting, settings, err);
	put_hooks(exporting, settings->hooks); /* behind the keys, which they may need */
	tell_settings(exporting, settings);
	return r;
}

/* ---- [Peer] ---- */

static void put_endpoint(struct text *out, const struct fleet_peer *peer)
{
	char buffer[ENDPOINT_TEXT_MAX];

	if (peer->endpoint_host)
		text_add(out, "Endpoint = %s:%u\n", peer->endpoint_host, peer->endpoint_port);
	else if (addr_is_set(&peer->endpoint.addr))
		text_add(out, "Endpoint = %s\n", endpoint_format(&peer->endpoint, buffer, sizeof(buffer)));
}

static bool shares_any(const struct fleet_peer *peer)
{
	for (size_t i = 0; i < peer->allowed_ip_count; i++)
		if (peer->allowed_ips[i].shared && peer->allowed_ips[i].movable)
			return true;
	return false;
}

static void tell_peer(struct exporting *exporting, const struct fleet_peer *peer)
{
	char until[DATE_TEXT_MAX];

	if (peer->unrouted)
		tell(exporting, "peer %s: route: false: left out; Table = off makes no routes at all",
			peer->name);
	if (peer->route_metric || peer->route_table)
		tell(exporting, "peer %s: route_metric and route_table: left out", peer->name);
	if (peer->group_count)
		tell(exporting, "peer %s: groups: left out", peer->name);
	if (peer->expires_s)
		tell(exporting, "peer %s: expires: left out: it is let in after %s, too", peer->name,
			date_format(peer->expires_s, until));
	if (shares_any(peer))
		tell(exporting,
			"peer %s: priority and probe: left out: of peers with one prefix the last gets it",
			peer->name);
}

static void tell_expired(struct exporting *exporting, const struct fleet_peer *peer)
{
	char until[DATE_TEXT_MAX];

	tell(exporting, "peer %s: left out: it is over since %s", peer->name,
		date_format(peer->expires_s, until));
}

static int put_peer(struct exporting *exporting, const struct fleet_peer *peer, struct err *err)
{
	struct text *out = exporting->out;
	char key[KEY_TEXT_MAX], buffer[PREFIX_TEXT_MAX];
	int r = 0;

	text_add(out, "\n# %s\n[Peer]\nPublicKey = %s\n", peer->name, key_format(&peer->public_key, key));
	if (peer->preshared_key_file && exporting->export->read_key)
		r = put_key(exporting, "PresharedKey", peer->preshared_key_file, err);
	for (size_t i = 0; i < peer->allowed_ip_count; i++) {
		text_add(out, "%s", i ? ", " : "AllowedIPs = ");
		text_add(out, "%s", prefix_format(&peer->allowed_ips[i].prefix, buffer, sizeof(buffer)));
	}
	if (peer->allowed_ip_count)
		text_add(out, "\n");
	put_endpoint(out, peer);
	if (peer->keepalive_s)
		text_add(out, "PersistentKeepalive = %u\n", peer->keepalive_s);
	tell_peer(exporting, peer);
	return r;
}

int export_make(const struct export *export, struct text *ret_text, struct quick_texts *told, struct err *err)
{
	size_t room = room_for(export);
	struct text text = {.data = mem_new(room, 1), .capacity = room};
	const char *began = text.data;
	struct exporting exporting = {export, &text, told};
	int r = put_interface(&exporting, fleet_tunnel_settings(export->tunnel, export->gateway), err);

	for (size_t i = 0; !r && i < export->fleet->peer_count; i++)
		if (is_exported(&exporting, &export->fleet->peers[i]))
			r = put_peer(&exporting, &export->fleet->peers[i], err);
		else if (is_of_tunnel(&exporting, &export->fleet->peers[i]))
			tell_expired(&exporting, &export->fleet->peers[i]);
	if (!r && text.data != began)
		r = err_set(err, -E2BIG, "the file is larger than %zu bytes", room);
	if (r < 0) {
		mem_wipe(text.data, text.capacity);
		text_clear(&text);
		return r;
	}
	*ret_text = text;
	return 0;
}
