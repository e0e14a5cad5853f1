/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/controller.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/printable.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/file.h"
#include "common/json/read.h"
#include "common/json/write.h"
#include "common/yaml/conf.h"

enum {
	ANSWER_MAX_BYTES = 65 * 1024 * 1024,
	/* a fleet of 32 MiB, escaped, and what is said of it */ CLIENT_YAML_MAX_BYTES = 64 * 1024
};

#define CONTROLLER_SOCKET "/run/holdfast/controller.sock"
#define AGENT_SOCKET "/run/holdfast/agent.sock"

/* https://HOST:PORT or unix:PATH. */
static int set_address(
	struct controller *controller, const char *address, const char *source, struct err *err)
{
	size_t length = strlen(address);

	if (!strncmp(address, "unix:", 5)) {
		if (!text_copy(controller->unix_socket, sizeof(controller->unix_socket), address + 5))
			return err_at(err, -ENAMETOOLONG, source, 0, 0, "the socket's path is too long");
		text_copy(controller->url, sizeof(controller->url), "http://controller");
		return 0;
	}
	if (strncmp(address, "https://", 8) || !text_copy(controller->url, sizeof(controller->url), address))
		return err_at(err, -EINVAL, source, 0, 0,
			"\"%s\" is no controller: expected https://HOST:7443 or unix:PATH", address);
	controller->unix_socket[0] = '\0';
	while (length && controller->url[length - 1] == '/')
		controller->url[--length] = '\0';
	return 0;
}

static int read_path(
	const struct conf_node *tls, const char *key, const char *file, char path[PATH_MAX], struct err *err)
{
	const char *text = NULL;
	char *beside;
	int r = conf_require(tls, key, NULL, err);

	if (!r)
		r = conf_get_text(tls, key, PATH_MAX - 1, &text, err);
	if (r < 0)
		return r;
	beside = file_beside(file, text);
	if (!text_copy(path, PATH_MAX, beside))
		r = err_at(err, -ENAMETOOLONG, file, 0, 0, "tls: %s: the path is too long", key);
	free(beside);
	return r;
}

static int read_client_tree(
	const struct conf_node *root, const char *file, struct controller *controller, struct err *err)
{
	static const char *const known[] = {"controller", "tls"}, *const known_tls[] = {
									  "ca", "certificate", "key"};
	const struct conf_node *tls = conf_find(root, "tls");
	const char *address = NULL;
	int r = conf_check_keys(root, known, ARRAY_COUNT(known), err);

	if (!r)
		r = conf_get_text(root, "controller", PATH_MAX - 1, &address, err);
	if (!r && address)
		r = set_address(controller, address, file, err);
	if (r < 0 || !tls)
		return r;
	if ((r = conf_check_keys(tls, known_tls, ARRAY_COUNT(known_tls), err)) < 0 ||
		(r = read_path(tls, "ca", file, controller->ca, err)) < 0 ||
		(r = read_path(tls, "certificate", file, controller->certificate, err)) < 0)
		return r;
	return read_path(tls, "key", file, controller->key, err);
}

static int read_client_file(const char *file, struct controller *controller, struct err *err)
{
	CLEANUP_FREE char *text = NULL;
	struct conf_doc *document;
	size_t size;
	int r = file_read(file, CLIENT_YAML_MAX_BYTES, &text, &size, err);

	if (!r)
		r = conf_parse(file, text, size, &conf_limits_daemon, &document, err);
	if (r < 0)
		return r;
	r = read_client_tree(conf_root(document), file, controller, err);
	conf_free(document);
	return r;
}

/* The first client.yaml that is there: --config, the user's, the system's. */
static int read_client_files(
	const struct invocation *invocation, struct controller *controller, struct err *err)
{
	const char *home = getenv("HOME");
	char mine[PATH_MAX];

	if (invocation->config)
		return read_client_file(invocation->config, controller, err);
	snprintf(mine, sizeof(mine), "%s/.config/holdfast/client.yaml", home ? home : "");
	if (home && !access(mine, F_OK))
		return read_client_file(mine, controller, err);
	if (!access("/etc/holdfast/client.yaml", F_OK))
		return read_client_file("/etc/holdfast/client.yaml", controller, err);
	return 0;
}

/* One that was killed leaves its socket behind. */
static bool somebody_listens(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool listens;

	text_copy(address.sun_path, sizeof(address.sun_path), path);
	listens = fd >= 0 && !connect(fd, (const struct sockaddr *)&address, sizeof(address));
	if (fd >= 0)
		close(fd);
	return listens;
}

static int find_socket(struct controller *controller, struct err *err)
{
	if (geteuid() == 0 && somebody_listens(CONTROLLER_SOCKET))
		return set_address(controller, "unix:" CONTROLLER_SOCKET, "socket", err);
	if (geteuid() == 0 && somebody_listens(AGENT_SOCKET))
		return set_address(controller, "unix:" AGENT_SOCKET, "socket", err);
	return err_set(err, -ENOENT,
		"no controller: give --controller URL, set HOLDFAST_CONTROLLER, or write "
		"~/.config/holdfast/client.yaml");
}

