/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/controller.h"

#include <errno.h>
#include <event2/event.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/io/clock.h"
#include "common/io/file.h"
#include "common/io/http_server.h"
#include "common/io/log.h"
#include "common/io/loop.h"
#include "controller/io/api/api.h"
#include "controller/io/api/follow.h"
#include "controller/io/apply/apply.h"
#include "controller/io/apply/confirming.h"
#include "controller/io/audit.h"
#include "controller/io/drill/drill.h"
#include "controller/io/fleet_file.h"
#include "controller/io/floor.h"
#include "controller/io/notify.h"
#include "controller/io/own_certificate.h"
#include "controller/io/reload.h"
#include "controller/io/report.h"
#include "controller/io/watch/watch.h"

/* Who has shown no certificate yet shall not hold a place among the connections for long; agents give up after 3 s. */
enum { HOUSEKEEPING_S = 10, CONNECTIONS_MAX = 1024, HANDSHAKE_MS = 10000 };

static int check_self(const struct controller *controller, struct err *err)
{
	if (controller->self.kind == TLS_KIND_CONTROLLER)
		return 0;
	return err_at(err, -EINVAL, controller->config.certificate, 0, 0,
		"it is the certificate of %s \"%s\", not of a controller (holdfast cert controller NAME "
		"makes one)",
		tls_kind_text(controller->self.kind), controller->self.name);
}

static int load_tls(struct controller *controller, struct err *err)
{
	struct tls_files files = config_tls(&controller->config);
	char warning[512];
	int r = own_certificate_prepare(&controller->config, err);
	if (r < 0 || (r = shown_certificate_load(&controller->shown, &files, &controller->self, err)) < 0)
		return r;
	if (file_secret_is_open(controller->config.key, warning, sizeof warning))
		log_warning("controller", "key-is-open", log_text("text", warning));
	return check_self(controller, err);
}

static int make_directories(const struct config *config, struct err *err)
{
	CLEANUP_FREE char *store = mem_text(config->store_path);
	int r = file_make_directories(config->state, 0700, err);
	if (r < 0 || (r = file_make_directories(dirname(store), 0700, err)) < 0)
		return r;
	return file_make_directories(config->run, 0755, err);
}

static void load_drained(const char *gateway, void *context)
{
	struct controller *controller = context;
	decisions_set_drained(controller->decisions, gateway, true);
}

/* The store has the lock of this controller: whoever does not get it leaves its files alone, too. */
static int open_store(struct controller *controller, struct err *err)
{
	int r = make_directories(&controller->config, err);
	return r < 0 ? r : store_open(controller->config.store_path, &controller->store, err);
}

static int start_decisions(struct controller *controller, struct err *err)
{
	int r;
	controller->store_id = store_id(controller->store);
	controller->floor = store_floor(controller->store);
	generation_grant_seed(store_secret(controller->store), &controller->grant_seed);
	r = journal_new(controller->base, controller->store, &controller->journal, err);
	if (r < 0)
		return r;
	struct decisions_hooks hooks = {.order = controller_post_order,
		.decided = report_decided,
		.grant = controller_grant,
		.claim = controller_claim_term,
		.context = controller};
	controller->decisions =
		decisions_new(controller->base, controller->journal, store_term(controller->store), &hooks);
	decisions_start(controller->decisions);
	if (!decisions_term(controller->decisions))
		return err_at(
			err, -EIO, controller->config.store_path, 0, 0, "the term could not be written");
	decisions_set_frozen(controller->decisions, store_is_frozen(controller->store));
	return store_each_drained(controller->store, load_drained, controller, err);
}

static int start_watch(struct controller *controller, struct err *err)
{
	struct watch_hooks hooks = {.verdict = controller_verdict,
		.beat = controller_beat,
		.silence = controller_silence,
		.claim = controller_claim,
		.context = controller};
	return watch_new(controller->base, controller->config.listen, controller->self.name, controller->run,
		controller->store_id, &hooks, &controller->watch, err);
}

