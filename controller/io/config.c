/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/config.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/addr.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/yaml/conf.h"
#include "proto/limits.h"

static char *join(const char *directory, const char *name)
{
	struct text text = {0};
	text_add(&text, "%s/%s", directory, name);
	return text_take(&text);
}

static int read_path(const struct conf_node *map, const char *key, const char *base, const char *fallback,
	char **ret_path, struct err *err)
{
	const char *text = fallback;
	int r = conf_get_text(map, key, PROTO_PATH_MAX, &text, err);
	if (r < 0)
		return r;
	*ret_path = text ? file_beside(base, text) : NULL;
	return 0;
}

static int read_text(
	const struct conf_node *map, const char *key, const char *fallback, char **ret_text, struct err *err)
{
	const char *text = fallback;
	int r = conf_get_text(map, key, PROTO_PATH_MAX, &text, err);
	if (r < 0)
		return r;
	*ret_text = mem_text(text);
	return 0;
}

/* HOST:PORT with a numeric host, or :PORT for all addresses. */
static int read_listen(const struct conf_node *map, const char *fallback, char **ret_listen, struct err *err)
{
	struct text whole = {0};
	struct endpoint endpoint;
	struct err inner = {0};
	int r = read_text(map, "listen", fallback, ret_listen, err);
	if (r < 0)
		return r;
	text_add(&whole, "%s%s", **ret_listen == ':' ? "0.0.0.0" : "", *ret_listen);
	r = endpoint_parse(whole.data, &endpoint, &inner);
	text_clear(&whole);
	return r < 0 ? conf_fail(conf_find(map, "listen"), err, r, "listen: %s", inner.text) : 0;
}

static int read_tls(struct config *config, const struct conf_node *root, struct err *err)
{
	static const char *const known[] = {"ca", "certificate", "key"};
	char **const files[] = {&config->ca, &config->certificate, &config->key};
	const struct conf_node *tls;
	int r = conf_require(root, "tls", &tls, err);
	if (r < 0 || (r = conf_check_keys(tls, known, ARRAY_COUNT(known), err)) < 0)
		return r;
	for (size_t i = 0; i < ARRAY_COUNT(known); i++) {
		r = conf_require(tls, known[i], NULL, err);
		if (r < 0 || (r = read_path(tls, known[i], config->path, NULL, files[i], err)) < 0)
			return r;
	}
	return 0;
}

static int read_authority_days(struct config *config, const struct conf_node *authority, struct err *err)
{
	uint64_t days = CONFIG_DAYS_DEFAULT;
	int r = conf_get_u64(authority, "days", 1, CONFIG_DAYS_MAX, &days, err);
	config->authority_days = (unsigned)days;
	return r;
}

static int read_authority(struct config *config, const struct conf_node *root, struct err *err)
{
	static const char *const known[] = {"certificate", "key", "days"};
	const struct conf_node *authority = conf_find(root, "authority");
	if (!authority)
		return 0;
	int r = conf_check_keys(authority, known, ARRAY_COUNT(known), err);
	if (r < 0 || (r = conf_require(authority, "certificate", NULL, err)) < 0 ||
		(r = conf_require(authority, "key", NULL, err)) < 0)
		return r;
	r = read_path(authority, "certificate", config->path, NULL, &config->authority_certificate, err);
	if (r < 0 || (r = read_path(authority, "key", config->path, NULL, &config->authority_key, err)) < 0)
		return r;
	return read_authority_days(config, authority, err);
}

static int read_store(struct config *config, const struct conf_node *root, struct err *err)
{
	const char *store = NULL;
	int r = conf_get_text(root, "store", PROTO_PATH_MAX, &store, err);
	if (r < 0)
		return r;
	if (!store) {
		config->store_path = join(config->state, "controller.db");
		return 0;
	}
	const struct conf_node *node = conf_find(root, "store");
	if (strncmp(store, "etcd:", 5) == 0)
		return conf_fail(node, err, -EOPNOTSUPP,
			"store: etcd is not there yet in this version; use sqlite:PATH");
	if (strncmp(store, "sqlite:", 7) != 0 || !store[7])
		return conf_fail(node, err, -EINVAL, "store: expected sqlite:PATH, found \"%s\"", store);
	config->store_path = file_beside(config->path, store + 7);
	return 0;
}

static int read_health(struct config *config, const struct conf_node *root, struct err *err)
{
	static const char *const known[] = {"listen"};
	const struct conf_node *health = conf_find(root, "health");
	int r = health ? conf_check_keys(health, known, ARRAY_COUNT(known), err) : 0;
	if (r < 0)
		return r;
	return read_listen(health, "127.0.0.1:9580", &config->health_listen, err);
}

