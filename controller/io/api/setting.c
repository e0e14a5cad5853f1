/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/http_server.h"
#include "common/io/log.h"
#include "common/json/write.h"
#include "controller/io/api/access.h"
#include "controller/io/api/api.h"
#include "controller/io/controller.h"
#include "controller/io/watch/watch.h"

/* Settings of people that last: first on the disk, then in force, then, for a drain, until it is empty. */
enum setting_kind { SETTING_DRAIN, SETTING_RESUME, SETTING_FREEZE, SETTING_THAW };

static const char *const names[] = {[SETTING_DRAIN] = "drain",
	[SETTING_RESUME] = "resume",
	[SETTING_FREEZE] = "freeze",
	[SETTING_THAW] = "thaw"};

struct setting {
	struct controller *controller;
	struct http_request *request; /* NULL: nobody waits any more */
	struct wish *wish;
	enum setting_kind kind;
	char gateway[PROTO_NAME_MAX + 1]; /* drain, resume */
	char who[STORE_WHO_MAX + 1];
	size_t owned_count; /* drain: what it had */
	char (*owned)[PROTO_NAME_MAX + 1];
};

static void setting_free(struct setting *setting)
{
	free(setting->owned);
	free(setting);
}

static void remember_owned(struct setting *setting)
{
	const struct decisions *decisions = setting->controller->decisions;
	setting->owned = mem_new(decisions_count(decisions) + 1, sizeof setting->owned[0]);
	for (size_t i = 0; i < decisions_count(decisions); i++) {
		const struct ownership *ownership = decisions_ownership(decisions, i);
		if (decisions_owns(decisions, ownership, setting->gateway))
			text_copy(setting->owned[setting->owned_count++], sizeof setting->owned[0],
				ownership->config.name);
	}
}

static void put_moved(const struct setting *setting, json_t *list)
{
	for (size_t i = 0; i < setting->owned_count; i++) {
		const struct ownership *ownership =
			decisions_find(setting->controller->decisions, setting->owned[i]);
		if (!ownership || ownership->owner == OWNERSHIP_NOBODY)
			continue;
		json_t *item = jput_object(list, NULL);
		jput_text(item, "endpoint", setting->owned[i]);
		jput_text(item, "owner", ownership->config.members[ownership->owner]);
	}
}

static char *setting_text(const struct setting *setting)
{
	json_t *json = json_object();
	if (setting->gateway[0]) {
		jput_text(json, "gateway", setting->gateway);
		jput_bool(json, "drained", setting->kind == SETTING_DRAIN);
		put_moved(setting, jput_array(json, "endpoints"));
	} else {
		jput_bool(json, "frozen", setting->kind == SETTING_FREEZE);
	}
	char *text = json_compact(json, NULL);
	json_decref(json);
	return text;
}

static void on_drained(int r, const char *text, void *context)
{
	struct setting *setting = context;
	if (r >= 0)
		http_reply_json(setting->request, 200, setting_text(setting));
	else
		http_reply_problem(setting->request, r == -ETIMEDOUT ? 504 : 409, "%s", text);
	setting_free(setting);
}

static void tell(const struct setting *setting)
{
	char text[PROTO_NAME_MAX + STORE_WHO_MAX + 64];
	const char *name = names[setting->kind];
	snprintf(text, sizeof text, "%s%s%s (by %s)", name, setting->gateway[0] ? " " : "", setting->gateway,
		setting->who);
	log_notice("api", name, log_text("gateway", setting->gateway), log_text("by", setting->who));
	journal_add(setting->controller->journal,
		&(struct journal_entry){.event = name, .text = text, .gateway = setting->gateway});
}

static void put_in_force(const struct setting *setting)
{
	struct decisions *decisions = setting->controller->decisions;
	switch (setting->kind) {
	case SETTING_DRAIN:
	case SETTING_RESUME:
		decisions_set_drained(decisions, setting->gateway, setting->kind == SETTING_DRAIN);
		break;
	case SETTING_FREEZE:
	case SETTING_THAW:
		decisions_set_frozen(decisions, setting->kind == SETTING_FREEZE);
		watch_set_frozen(setting->controller->watch, setting->kind == SETTING_FREEZE);
		break;
	}
}

