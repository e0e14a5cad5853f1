/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "node-agent/io/config/config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/io/log.h"
#include "common/yaml/conf.h"

#define SCHEME "https://"
#define DEFAULT_HEALTH "127.0.0.1:9581"
#define DEFAULT_STATE "/var/lib/holdfast"
#define DEFAULT_RUN "/run/holdfast"

enum { HTTPS_PORT = 443 };

static int read_text(const struct conf_node *map, const char *key, size_t max, char **target, struct err *err)
{
	const char *text = NULL;
	int r = conf_get_text(map, key, max, &text, err);

	if (r < 0 || !text)
		return r;
	free(*target);
	*target = mem_text(text);
	return 0;
}

static int read_path(
	struct config *config, const struct conf_node *map, const char *key, char **target, struct err *err)
{
	const char *text = NULL;
	int r = conf_get_text(map, key, PROTO_PATH_MAX, &text, err);

	if (r < 0 || !text)
		return r;
	free(*target);
	*target = file_beside(config->path, text);
	return 0;
}

static int require_path(
	struct config *config, const struct conf_node *map, const char *key, char **target, struct err *err)
{
	int r = conf_require(map, key, NULL, err);

	return r < 0 ? r : read_path(config, map, key, target, err);
}

int config_controller_port(const char *url, uint16_t *ret_port)
{
	const char *host = url + strlen(SCHEME), *bracket = strchr(host, ']');
	const char *colon = strchr(bracket ? bracket : host, ':');
	uint64_t port = HTTPS_PORT;
	int r = colon ? text_to_u64(colon + 1, 1, UINT16_MAX, &port) : 0;

	if (r >= 0)
		*ret_port = (uint16_t)port;
	return r;
}

static int read_controller(struct config *config, const struct conf_node *node, struct err *err)
{
	const char *url;
	uint16_t port;
	size_t length;
	int r = conf_as_text(node, CONFIG_URL_MAX, &url, err);

	if (r < 0)
		return r;
	length = strlen(url);
	while (length && url[length - 1] == '/')
		length--;
	if (strncmp(url, SCHEME, 8) || memchr(url + 8, '/', length > 8 ? length - 8 : 0) || length == 8)
		return conf_fail(
			node, err, -EINVAL, "expected https://HOST:PORT without a path, found \"%s\"", url);
	config->controllers[config->controller_count] = mem_text(url);
	config->controllers[config->controller_count][length] = '\0';
	if (config_controller_port(config->controllers[config->controller_count++], &port) < 0)
		return conf_fail(node, err, -EINVAL, "expected a port from 1 to 65535 in \"%s\"", url);
	return 0;
}