static void start_agents(struct controller *controller)
{
	struct agents_hooks hooks = *controller_agents_hooks();
	hooks.context = controller;
	controller->directory = directory_new();
	controller->agents = agents_new(controller->base, controller->run, controller->store_id, &hooks);
}

static int start_api(struct controller *controller, struct err *err)
{
	struct http_server_options options = {.connections_max = CONNECTIONS_MAX,
		.reply_headers = store_header_line(controller->store_id, controller->store_header),
		.handshake_timeout_ms = HANDSHAKE_MS,
		.refuses = revoke_refuses,
		.answered = audit_answered,
		.context = controller};
	controller->follow = follow_new(controller->base, &controller->config, controller->journal);
	controller->api = http_server_new(controller->base, &options);
	agents_serve(controller->agents, controller->api);
	api_serve(controller, controller->api);
	int r = http_server_listen(controller->api, controller->config.listen, controller->shown.tls, err);
	if (r < 0)
		return r;
	joining_welcome(controller);
	return http_server_listen_unix(controller->api, controller->config.socket, 0600, err);
}

static int start_health(struct controller *controller, struct err *err)
{
	struct http_server_options options = {.connections_max = 64};
	controller->health_source = (struct health_source){
		.collect = health_collect, .metrics = metrics_collect, .context = controller};
	controller->health = http_server_new(controller->base, &options);
	health_serve(controller->health, &controller->health_source);
	return http_server_listen(controller->health, controller->config.health_listen, NULL, err);
}

static void on_stop(evutil_socket_t number, short what, void *context)
{
	struct controller *controller = context;
	(void)what;
	log_notice("controller", "stopping", log_text("signal", number == SIGINT ? "SIGINT" : "SIGTERM"));
	event_base_loopbreak(controller->base);
}

static void on_hangup(evutil_socket_t number, short what, void *context)
{
	(void)number;
	(void)what;
	reload(context);
}

static void expire_sessions(struct controller *controller, int64_t now_ms)
{
	directory_expire(controller->directory, now_ms);
	for (size_t i = 0; i < agents_count(controller->agents); i++)
		directory_expire(agents_at(controller->agents, i)->alone, now_ms);
}

static void on_housekeeping(evutil_socket_t fd, short what, void *context)
{
	struct controller *controller = context;
	(void)fd;
	(void)what;
	expire_sessions(controller, clock_now_ms());
	joining_welcome(controller);
	own_certificate_look(controller->own, &controller->joining.authority);
	reload_certificate_if_replaced(controller);
	log_flush();
}

static void start_events(struct controller *controller)
{
	static const struct {
		int number;
		event_callback_fn handle;
	} signals[] = {{SIGTERM, on_stop}, {SIGINT, on_stop}, {SIGHUP, on_hangup}};
	for (size_t i = 0; i < ARRAY_COUNT(signals); i++) {
		controller->signals[i] =
			evsignal_new(controller->base, signals[i].number, signals[i].handle, controller);
		event_add(controller->signals[i], NULL);
	}
	controller->housekeeping = event_new(controller->base, -1, EV_PERSIST, on_housekeeping, controller);
	event_add(controller->housekeeping, &(struct timeval){.tv_sec = HOUSEKEEPING_S});
}

static void on_renewed(void *context)
{
	struct controller *controller = context;
	journal_add(controller->journal, &(struct journal_entry){.event = "renewed",
						 .text = "the certificate of the controller was renewed"});
	reload_certificate(controller);
}

static void start_own_certificate(struct controller *controller)
{
	own_certificate_new(controller->base, &controller->config, on_renewed, controller, &controller->own);
	own_certificate_look(controller->own, &controller->joining.authority);
}

