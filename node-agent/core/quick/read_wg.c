/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "node-agent/core/quick/read_int.h"

/*
 * wg(8)'s part of the file, as `wg setconf` reads it: all white space within a line is dropped, '#' begins a comment,
 * keys are compared without regard to case.
 */
static const char *const interface_keys[] = {"PrivateKey", "ListenPort", "FwMark", "Address", "DNS", "MTU",
	"Table", "PreUp", "PostUp", "PreDown", "PostDown", "SaveConfig"};
static const char *const peer_keys[] = {
	"PublicKey", "PresharedKey", "AllowedIPs", "Endpoint", "PersistentKeepalive"};

/* A line without its white space and comment. The text is secret and owned. */
struct squeezed {
	char *text, *value; /* value: after the '=', or NULL */
	const char *at;     /* where the value begins in the file */
};

static struct squeezed squeeze(const struct quick_line *line)
{
	struct squeezed squeezed = {.text = mem_new(line->text.length + 1, 1), .at = line->text.at};
	char *to = squeezed.text;

	for (size_t i = 0; i < line->text.length && line->text.at[i] != '#'; i++) {
		char c = line->text.at[i];

		if (c == ' ' || (c >= '\t' && c <= '\r'))
			continue;
		if (squeezed.value && to == squeezed.value)
			squeezed.at = line->text.at + i;
		*to++ = c;
		if (c == '=' && !squeezed.value) {
			squeezed.value = to;
			squeezed.at = line->text.at + i;
		}
	}
	return squeezed;
}

static void squeezed_clear(struct squeezed *squeezed)
{
	mem_wipe(squeezed->text, strlen(squeezed->text));
	free(squeezed->text);
}

static int read_key(struct quick_reader *reader, const struct squeezed *line, struct key *key)
{
	if (key_parse(line->value, key, NULL) < 0)
		return quick_fail(reader, line->at,
			"not a key: a key is 44 characters of base64, as `wg genkey` prints");
	return 0;
}

/* Digits only: wg takes no sign and no spaces. */
static int read_number(const char *text, uint64_t max, uint64_t *ret_number)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || text[digits])
		return -EINVAL;
	text += strspn(text, "0");
	return *text ? text_to_u64(text, 0, max, ret_number) : (*ret_number = 0, 0);
}

static int read_listen_port(struct quick_reader *reader, const struct squeezed *line)
{
	struct quick_config *config = reader->config;
	size_t digits = strspn(line->value, "0123456789");
	uint64_t port = 0;

	free(config->listen_service);
	config->listen_service = NULL;
	config->has_listen_port = true;
	config->listen_place =
		(struct quick_place){reader->line->number, quick_column(reader->line, line->at)};
	if (line->value[digits]) {
		if (strlen(line->value) > QUICK_NAME_MAX)
			return quick_fail(reader, line->at, "no service has a name as long as this");
		config->listen_service = mem_text(line->value);
	} else if (read_number(line->value, UINT16_MAX, &port) < 0) {
		return quick_fail(reader, line->at,
			"\"%.20s\" is not a port: 0 to 65535, or the name of a service", line->value);
	}
	config->listen_port = (uint16_t)port;
	return 0;
}

static int read_fwmark(struct quick_reader *reader, const struct squeezed *line)
{
	bool hex = line->value[0] == '0' && line->value[1] == 'x';
	const char *digits = line->value + (hex ? 2 : 0);
	uint64_t mark = 0;
	char *end;

	reader->config->has_fwmark = true;
	reader->config->fwmark = 0;
	if (!strcasecmp(line->value, "off"))
		return 0;
	if (!hex && read_number(digits, UINT32_MAX, &mark) < 0)
		goto refuse;
	if (hex) {
		if (!digits[0] || strlen(digits) > 16 || digits[strspn(digits, "0123456789abcdefABCDEF")])
			goto refuse;
		mark = strtoull(digits, &end, 16);
	}
	if (mark > UINT32_MAX)
		goto refuse;
	reader->config->fwmark = (uint32_t)mark;
	return 0;
refuse:
	return quick_fail(reader, line->at,
		"\"%.20s\" is not a mark: off, or a number of 32 bits such as 51820 or 0xca6c", line->value);
}

static int read_keepalive(struct quick_reader *reader, const struct squeezed *line, struct quick_peer *peer)
{
	uint64_t seconds = 0;

	if (strcasecmp(line->value, "off") && read_number(line->value, UINT16_MAX, &seconds) < 0)
		return quick_fail(
			reader, line->at, "\"%.20s\" is not off, nor 1 to 65535 seconds", line->value);
	peer->has_keepalive = true;
	peer->keepalive_s = (uint16_t)seconds;
	return 0;
}