static int read_controllers(struct config *config, const struct conf_node *root, struct err *err)
{
	const struct conf_node *list;
	int r = conf_require(root, "controllers", &list, err);

	if (r < 0)
		return r;
	if (!conf_list_count(list) || conf_list_count(list) > CONFIG_CONTROLLERS_MAX)
		return conf_fail(
			list, err, -EINVAL, "expected 1 to %d controllers", (int)CONFIG_CONTROLLERS_MAX);
	for (size_t i = 0; i < conf_list_count(list); i++) {
		r = read_controller(config, conf_list_item(list, i), err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_tls(struct config *config, const struct conf_node *root, struct err *err)
{
	static const char *const known[] = {"ca", "certificate", "key"};
	const struct conf_node *tls;
	int r = conf_require(root, "tls", &tls, err);

	if (r < 0)
		return r;
	r = conf_check_keys(tls, known, ARRAY_COUNT(known), err);
	if (r < 0)
		return r;
	r = require_path(config, tls, "ca", &config->ca, err);
	if (r < 0)
		return r;
	r = require_path(config, tls, "certificate", &config->certificate, err);
	if (r < 0)
		return r;
	return require_path(config, tls, "key", &config->key, err);
}

static int read_health(struct config *config, const struct conf_node *root, struct err *err)
{
	static const char *const known[] = {"listen"};
	const struct conf_node *health = conf_find(root, "health");
	int r;

	config->health_listen = mem_text(DEFAULT_HEALTH);
	r = conf_check_keys(health, known, ARRAY_COUNT(known), err);
	return r < 0 ? r : read_text(health, "listen", 255, &config->health_listen, err);
}

static int read_wireguard(struct config *config, const struct conf_node *root, struct err *err)
{
	static const char *const known[] = {"implementation"};
	const struct conf_node *wireguard = conf_find(root, "wireguard");
	int r;

	config->implementation = mem_text("auto");
	r = conf_check_keys(wireguard, known, ARRAY_COUNT(known), err);
	return r < 0 ? r
		     : read_text(wireguard, "implementation", PROTO_PATH_MAX, &config->implementation, err);
}

static int read_program_paths(struct config *config, const struct conf_node *list, struct err *err)
{
	if (conf_list_count(list) > CONFIG_PROGRAMS_MAX)
		return conf_fail(list, err, -EINVAL, "at most %d programs", (int)CONFIG_PROGRAMS_MAX);
	for (size_t i = 0; i < conf_list_count(list); i++) {
		const char *path;
		int r = conf_as_text(conf_list_item(list, i), PROTO_PATH_MAX, &path, err);

		if (r < 0)
			return r;
		if (path[0] != '/')
			return conf_fail(conf_list_item(list, i), err, -EINVAL,
				"expected deny, allow, or a list of absolute paths, found \"%s\"", path);
		config->program_paths[config->program_count++] = mem_text(path);
	}
	config->programs = PROGRAMS_LISTED;
	return 0;
}

static int read_programs(struct config *config, const struct conf_node *root, struct err *err)
{
	const struct conf_node *programs = conf_find(root, "programs");

	config->programs = PROGRAMS_DENY;
	if (!programs || (programs->kind == CONF_SCALAR && !strcmp(programs->text, "deny")))
		return 0;
	if (programs->kind == CONF_SCALAR && !strcmp(programs->text, "allow")) {
		config->programs = PROGRAMS_ALLOW;
		return 0;
	}
	return read_program_paths(config, programs, err);
}

static int read_places(struct config *config, const struct conf_node *root, struct err *err)
{
	int r;

	config->state = mem_text(DEFAULT_STATE);
	config->run = mem_text(DEFAULT_RUN);
	config->log = mem_text("info");
	r = read_path(config, root, "state", &config->state, err);
	if (r < 0)
		return r;
	r = read_path(config, root, "run", &config->run, err);
	return r < 0 ? r : read_text(root, "log", 511, &config->log, err);
}

static int read_gateway(struct config *config, const struct conf_node *root, struct err *err)
{
	const struct conf_node *gateway;
	const char *name;
	int r = conf_require(root, "gateway", &gateway, err);

	if (r >= 0)
		r = conf_as_name(gateway, PROTO_NAME_MAX, &name, err);
	if (r < 0)
		return r;
	text_copy(config->gateway, sizeof(config->gateway), name);
	r = read_controllers(config, root, err);
	return r < 0 ? r : read_tls(config, root, err);
}

/* All of it, or nothing: a gateway that forgot its name must not start as something else. */
static int read_fleet(struct config *config, const struct conf_node *root, struct err *err)
{
	if (!conf_find(root, "gateway") && !conf_find(root, "controllers") && !conf_find(root, "tls"))
		return 0;
	return read_gateway(config, root, err);
}

static int read_root(struct config *config, const struct conf_node *root, struct err *err)
{
	static const char *const known[] = {
		"gateway", "controllers", "tls", "health", "wireguard", "programs", "state", "run", "log"};
	static int (*const parts[])(struct config *, const struct conf_node *, struct err *) = {
		read_fleet, read_health, read_wireguard, read_programs, read_places};
	int r = conf_check_keys(root, known, ARRAY_COUNT(known), err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_COUNT(parts) && r >= 0; i++)
		r = parts[i](config, root, err);
	return r;
}

int config_load(const char *path, struct config **ret_config, struct err *err)
{
	struct config *config;
	struct conf_doc *doc = NULL;
	CLEANUP_FREE char *text = NULL;
	size_t size;
	int r = file_read(path, conf_limits_daemon.max_bytes, &text, &size, err);

	if (r < 0)
		return r;
	r = conf_parse(path, text, size, &conf_limits_daemon, &doc, err);
	if (r < 0)
		return r;
	config = mem_new(1, sizeof(*config));
	config->path = mem_text(path);
	r = read_root(config, conf_root(doc), err);
	conf_free(doc);
	if (r < 0) {
		config_free(config);
		return r;
	}
	*ret_config = config;
	return 0;
}

bool config_allows_program(const struct config *config, const char *path)
{
	for (size_t i = 0; i < config->program_count; i++)
		if (!strcmp(config->program_paths[i], path))
			return true;
	return config->programs == PROGRAMS_ALLOW;
}

bool config_is_alone(const struct config *config)
{
	return !config->gateway[0];
}

void config_free(struct config *config)
{
	if (!config)
		return;
	for (size_t i = 0; i < config->controller_count; i++)
		free(config->controllers[i]);
	for (size_t i = 0; i < config->program_count; i++)
		free(config->program_paths[i]);
	free(config->path);
	free(config->ca);
	free(config->certificate);
	free(config->key);
	free(config->health_listen);
	free(config->implementation);
	free(config->state);
	free(config->run);
	free(config->log);
	free(config);
}