int controller_find(const struct invocation *invocation, struct controller *ret_controller, struct err *err)
{
	struct controller controller = {0};
	const char *environment = getenv("HOLDFAST_CONTROLLER");
	int r = read_client_files(invocation, &controller, err);

	if (!r && invocation->controller)
		r = set_address(&controller, invocation->controller, "--controller", err);
	else if (!r && environment && *environment)
		r = set_address(&controller, environment, "HOLDFAST_CONTROLLER", err);
	else if (!r && !*controller.url)
		r = find_socket(&controller, err);
	if (!r && !*controller.unix_socket && !*controller.ca)
		r = err_at(err, -ENOENT, controller.url, 0, 0,
			"needs a certificate: write tls: {ca, certificate, key} into a client.yaml, and see "
			"'holdfast cert'");
	if (!r)
		*ret_controller = controller;
	return r;
}

/* "errors" of the problem if there are any, else "detail", else the status alone. The last goes into err. */
static int refused(const struct controller *controller, const struct http_response *response,
	const json_t *problem, struct err *err)
{
	const json_t *errors = json_object_get(problem, "errors");
	const char *detail = json_string_value(json_object_get(problem, "detail"));
	size_t count = json_array_size(errors);

	for (size_t i = 0; i + 1 < count; i++)
		fprintf(stderr, "holdfast: %s\n", json_string_value(json_array_get(errors, i)));
	if (count && json_is_string(json_array_get(errors, count - 1)))
		return err_set(err, -EREMOTEIO, "%s", json_string_value(json_array_get(errors, count - 1)));
	if (detail)
		return err_set(err, -EREMOTEIO, "%s", detail);
	return err_at(
		err, -EREMOTEIO, controller->url, 0, 0, "answers with HTTP status %d", response->status);
}

static int take_answer(const struct controller *controller, const struct http_response *response,
	json_t **ret_json, struct err *err)
{
	static const struct json_limits limits = {ANSWER_MAX_BYTES, 16};
	json_t *json = NULL;
	int r = 0;

	if (response->size)
		r = json_parse_bytes(response->body, response->size, &limits, &json, err);
	printable_make(json);
	if (response->status >= 200 && response->status < 300) {
		if (r < 0)
			return err_prefix(err, r, "%s: not an answer of a controller", controller->url);
		if (ret_json)
			*ret_json = json;
		else
			json_decref(json);
		return 0;
	}
	r = refused(controller, response, json, err);
	json_decref(json);
	return r;
}

/* The exchange says how and for how long. */
static int call(const struct controller *controller, int64_t generation, const char *path, const json_t *body,
	struct http_exchange exchange, json_t **ret_json, struct err *err)
{
	char if_match[64];
	const char *const headers[] = {if_match, NULL};
	const struct http_client_options options = {
		.tls = {controller->ca, controller->certificate, controller->key},
		.server_kind = TLS_KIND_CONTROLLER,
		.unix_socket = *controller->unix_socket ? controller->unix_socket : NULL,
	};
	CLEANUP_FREE char *text = NULL;
	struct text url = {0};
	struct http_response response;
	int r;

	exchange.response_max = ANSWER_MAX_BYTES;
	snprintf(if_match, sizeof(if_match), "If-Match: \"%" PRId64 "\"", generation);
	if (generation != CONTROLLER_ANY_GENERATION)
		exchange.headers = headers;
	if (body)
		exchange.body = text = json_compact(body, &exchange.body_size);
	text_add(&url, "%s%s", controller->url, path);
	exchange.url = url.data;
	r = http_call(&options, &exchange, &response, err);
	text_clear(&url);
	if (r < 0)
		return r;
	r = take_answer(controller, &response, ret_json, err);
	http_response_clear(&response);
	return r;
}

int controller_call_at(const struct controller *controller, int64_t generation, const char *method,
	const char *path, const json_t *body, unsigned timeout_ms, json_t **ret_json, struct err *err)
{
	return call(controller, generation, path, body,
		(struct http_exchange){.method = method, .timeout_ms = timeout_ms}, ret_json, err);
}

int controller_call(const struct controller *controller, const char *method, const char *path,
	const json_t *body, unsigned timeout_ms, json_t **ret_json, struct err *err)
{
	return controller_call_at(
		controller, CONTROLLER_ANY_GENERATION, method, path, body, timeout_ms, ret_json, err);
}

int controller_call_while(const struct controller *controller, int64_t generation, const char *method,
	const char *path, const json_t *body, bool (*goes_on)(uint64_t sent, uint64_t size, void *context),
	void *context, json_t **ret_json, struct err *err)
{
	return call(controller, generation, path, body,
		(struct http_exchange){.method = method, .goes_on = goes_on, .context = context}, ret_json,
		err);
}