static int read_allowed_ip(
	struct quick_reader *reader, const struct squeezed *line, const char *text, struct quick_peer *peer)
{
	struct prefix prefix, masked;

	if (prefix_parse(text, &prefix, NULL) < 0)
		return quick_fail(reader, line->at,
			"AllowedIPs: \"%.60s\" is not a prefix such as 10.0.0.0/24%s", text,
			text[0] ? "" : " (a comma too many?)");
	masked = prefix_mask(&prefix);
	if (!prefix_equal(&masked, &prefix))
		quick_warn(reader, line->at, "%s has bits beyond its prefix length; they are cleared", text);
	peer->allowed_ips = mem_grow(
		peer->allowed_ips, &peer->allowed_ip_capacity, peer->allowed_ip_count + 1, sizeof(masked));
	peer->allowed_ips[peer->allowed_ip_count++] = masked;
	return 0;
}

static int read_allowed_ips(struct quick_reader *reader, const struct squeezed *line, struct quick_peer *peer)
{
	char *rest = line->value, *word;
	int r = 0;

	while (r >= 0 && (word = strsep(&rest, ",")))
		r = read_allowed_ip(reader, line, word, peer);
	return r;
}

static bool split_endpoint(char *text, char **ret_host, char **ret_service)
{
	char *end;

	if (text[0] == '[') {
		end = strchr(text, ']');
		if (!end || end[1] != ':')
			return false;
		*end = '\0';
		*ret_host = text + 1;
		*ret_service = end + 2;
	} else {
		end = strrchr(text, ':');
		if (!end)
			return false;
		*end = '\0';
		*ret_host = text;
		*ret_service = end + 1;
	}
	return **ret_host && **ret_service && strlen(*ret_host) <= QUICK_NAME_MAX &&
	       strlen(*ret_service) <= QUICK_NAME_MAX;
}

/* As getaddrinfo() takes it: names of interfaces with link-local addresses, numbers with every IPv6 address. Which
 * interface that is, is for somebody to tell who can look. */
static bool has_good_zone(const char *host)
{
	const char *zone = strchr(host, '%') + 1;
	size_t length = strlen(zone), before = (size_t)(zone - 1 - host);
	char text[ADDR_TEXT_MAX] = "";
	struct addr addr;

	if (!length || length >= ZONE_TEXT_MAX || strchr(zone, '%') || before >= sizeof(text))
		return false;
	memcpy(text, host, before);
	if (addr_parse(text, &addr, NULL) < 0 || addr.family != AF_INET6)
		return false;
	return addr_is_link_local(&addr) || !zone[strspn(zone, "0123456789")];
}

/* The address alone, without the zone; no family: it is a name. */
static struct addr literal_of(const char *host)
{
	char text[ADDR_TEXT_MAX] = "";
	size_t length = strcspn(host, "%");
	struct addr addr = {0};

	if (length < sizeof(text)) {
		memcpy(text, host, length);
		(void)addr_parse(text, &addr, NULL);
	}
	return addr;
}

static int read_endpoint(struct quick_reader *reader, const struct squeezed *line, struct quick_peer *peer)
{
	char *host, *service;
	uint64_t port;

	if (!split_endpoint(line->value, &host, &service))
		return quick_fail(reader, line->at, "Endpoint is not HOST:PORT or [ADDRESS]:PORT");
	if (strchr(host, '%') && !has_good_zone(host))
		return quick_fail(reader, line->at,
			"\"%.60s\": a zone is an interface behind a link-local address, such as fe80::1%%eth0",
			host);
	if (!service[strspn(service, "0123456789")] && read_number(service, UINT16_MAX, &port) < 0)
		return quick_fail(reader, line->at, "\"%.20s\" is not a port from 0 to 65535", service);
	free(peer->host);
	free(peer->service);
	peer->host = mem_text(host);
	peer->service = mem_text(service);
	peer->endpoint_place =
		(struct quick_place){reader->line->number, quick_column(reader->line, line->at)};
	peer->zone = strchr(peer->host, '%');
	peer->zone = peer->zone ? peer->zone + 1 : NULL;
	peer->endpoint = (struct endpoint){0};
	if (!service[strspn(service, "0123456789")] && read_number(service, UINT16_MAX, &port) >= 0)
		peer->endpoint = (struct endpoint){.addr = literal_of(host), .port = (uint16_t)port};
	if (!addr_is_set(&peer->endpoint.addr))
		peer->endpoint = (struct endpoint){0};
	return 0;
}

