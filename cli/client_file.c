/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/client_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

static void add_key(struct text *text, const char *name, const struct key *key)
{
	char buffer[KEY_TEXT_MAX];

	text_add(text, "%s = %s\n", name, key_format(key, buffer));
	mem_wipe(buffer, sizeof(buffer));
}

static void add_prefixes(struct text *text, const char *name, const struct prefix *prefixes, size_t count)
{
	char buffer[PREFIX_TEXT_MAX];

	for (size_t i = 0; i < count; i++) {
		text_add(text, "%s%s", i ? ", " : name, i ? "" : " = ");
		text_add(text, "%s", prefix_format(&prefixes[i], buffer, sizeof(buffer)));
	}
	if (count)
		text_add(text, "\n");
}

static void add_dns(struct text *text, const struct fleet_client *client)
{
	for (size_t i = 0; i < client->dns.count; i++)
		text_add(text, "%s%s", i ? ", " : "DNS = ", client->dns.items[i]);
	if (client->dns.count)
		text_add(text, "\n");
}

static void add_interface(
	struct text *text, const struct client_file *file, const struct fleet_client *client)
{
	text_add(text, "# %s\n[Interface]\n", file->name);
	add_key(text, "PrivateKey", file->private_key);
	add_prefixes(text, "Address", file->addresses, file->address_count);
	add_dns(text, client);
	if (client->has_mtu && client->mtu)
		text_add(text, "MTU = %u\n", client->mtu);
}

/* The tunnel's own networks, unless the fleet file says what the client shall send through it. */
static void add_routes(
	struct text *text, const struct fleet_tunnel *tunnel, const struct fleet_client *client)
{
	struct prefix networks[PROTO_ADDRESSES_MAX];

	for (size_t i = 0; i < tunnel->settings.address_count; i++)
		networks[i] = prefix_mask(&tunnel->settings.addresses[i]);
	if (client->has_routes)
		add_prefixes(text, "AllowedIPs", client->routes, client->route_count);
	else
		add_prefixes(text, "AllowedIPs", networks, tunnel->settings.address_count);
}

static int add_dial(struct text *text, const struct client_file *file, struct err *err)
{
	const struct fleet_tunnel *tunnel = file->tunnel;
	const struct fleet_endpoint *endpoint =
		tunnel->endpoint == FLEET_NO_ENDPOINT ? NULL : &file->fleet->endpoints[tunnel->endpoint];
	struct endpoint dial = {.port = tunnel->settings.listen_port};
	char buffer[ENDPOINT_TEXT_MAX];

	if (file->dial) {
		text_add(text, "Endpoint = %s\n", file->dial);
		return 0;
	}
	if (!endpoint || (!*endpoint->dial_name && !endpoint->dial_count))
		return err_set(err, -ENOENT,
			"tunnel %s is in no virtual endpoint: say with --endpoint HOST:PORT what the client "
			"dials",
			tunnel->name);
	if (*endpoint->dial_name) {
		text_add(text, "Endpoint = %s:%u\n", endpoint->dial_name, dial.port);
		return 0;
	}
	dial.addr = endpoint->dial[0];
	text_add(text, "Endpoint = %s\n", endpoint_format(&dial, buffer, sizeof(buffer)));
	return 0;
}

static int add_gateway(
	struct text *text, const struct client_file *file, const struct fleet_client *client, struct err *err)
{
	text_add(text, "\n[Peer]\n");
	add_key(text, "PublicKey", &file->tunnel->public_key);
	if (file->preshared_key)
		add_key(text, "PresharedKey", file->preshared_key);
	add_routes(text, file->tunnel, client);
	if (client->has_keepalive && client->keepalive_s)
		text_add(text, "PersistentKeepalive = %u\n", client->keepalive_s);
	return add_dial(text, file, err);
}

int client_file_make(const struct client_file *file, struct text *ret_text, struct err *err)
{
	struct fleet_client client = fleet_client_of(file->fleet, file->tunnel, file->peer);
	/* Room for the whole from the start: what grows leaves copies behind. */
	struct text text = {.data = mem_new(CLIENT_FILE_MAX, 1), .capacity = CLIENT_FILE_MAX};
	const char *began = text.data;
	int r;

	add_interface(&text, file, &client);
	r = add_gateway(&text, file, &client, err);
	if (!r && text.data != began)
		r = err_set(err, -E2BIG,
			"the client's file would have more than %d bytes: its DNS or routes are too many",
			CLIENT_FILE_MAX);
	if (r < 0)
		client_file_wipe(&text);
	else
		*ret_text = text;
	return r;
}

void client_file_wipe(struct text *text)
{
	mem_wipe(text->data, text->capacity);
	text_clear(text);
}
