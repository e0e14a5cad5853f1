/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/quick/sidecar_int.h"

/* A peer with what can be said of it is a handful of nodes. */
static const struct conf_limits limits = {
	.max_bytes = QUICK_SIDECAR_MAX_BYTES, .max_depth = 16, .max_nodes = 2000000};

struct quick_place quick_sidecar_place(const struct conf_node *node)
{
	return (struct quick_place){node->line, node->column};
}

int quick_sidecar_path(const struct conf_node *map, const char *key, char **ret_path, struct err *err)
{
	const char *path = NULL;
	int r = conf_get_text(map, key, QUICK_KEY_PATH_MAX, &path, err);

	if (r >= 0 && path)
		*ret_path = mem_text(path);
	return r;
}

/* ---- the interface ---- */

static int read_private_key(const struct conf_node *root, struct quick_sidecar *sidecar, struct err *err)
{
	const struct conf_node *key = conf_find_key(root, "private_key_file");

	if (key)
		sidecar->private_key_place = quick_sidecar_place(key);
	return quick_sidecar_path(root, "private_key_file", &sidecar->private_key_file, err);
}

static int read_flags(const struct conf_node *root, struct quick_sidecar *sidecar, struct err *err)
{
	const struct conf_node *link_local = conf_find_key(root, "link_local");
	int r = conf_get_bool(root, "multicast", &sidecar->multicast, err);

	sidecar->has_multicast = conf_find(root, "multicast");
	if (link_local)
		sidecar->link_local_place = quick_sidecar_place(link_local);
	return r < 0 ? r : conf_get_bool(root, "link_local", &sidecar->link_local, err);
}

/* ---- name servers ---- */

/* A host name as RFC 1123 has it, and underscores, which names of services have. */
static bool is_domain(const char *text)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";

	return strspn(text, letters) == strlen(text) && text[0] != '-' && text[0] != '.' &&
	       !strstr(text, "..");
}

/* With or without the ~ that resolvectl(1) wants. */
static int read_domain(const struct conf_node *item, struct quick_texts *domains, struct err *err)
{
	const char *text, *domain;
	int r = conf_as_text(item, QUICK_NAME_MAX, &text, err);

	if (r < 0)
		return err_prefix(err, r, "dns_domains");
	domain = text + (text[0] == '~');
	if (!domain[0] || !is_domain(domain))
		return conf_fail(item, err, -EINVAL,
			"dns_domains: \"%.60s\" is not a domain such as corp.example", text);
	quick_texts_add(domains, domain, strlen(domain));
	return 0;
}

static int read_dns(const struct conf_node *root, struct quick_sidecar *sidecar, struct err *err)
{
	const struct conf_node *domains = conf_find(root, "dns_domains");
	bool required = true;
	int r = conf_get_bool(root, "dns_required", &required, err);

	sidecar->dns_optional = !required;
	if (domains)
		sidecar->dns_domains_place = quick_sidecar_place(domains);
	if (r >= 0 && conf_list_count(domains) > QUICK_DNS_MAX)
		return conf_fail(domains, err, -E2BIG, "dns_domains: %zu are too many: at most %d",
			conf_list_count(domains), (int)QUICK_DNS_MAX);
	for (size_t i = 0; i < conf_list_count(domains) && r >= 0; i++)
		r = read_domain(conf_list_item(domains, i), &sidecar->dns_domains, err);
	return r;
}

/* ---- routing ---- */

static int read_default_route(const struct conf_node *root, struct quick_sidecar *sidecar, struct err *err)
{
	static const char *const words[] = {"rules", "halves"};
	const struct conf_node *key = conf_find_key(root, "default_route");
	const struct conf_node *host_routes = conf_find(root, "host_routes");
	unsigned word = 0;
	int r = conf_get_word(root, "default_route", words, ARRAY_COUNT(words), &word, err);

	if (r >= 0)
		r = conf_get_bool(root, "host_routes", &sidecar->host_routes, err);
	if (r < 0)
		return r;
	sidecar->default_route = (enum quick_default_route)word;
	if (key)
		sidecar->default_route_place = quick_sidecar_place(key);
	if (sidecar->default_route != QUICK_DEFAULT_HALVES)
		return 0;
	if (host_routes && !sidecar->host_routes)
		return conf_fail(host_routes, err, -EINVAL,
			"host_routes: with default_route: halves the endpoints need them");
	sidecar->host_routes = true;
	return 0;
}

/* A file name, as ip-netns(8) has them, or a path that means the same wherever one is. */
static bool is_namespace(const char *text)
{
	if (text[0] == '/')
		return true;
	return !strchr(text, '/') && strcmp(text, ".") != 0 && strcmp(text, "..") != 0;
}

static int read_namespace(
	const struct conf_node *root, const char *key, char **ret_namespace, struct err *err)
{
	const char *text = NULL;
	int r = conf_get_text(root, key, QUICK_NAMESPACE_MAX, &text, err);

	if (r < 0 || !text)
		return r;
	if (!is_namespace(text))
		return conf_fail(conf_find(root, key), err, -EINVAL,
			"%s: expected a name (as of `ip netns add`) or an absolute path, found \"%s\"", key,
			text);
	*ret_namespace = mem_text(text);
	return 0;
}

static int read_namespaces(const struct conf_node *root, struct quick_sidecar *sidecar, struct err *err)
{
	int r = read_namespace(root, "namespace", &sidecar->namespace, err);

	return r < 0 ? r : read_namespace(root, "socket_namespace", &sidecar->socket_namespace, err);
}

/* ---- forwarding ---- */

static int read_forward(const struct conf_node *root, struct quick_sidecar *sidecar, struct err *err)
{
	return quick_forward_read(conf_find(root, "forward"), &sidecar->forward, err);
}

/* ---- all of it ---- */

static int read_root(const struct conf_node *root, struct quick_sidecar *sidecar, struct err *err)
{
	static const char *const known[] = {"private_key_file", "namespace", "socket_namespace", "address",
		"link_local", "multicast", "default_route", "host_routes", "dns_required", "dns_domains",
		"forward", "peers"};
	static int (*const parts[])(const struct conf_node *, struct quick_sidecar *, struct err *) = {
		read_private_key, read_namespaces, read_flags, read_dns, read_default_route,
		quick_sidecar_read_addresses, read_forward, quick_sidecar_read_peers};
	int r = conf_check_keys(root, known, ARRAY_COUNT(known), err);

	for (size_t i = 0; i < ARRAY_COUNT(parts) && r >= 0; i++)
		r = parts[i](root, sidecar, err);
	return r;
}

int quick_sidecar_read(
	const char *file, const char *text, size_t size, struct quick_sidecar *ret_sidecar, struct err *err)
{
	struct quick_sidecar sidecar = {0};
	struct conf_doc *doc;
	int r = conf_parse(file, text, size, &limits, &doc, err);

	if (r < 0)
		return r;
	r = read_root(conf_root(doc), &sidecar, err);
	conf_free(doc);
	if (r < 0)
		quick_sidecar_clear(&sidecar);
	else
		*ret_sidecar = sidecar;
	return r;
}