static int read_operator(struct config *config, const struct conf_pair *pair, struct err *err)
{
	static const char *const roles[] = {"viewer", "admin"};
	const char *name;
	unsigned role = 0;
	int r = conf_as_name(pair->key, TLS_NAME_MAX - 1, &name, err);
	if (r < 0 || (r = conf_as_word(pair->value, roles, ARRAY_COUNT(roles), &role, err)) < 0)
		return r;
	struct config_operator *entry = &config->operators[config->operator_count++];
	text_copy(entry->name, sizeof entry->name, name);
	entry->role = role == 0 ? OPERATOR_VIEWER : OPERATOR_ADMIN;
	return 0;
}

static int read_operators(struct config *config, const struct conf_node *root, struct err *err)
{
	const struct conf_node *map = conf_find(root, "operators");
	if (!map)
		return 0;
	int r = conf_expect_mapping(map, err);
	if (r < 0)
		return r;
	if (map->count > CONFIG_OPERATORS_MAX)
		return conf_fail(map, err, -E2BIG, "operators: more than %d of them", CONFIG_OPERATORS_MAX);
	config->operators = mem_new(map->count + 1, sizeof *config->operators);
	for (size_t i = 0; i < map->count; i++) {
		r = read_operator(config, &map->pairs[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int read_fleet(struct config *config, const struct conf_node *root, struct err *err)
{
	int r = read_path(root, "fleet", config->path, NULL, &config->fleet, err);
	if (r < 0 || (r = conf_get_bool(root, "watch", &config->watch, err)) < 0)
		return r;
	if (config->watch && !config->fleet)
		return conf_fail(conf_find(root, "watch"), err, -EINVAL,
			"watch: there is nothing to watch without fleet: and the path of a fleet file");
	return 0;
}

static int read_root(struct config *config, const struct conf_node *root, struct err *err)
{
	static const char *const known[] = {"listen", "tls", "authority", "store", "fleet", "watch",
		"operators", "state", "run", "health", "log"};
	int r = conf_check_keys(root, known, ARRAY_COUNT(known), err);
	if (r < 0 || (r = read_listen(root, ":7443", &config->listen, err)) < 0)
		return r;
	if ((r = read_tls(config, root, err)) < 0 || (r = read_authority(config, root, err)) < 0)
		return r;
	if ((r = read_path(root, "state", config->path, "/var/lib/holdfast", &config->state, err)) < 0)
		return r;
	if ((r = read_path(root, "run", config->path, "/run/holdfast", &config->run, err)) < 0)
		return r;
	config->socket = join(config->run, "controller.sock");
	if ((r = read_store(config, root, err)) < 0 || (r = read_fleet(config, root, err)) < 0)
		return r;
	if ((r = read_health(config, root, err)) < 0)
		return r;
	if ((r = read_text(root, "log", "info", &config->log, err)) < 0)
		return r;
	return read_operators(config, root, err);
}

int config_load(const char *path, struct config *ret_config, struct err *err)
{
	struct config config = {.path = mem_text(path)};
	struct conf_doc *doc = NULL;
	CLEANUP_FREE char *text = NULL;
	size_t size;
	int r = file_read(path, conf_limits_daemon.max_bytes, &text, &size, err);
	if (r >= 0)
		r = conf_parse(path, text, size, &conf_limits_daemon, &doc, err);
	if (r >= 0)
		r = read_root(&config, conf_root(doc), err);
	conf_free(doc);
	if (r < 0)
		config_clear(&config);
	else
		*ret_config = config;
	return r;
}

void config_clear(struct config *config)
{
	if (!config)
		return;
	char *const texts[] = {config->path, config->listen, config->ca, config->certificate, config->key,
		config->authority_certificate, config->authority_key, config->store_path, config->fleet,
		config->state, config->run, config->socket, config->health_listen, config->log};
	for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
		free(texts[i]);
	free(config->operators);
	*config = (struct config){0};
}

int config_reload_operators(struct config *config, struct err *err)
{
	struct config fresh;
	int r = config_load(config->path, &fresh, err);
	if (r < 0)
		return r;
	free(config->operators);
	config->operators = fresh.operators;
	config->operator_count = fresh.operator_count;
	fresh.operators = NULL;
	config_clear(&fresh);
	return 0;
}

struct tls_files config_tls(const struct config *config)
{
	return (struct tls_files){.ca = config->ca, .certificate = config->certificate, .key = config->key};
}

enum operator_role config_role(const struct config *config, const char *operator_name)
{
	for (size_t i = 0; i < config->operator_count; i++)
		if (strcmp(config->operators[i].name, operator_name) == 0)
			return config->operators[i].role;
	return OPERATOR_NONE;
}