static int write_setting(struct store *store, void *context, struct err *err)
{
	const struct setting *setting = context;
	switch (setting->kind) {
	case SETTING_DRAIN:
	case SETTING_RESUME:
		return store_set_drained(store, setting->gateway, setting->kind == SETTING_DRAIN, err);
	case SETTING_FREEZE:
	case SETTING_THAW:
		return store_write_frozen(store, setting->kind == SETTING_FREEZE, err);
	}
	return 0;
}

static void on_written(void *context, int r, const struct err *err)
{
	struct setting *setting = context;
	char line[ERR_WHERE_MAX + ERR_TEXT_MAX];
	if (r < 0) {
		log_error("api", "setting-not-stored", log_err(err));
		if (setting->request)
			http_reply_problem(setting->request, 500, "%s", err_format(err, line, sizeof line));
		setting_free(setting);
		return;
	}
	remember_owned(setting);
	tell(setting);
	put_in_force(setting);
	if (setting->request && setting->kind == SETTING_DRAIN) {
		setting->wish = decisions_await_drained(
			setting->controller->decisions, setting->gateway, on_drained, setting);
		return;
	}
	if (setting->request)
		http_reply_json(setting->request, 200, setting_text(setting));
	setting_free(setting);
}

static void on_gone(struct http_request *request, void *context)
{
	struct setting *setting = context;
	(void)request;
	setting->request = NULL;
	if (!setting->wish)
		return; /* it is being written: on_written() will find nobody */
	wish_cancel(setting->wish);
	setting_free(setting);
}

static void start(struct controller *controller, struct http_request *request, enum setting_kind kind,
	const char *gateway, const char *who)
{
	struct setting *setting = mem_new(1, sizeof *setting);
	setting->controller = controller;
	setting->request = request;
	setting->kind = kind;
	text_copy(setting->gateway, sizeof setting->gateway, gateway);
	text_copy(setting->who, sizeof setting->who, who);
	http_request_hold(request, on_gone, setting);
	writer_add(controller->writer,
		&(struct writer_job){.write = write_setting, .done = on_written, .context = setting});
}

static void handle_gateway(struct http_request *request, void *context)
{
	struct controller *controller = context;
	char who[STORE_WHO_MAX + 1], gateway[PROTO_NAME_MAX + 1] = "";
	const char *rest = http_request_rest(request);
	const char *slash = strchr(rest, '/');
	if (!access_allowed(request, &controller->config, who))
		return;
	if (slash && (size_t)(slash - rest) <= PROTO_NAME_MAX)
		memcpy(gateway, rest, (size_t)(slash - rest));
	bool drain = slash && strcmp(slash, "/drain") == 0, resume = slash && strcmp(slash, "/resume") == 0;
	if (!drain && !resume)
		http_reply_problem(request, 404, "no such path; expected /v1/gateways/NAME/drain or resume");
	else if (!agents_find(controller->agents, gateway))
		http_reply_problem(request, 404, "no gateway \"%s\" in the fleet", gateway);
	else
		start(controller, request, drain ? SETTING_DRAIN : SETTING_RESUME, gateway, who);
}

static void handle_freeze(struct http_request *request, void *context)
{
	struct controller *controller = context;
	char who[STORE_WHO_MAX + 1];
	if (access_allowed(request, &controller->config, who))
		start(controller, request, SETTING_FREEZE, "", who);
}

static void handle_thaw(struct http_request *request, void *context)
{
	struct controller *controller = context;
	char who[STORE_WHO_MAX + 1];
	if (access_allowed(request, &controller->config, who))
		start(controller, request, SETTING_THAW, "", who);
}

void setting_serve(struct controller *controller, struct http_server *server)
{
	const struct http_route routes[] = {
		{.methods = HTTP_POST,
			.path = "/v1/gateways/",
			.handle = handle_gateway,
			.context = controller},
		{.methods = HTTP_POST, .path = "/v1/freeze", .handle = handle_freeze, .context = controller},
		{.methods = HTTP_POST, .path = "/v1/thaw", .handle = handle_thaw, .context = controller},
	};
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++)
		http_server_route(server, &routes[i]);
}