static int start(struct controller *controller, struct err *err)
{
	int r = open_store(controller, err);
	if (r < 0 || (r = load_tls(controller, err)) < 0)
		return r;
	if ((r = start_decisions(controller, err)) < 0 || (r = start_watch(controller, err)) < 0)
		return r;
	start_agents(controller);
	floor_tell(controller);
	watch_set_frozen(controller->watch, store_is_frozen(controller->store));
	if ((r = joining_start(&controller->joining, &controller->config, controller->store, err)) < 0)
		return r;
	start_own_certificate(controller);
	if ((r = confirming_new(controller, &controller->confirming, err)) < 0)
		return r;
	if ((r = reload_first_fleet(controller, err)) < 0 || (r = start_api(controller, err)) < 0)
		return r;
	if ((r = start_health(controller, err)) < 0)
		return r;
	r = writer_new(controller->base, controller->store, &controller->writer, err);
	if (r < 0)
		return r;
	journal_set_writer(controller->journal, controller->writer);
	start_events(controller);
	return fleet_file_new(controller, &controller->fleet_file, err);
}

static void tell_start(const struct controller *controller)
{
	const struct config *config = &controller->config;
	journal_add(controller->journal,
		&(struct journal_entry){.event = "start", .text = "the controller has started"});
	log_notice("controller", "started", log_text("name", controller->self.name),
		log_text("listen", config->listen), log_text("health", config->health_listen),
		log_text("store", config->store_path), log_u64("term", decisions_term(controller->decisions)),
		log_u64("generation", controller->current ? controller->current->number : 0));
	if (!controller->current)
		log_warning("controller", "no-fleet",
			log_text("text", "there is no fleet yet: apply one (holdfast apply fleet.yaml)"));
}

int controller_new(struct config *config, struct controller **ret_controller, struct err *err)
{
	struct controller *controller = mem_new(1, sizeof *controller);
	controller->config = *config;
	*config = (struct config){0};
	controller->run = clock_boot_id();
	controller->started_ms = clock_now_ms();
	controller->base = loop_new();
	int r = controller->base ? start(controller, err) : err_set(err, -ENOMEM, "libevent: no event base");
	if (r < 0) {
		controller_free(controller);
		return r;
	}
	tell_start(controller);
	*ret_controller = controller;
	return 0;
}

int controller_run(struct controller *controller)
{
	int r = notify_send("READY=1");
	if (r < 0)
		log_warning("controller", "notify", log_errno(r));
	r = event_base_dispatch(controller->base);
	notify_send("STOPPING=1");
	return r < 0 ? -EIO : 0;
}

static void free_event(struct event *event)
{
	if (event)
		event_free(event);
}

/* Listeners first, while everything that their held requests lead to is still there; then the writer, which brings the
 * last events to the disk. */
void controller_free(struct controller *controller)
{
	if (!controller)
		return;
	for (size_t i = 0; i < ARRAY_COUNT(controller->signals); i++)
		free_event(controller->signals[i]);
	free_event(controller->housekeeping);
	http_server_free(controller->api);
	controller->api = NULL;
	http_server_free(controller->health);
	apply_free(controller->apply);
	controller->apply = NULL;
	fleet_file_free(controller->fleet_file);
	controller->fleet_file = NULL;
	drill_free(controller->drill);
	controller->drill = NULL;
	if (controller->journal)
		journal_set_writer(controller->journal, NULL);
	writer_free(controller->writer);
	confirming_free(controller->confirming);
	follow_free(controller->follow);
	agents_free(controller->agents);
	directory_free(controller->directory);
	decisions_free(controller->decisions);
	watch_free(controller->watch);
	generation_free(controller->current);
	journal_free(controller->journal);
	timeline_clear(&controller->moments);
	own_certificate_free(controller->own);
	shown_certificate_clear(&controller->shown);
	joining_stop(&controller->joining);
	store_close(controller->store);
	loop_free(controller->base);
	config_clear(&controller->config);
	key_wipe(&controller->grant_seed);
	free(controller);
}