/* Does the line set this key, to something? wg knows no key without a value. */
static bool is_key(const struct squeezed *line, const char *name)
{
	size_t length = strlen(name);

	return line->value && line->value[0] && (size_t)(line->value - line->text) == length + 1 &&
	       !strncasecmp(line->text, name, length);
}

static int unknown(struct quick_reader *reader, const struct squeezed *line)
{
	bool peer = reader->section == QUICK_SECTION_PEER;
	const char *nearest;
	char name[32];

	if (!line->value)
		return quick_fail(reader, reader->line->text.at, "not a line of the form KEY = VALUE");
	if (!line->value[0] && reader->section != QUICK_SECTION_NONE)
		return quick_fail(reader, reader->line->text.at, "a key without a value: leave the line out");
	if (reader->section == QUICK_SECTION_NONE)
		return quick_fail(
			reader, reader->line->text.at, "a key before the first [Interface] or [Peer]");
	*(line->value - 1) = '\0';
	text_copy(name, sizeof(name), line->text);
	nearest = peer ? text_nearest(name, peer_keys, ARRAY_COUNT(peer_keys))
		       : text_nearest(name, interface_keys, ARRAY_COUNT(interface_keys));
	if (nearest)
		return quick_fail(reader, reader->line->text.at, "unknown key \"%s\" in %s; did you mean %s?",
			name, peer ? "[Peer]" : "[Interface]", nearest);
	return quick_fail(reader, reader->line->text.at, "unknown key \"%s\" in %s", name,
		peer ? "[Peer]" : "[Interface]");
}

static int read_in_interface(struct quick_reader *reader, const struct squeezed *line)
{
	struct quick_config *config = reader->config;

	if (is_key(line, "ListenPort"))
		return read_listen_port(reader, line);
	if (is_key(line, "FwMark"))
		return read_fwmark(reader, line);
	if (!is_key(line, "PrivateKey"))
		return unknown(reader, line);
	config->has_private_key = true;
	return read_key(reader, line, &config->private_key);
}

static int read_in_peer(struct quick_reader *reader, const struct squeezed *line)
{
	struct quick_peer *peer = &reader->config->peers[reader->config->peer_count - 1];

	if (is_key(line, "Endpoint"))
		return read_endpoint(reader, line, peer);
	if (is_key(line, "AllowedIPs"))
		return read_allowed_ips(reader, line, peer);
	if (is_key(line, "PersistentKeepalive"))
		return read_keepalive(reader, line, peer);
	if (is_key(line, "PublicKey")) {
		reader->has_public_key = true;
		return read_key(reader, line, &peer->public_key);
	}
	if (!is_key(line, "PresharedKey"))
		return unknown(reader, line);
	peer->has_preshared_key = true;
	return read_key(reader, line, &peer->preshared_key);
}

int quick_end_peer(struct quick_reader *reader)
{
	const struct quick_place *place;

	if (reader->section != QUICK_SECTION_PEER || reader->has_public_key)
		return 0;
	place = &reader->config->peers[reader->config->peer_count - 1].place;
	return err_at(reader->err, -EINVAL, reader->file, place->line, place->column,
		"a [Peer] without a PublicKey");
}

static int begin_section(struct quick_reader *reader, const struct squeezed *line)
{
	int r = quick_end_peer(reader);

	if (r < 0)
		return r;
	if (!strcasecmp(line->text, "[Interface]")) {
		reader->section = QUICK_SECTION_INTERFACE;
		return 0;
	}
	if (strcasecmp(line->text, "[Peer]"))
		return quick_fail(
			reader, reader->line->text.at, "unknown section: there are [Interface] and [Peer]");
	reader->section = QUICK_SECTION_PEER;
	reader->has_public_key = false;
	quick_config_peer(reader->config)->place =
		(struct quick_place){reader->line->number, quick_column(reader->line, reader->line->text.at)};
	return 0;
}

int quick_read_wg(struct quick_reader *reader)
{
	struct squeezed line = squeeze(reader->line);
	int r = 0;

	if (line.text[0] == '[')
		r = begin_section(reader, &line);
	else if (line.text[0] && reader->section == QUICK_SECTION_INTERFACE)
		r = read_in_interface(reader, &line);
	else if (line.text[0] && reader->section == QUICK_SECTION_PEER)
		r = read_in_peer(reader, &line);
	else if (line.text[0])
		r = unknown(reader, &line);
	squeezed_clear(&line);
	return r;
}
