/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "controller/io/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/io/clock.h"
#include "common/io/http_server.h"
#include "common/io/log.h"
#include "controller/io/apply/confirming.h"
#include "controller/io/controller.h"
#include "controller/io/fleet_file.h"
#include "controller/io/own_certificate.h"

static int make(struct controller *controller, const struct bundle *bundle, uint64_t number, bool stored,
	struct generation **ret_generation, struct err *err)
{
	struct lines errors = {0}, warnings = {0};
	struct generation_maker maker = {.controller = controller->self.name,
		.store = controller->store_id,
		.secret = store_secret(controller->store),
		.stored = stored};
	int r = generation_make(bundle, number, &maker, ret_generation, &errors, &warnings);
	if (r < 0)
		fleet_file_sum_up(&errors, r, err);
	else
		fleet_file_warn(&warnings);
	lines_clear(&errors);
	lines_clear(&warnings);
	return r;
}

static int store_it(struct controller *controller, const struct generation *generation, struct err *err)
{
	struct store_generation record;
	generation_record(generation, &record);
	int r = store_add_generation(
		controller->store, &record, confirming_record(controller->confirming), err);
	store_generation_clear(&record);
	return r;
}

/* A number stands for one content for ever: if this version compiles the same files to something else, that is a new
 * generation. */
static int renumber(struct controller *controller, const struct bundle *bundle,
	const struct store_generation *stored, struct generation **generation, struct err *err)
{
	if (strcmp((*generation)->hash, stored->hash) == 0) {
		text_copy((*generation)->who, sizeof(*generation)->who, stored->who);
		text_copy((*generation)->what, sizeof(*generation)->what, stored->what);
		(*generation)->wall_ms = stored->wall_ms;
		(*generation)->counts = stored->counts;
		return 0;
	}
	generation_free(*generation);
	*generation = NULL;
	int r = make(controller, bundle, stored->number + 1, true, generation, err);
	if (r < 0)
		return r;
	text_copy((*generation)->who, sizeof(*generation)->who, "the controller, after an upgrade");
	return store_it(controller, *generation, err);
}

static bool has_fence(const struct generation *generation)
{
	for (size_t i = 0; i < generation->endpoint_count; i++)
		if (generation->endpoints[i].config.exclusive)
			return true;
	return false;
}

/* `fence`: whoever has not heard of this generation yet may serve by the one before. The decisions are told of both, in
 * that order, as if this controller had lived through the change; further back nothing is unsettled, or there would have
 * been no change. */
static void recall_before(struct controller *controller, uint64_t number)
{
	struct store_generation stored = {0};
	struct generation *before = NULL;
	struct bundle bundle = {0};
	struct err err = {0};
	int r = store_load_generation_before(controller->store, number, &stored, &err);
	if (r == -ENOENT)
		return;
	if (r >= 0)
		r = bundle_decode(stored.bundle, strlen(stored.bundle), &bundle, &err);
	if (r >= 0)
		r = make(controller, &bundle, stored.number, true, &before, &err);
	if (r >= 0)
		decisions_set_endpoints(controller->decisions, before->endpoints, before->endpoint_count);
	else
		log_error(
			"controller", "generation-before-not-read", log_u64("before", number), log_err(&err));
	bundle_clear(&bundle);
	generation_free(before);
	store_generation_clear(&stored);
}

static int load_stored(struct controller *controller, const struct store_generation *stored, struct err *err)
{
	struct bundle bundle = {0};
	struct generation *generation = NULL;
	int r = bundle_decode(stored->bundle, strlen(stored->bundle), &bundle, err);
	if (r >= 0)
		r = make(controller, &bundle, stored->number, true, &generation, err);
	if (r >= 0)
		r = renumber(controller, &bundle, stored, &generation, err);
	bundle_clear(&bundle);
	if (r < 0) {
		generation_free(generation);
		return err_prefix(err, r, "%s: generation %llu", controller->config.store_path,
			(unsigned long long)stored->number);
	}
	if (has_fence(generation))
		recall_before(controller, generation->number);
	controller_install(controller, generation);
	return 0;
}

static int load_file(struct controller *controller, struct err *err)
{
	struct bundle bundle = {0};
	struct generation *generation = NULL;
	int r = generation_read_files(controller->config.fleet, &bundle, NULL, err);
	if (r < 0)
		return r;
	r = make(controller, &bundle, 1, false, &generation, err);
	bundle_clear(&bundle);
	if (r < 0)
		return r;
	text_copy(generation->who, sizeof generation->who, "the fleet file, at the first start");
	generation_count(NULL, generation);
	r = store_it(controller, generation, err);
	if (r < 0) {
		generation_free(generation);
		return r;
	}
	controller_install(controller, generation);
	return 0;
}

int reload_first_fleet(struct controller *controller, struct err *err)
{
	struct store_generation stored = {0};
	int r = store_load_generation(controller->store, &stored, err);
	if (r == -ENOENT)
		return controller->config.fleet ? load_file(controller, err) : 0;
	if (r < 0)
		return r;
	r = load_stored(controller, &stored, err);
	store_generation_clear(&stored);
	return r;
}

/* is_asked: somebody waits for what comes of it. Else it is looked at every few seconds. */
static void take_certificate(struct controller *controller, bool is_asked)
{
	const struct tls_files files = config_tls(&controller->config);
	struct err err = {0};
	if (shown_certificate_renew(&controller->shown, &files, &controller->self, &err) >= 0)
		http_server_set_tls(controller->api, controller->shown.tls);
	else if (cause_is_news(&controller->shown.told, &err, clock_now_ms()) || is_asked)
		log_error("controller", "certificate-not-renewed", log_err(&err));
}

void reload_certificate(struct controller *controller)
{
	take_certificate(controller, true);
}

void reload_certificate_if_replaced(struct controller *controller)
{
	const struct tls_files files = config_tls(&controller->config);
	if (!controller->shown.failure[0] && !shown_certificate_is_replaced(&controller->shown, &files))
		return;
	take_certificate(controller, false);
	if (!controller->shown.failure[0])
		log_notice("controller", "certificate-taken", log_text("file", files.certificate));
}

static void reload_authority(struct controller *controller)
{
	struct err err = {0};
	if (joining_reload(&controller->joining, &controller->config, &err) < 0)
		log_error("joining", "authority-not-renewed", log_err(&err));
}

/* Each request asks anew what its operator may do. */
static void reload_operators(struct controller *controller)
{
	struct err err = {0};
	if (config_reload_operators(&controller->config, &err) < 0)
		log_error("controller", "operators-not-reloaded", log_err(&err));
	else
		log_info("controller", "operators-reloaded",
			log_u64("operators", controller->config.operator_count));
}

void reload(struct controller *controller)
{
	reload_operators(controller);
	reload_certificate(controller);
	reload_authority(controller);
	own_certificate_retry(controller->own);
	own_certificate_look(controller->own, &controller->joining.authority);
	fleet_file_read(controller->fleet_file, "the fleet file, by SIGHUP");
}
