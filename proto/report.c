/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proto/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "proto/message.h"

static void put_takeover(json_t *to, const struct takeover *takeover)
{
	json_t *object = jput_object(to, "takeover");

	jput_text(object, "endpoint", takeover->endpoint);
	epoch_put(object, "epoch", &takeover->epoch);
	name_put_if_set(object, "from", takeover->from);
	name_put_if_set(object, "cause", takeover->cause);
	jput_u64(object, "detect_ms", takeover->detect_ms);
	jput_u64(object, "sessions", takeover->sessions);
	jput_u64(object, "back", takeover->back);
	jput_u64(object, "first_ms", takeover->first_ms);
	jput_u64(object, "took_ms", takeover->took_ms);
	jput_bool(object, "over", takeover->over);
}

/* Left out while there are none. */
static void put_events(json_t *to, const struct report *report)
{
	json_t *array = report->event_count ? jput_array(to, "events") : NULL;

	for (size_t i = 0; i < report->event_count; i++) {
		json_t *object = jput_object(array, NULL);

		jput_text(object, "event", report->events[i].event);
		jput_text(object, "text", report->events[i].text);
	}
}

/* Left out while there are none. */
static void put_moments(json_t *to, const struct report *report)
{
	json_t *array = report->moment_count ? jput_array(to, "moments") : NULL;

	for (size_t i = 0; i < report->moment_count; i++)
		moment_put(array, NULL, &report->moments[i]);
}

/* Left out while there are none. */
static void put_impaired(json_t *to, const struct report *report)
{
	json_t *array = report->impaired_count ? jput_array(to, "impaired") : NULL;

	for (size_t i = 0; i < report->impaired_count; i++) {
		json_t *object = jput_object(array, NULL);

		jput_text(object, "endpoint", report->impaired[i].endpoint);
		jput_text(object, "why", report->impaired[i].why);
	}
}

static void put_lists(json_t *to, const struct report *report)
{
	json_t *array = jput_array(to, "reasons");

	for (size_t i = 0; i < report->reason_count; i++)
		jput_text(array, NULL, report->reasons[i]);
	array = jput_array(to, "seats");
	for (size_t i = 0; i < report->seat_count; i++)
		seat_put(array, NULL, &report->seats[i]);
	array = report->standing_count ? jput_array(to, "standings") : NULL;
	for (size_t i = 0; i < report->standing_count; i++)
		standing_put(array, NULL, &report->standings[i]);
	hearsays_put(to, "heard", report->heard, report->heard_count);
	sessions_put(to, "sessions", report->sessions, report->session_count);
	if (report->unanswered_count)
		unanswered_put(to, "unanswered", report->unanswered, report->unanswered_count);
}

char *report_encode(const struct report *report)
{
	json_t *json = message_new();

	jput_text(json, "gateway", report->gateway);
	jput_hex64(json, "boot", report->boot);
	jput_u64(json, "generation", report->generation);
	jput_text(json, "hash", report->hash);
	jput_bool(json, "fit", report->fit);
	if (report->leaving)
		jput_bool(json, "leaving", true);
	jput_i64(json, "wall_ms", report->wall_ms);
	jput_bool(json, "sessions_whole", report->sessions_whole);
	put_lists(json, report);
	put_impaired(json, report);
	put_events(json, report);
	put_moments(json, report);
	if (report->drill.id)
		drill_result_put(json, "drill", &report->drill);
	if (report->takeover.endpoint[0])
		put_takeover(json, &report->takeover);
	return message_take(json);
}

static int get_hash(const struct jnode *from, char *ret_hash, size_t size, struct err *err)
{
	struct jnode member;
	int r = jnode_text(from, "hash", JSON_REQUIRED, ret_hash, size, err);

	if (r)
		return r;
	(void)jnode_find(from, "hash", &member);
	if (ret_hash[0] && strspn(ret_hash, "0123456789abcdef") != size - 1)
		return jnode_fail(&member, err, -EINVAL, "expected 64 lower-case hex digits, or nothing");
	return 0;
}

static int get_reasons(const struct jnode *from, struct report *report, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "reasons", JSON_REQUIRED, PROTO_REASONS_MAX, &array, err);

	if (r)
		return r;
	report->reason_count = jnode_count(&array);
	for (size_t i = 0; !r && i < report->reason_count; i++) {
		struct jnode item = jnode_item(&array, i);

		r = jnode_text(
			&item, NULL, JSON_REQUIRED, report->reasons[i], sizeof(report->reasons[i]), err);
	}
	return r;
}

static bool seat_is_new(const struct report *report, size_t index)
{
	for (size_t i = 0; i < index; i++) {
		if (!strcmp(report->seats[i].endpoint, report->seats[index].endpoint))
			return false;
	}
	return true;
}

static int get_seats(const struct jnode *from, struct report *report, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "seats", JSON_REQUIRED, PROTO_ENDPOINTS_MAX, &array, err);

	if (r)
		return r;
	report->seat_count = jnode_count(&array);
	for (size_t i = 0; !r && i < report->seat_count; i++) {
		struct jnode item = jnode_item(&array, i);

		r = seat_get(&item, &report->seats[i], err);
		if (!r && !seat_is_new(report, i))
			r = jnode_fail(
				&item, err, -EINVAL, "endpoint %s is there twice", report->seats[i].endpoint);
	}
	return r;
}

static bool standing_is_new(const struct report *report, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (!strcmp(report->standings[i].endpoint, report->standings[index].endpoint))
			return false;
	return true;
}

static int get_standings(const struct jnode *from, struct report *report, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "standings", JSON_OPTIONAL, PROTO_ENDPOINTS_MAX, &array, err);

	if (r || !array.json)
		return r;
	report->standing_count = jnode_count(&array);
	for (size_t i = 0; !r && i < report->standing_count; i++) {
		struct jnode item = jnode_item(&array, i);

		r = standing_get(&item, &report->standings[i], err);
		if (!r && !standing_is_new(report, i))
			r = jnode_fail(&item, err, -EINVAL, "endpoint %s is there twice",
				report->standings[i].endpoint);
	}
	return r;
}

static int get_u32(const struct jnode *from, const char *name, uint32_t *ret_value, struct err *err)
{
	uint64_t value;
	int r = jnode_u64(from, name, JSON_REQUIRED, 0, UINT32_MAX, &value, err);

	if (!r)
		*ret_value = (uint32_t)value;
	return r;
}

static int get_takeover(const struct jnode *from, struct takeover *takeover, struct err *err)
{
	struct jnode object;
	int r = jnode_object(from, "takeover", JSON_OPTIONAL, &object, err);

	if (r || !object.json)
		return r;
	if ((r = jnode_name(&object, "endpoint", JSON_REQUIRED, takeover->endpoint,
		     sizeof(takeover->endpoint), err)) ||
		(r = epoch_get(&object, "epoch", &takeover->epoch, err)) ||
		(r = jnode_name(
			 &object, "from", JSON_OPTIONAL, takeover->from, sizeof(takeover->from), err)) ||
		(r = jnode_name(
			 &object, "cause", JSON_OPTIONAL, takeover->cause, sizeof(takeover->cause), err)) ||
		(r = get_u32(&object, "detect_ms", &takeover->detect_ms, err)) ||
		(r = get_u32(&object, "sessions", &takeover->sessions, err)) ||
		(r = get_u32(&object, "back", &takeover->back, err)) ||
		(r = get_u32(&object, "first_ms", &takeover->first_ms, err)) ||
		(r = get_u32(&object, "took_ms", &takeover->took_ms, err)))
		return r;
	return jnode_bool(&object, "over", JSON_REQUIRED, &takeover->over, err);
}

static int get_events(const struct jnode *from, struct report *report, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "events", JSON_OPTIONAL, REPORT_EVENTS_MAX, &array, err);

	if (r || !array.json)
		return r;
	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct report_event *event = &report->events[report->event_count++];
		struct jnode item = jnode_item(&array, i);

		r = jnode_name(&item, "event", JSON_REQUIRED, event->event, sizeof(event->event), err);
		if (!r)
			r = jnode_text(&item, "text", JSON_REQUIRED, event->text, sizeof(event->text), err);
	}
	return r;
}

static int get_moments(const struct jnode *from, struct report *report, struct err *err)
{
	struct jnode array;
	uint64_t after = 0;
	int r = jnode_array(from, "moments", JSON_OPTIONAL, MOMENTS_REPORT_MAX, &array, err);

	for (size_t i = 0; !r && array.json && i < jnode_count(&array); i++) {
		struct moment *moment = &report->moments[report->moment_count];
		struct jnode item = jnode_item(&array, i);
		bool known = false;

		r = moment_get(&item, moment, &known, err);
		if (!r && moment->seq <= after)
			r = jnode_fail(&item, err, -EINVAL, "its seq does not rise");
		after = moment->seq;
		report->moment_count += known;
	}
	return r;
}

static int get_impaired(const struct jnode *from, struct report *report, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "impaired", JSON_OPTIONAL, PROTO_ENDPOINTS_MAX, &array, err);

	if (r || !array.json)
		return r;
	for (size_t i = 0; !r && i < jnode_count(&array); i++) {
		struct impaired *impaired = &report->impaired[report->impaired_count++];
		struct jnode item = jnode_item(&array, i);

		r = jnode_name(&item, "endpoint", JSON_REQUIRED, impaired->endpoint,
			sizeof(impaired->endpoint), err);
		if (!r)
			r = jnode_text(
				&item, "why", JSON_REQUIRED, impaired->why, sizeof(impaired->why), err);
	}
	return r;
}

static int get_identity(const struct jnode *from, char *gateway, size_t size, uint64_t *boot,
	uint64_t *generation, uint64_t least, struct err *err)
{
	int r;

	if ((r = jnode_name(from, "gateway", JSON_REQUIRED, gateway, size, err)) ||
		(r = jnode_hex64(from, "boot", JSON_REQUIRED, boot, err)))
		return r;
	return jnode_u64(from, "generation", JSON_REQUIRED, least, INT64_MAX, generation, err);
}

static int get_unanswered(const struct jnode *from, struct report *report, struct err *err)
{
	struct jnode array;
	int r = jnode_array(from, "unanswered", JSON_OPTIONAL, UNANSWERED_REPORT_MAX, &array, err);

	if (r || !array.json)
		return r;
	report->unanswered_count = jnode_count(&array);
	return unanswered_get(&array, report->unanswered, err);
}

static int get_report(const struct jnode *from, struct report *report, struct err *err)
{
	int r;

	if ((r = get_identity(from, report->gateway, sizeof(report->gateway), &report->boot,
		     &report->generation, 0, err)) ||
		(r = get_hash(from, report->hash, sizeof(report->hash), err)) ||
		(r = jnode_bool(from, "fit", JSON_REQUIRED, &report->fit, err)) ||
		(r = jnode_bool(from, "leaving", JSON_OPTIONAL, &report->leaving, err)) ||
		(r = jnode_i64(
			 from, "wall_ms", JSON_REQUIRED, INT64_MIN, INT64_MAX, &report->wall_ms, err)) ||
		(r = jnode_bool(from, "sessions_whole", JSON_REQUIRED, &report->sessions_whole, err)) ||
		(r = get_reasons(from, report, err)) || (r = get_impaired(from, report, err)) ||
		(r = get_seats(from, report, err)) || (r = get_standings(from, report, err)) ||
		(r = hearsays_get(from, "heard", report->heard, &report->heard_count, err)) ||
		(r = get_takeover(from, &report->takeover, err)) || (r = get_events(from, report, err)) ||
		(r = get_moments(from, report, err)) || (r = get_unanswered(from, report, err)) ||
		(r = drill_result_get(from, "drill", &report->drill, err)))
		return r;
	return sessions_get(from, "sessions", &report->sessions, &report->session_count, err);
}

int report_decode(const char *text, size_t size, struct report *ret_report, struct err *err)
{
	struct report report = {0};
	struct jnode root;
	json_t *json;
	int r = message_parse(text, size, &json, err);

	if (r)
		return r;
	root = jnode_root(json);
	r = get_report(&root, &report, err);
	json_decref(json);
	if (!r)
		*ret_report = report;
	return r;
}

bool report_serves(const struct report *report, const char *endpoint)
{
	for (size_t i = 0; i < report->seat_count; i++)
		if (!strcmp(report->seats[i].endpoint, endpoint))
			return seat_role_serves(report->seats[i].role);
	return false;
}

void report_clear(struct report *report)
{
	free(report->sessions);
	*report = (struct report){0};
}

char *staged_encode(const struct staged *staged)
{
	json_t *json = message_new();

	jput_text(json, "gateway", staged->gateway);
	jput_hex64(json, "boot", staged->boot);
	jput_u64(json, "generation", staged->generation);
	jput_bool(json, "ok", staged->ok);
	jput_text(json, "error", staged->error);
	return message_take(json);
}

static int get_staged(const struct jnode *from, struct staged *staged, struct err *err)
{
	int r;

	if ((r = get_identity(from, staged->gateway, sizeof(staged->gateway), &staged->boot,
		     &staged->generation, 1, err)) ||
		(r = jnode_bool(from, "ok", JSON_REQUIRED, &staged->ok, err)) ||
		(r = jnode_text(from, "error", JSON_REQUIRED, staged->error, sizeof(staged->error), err)))
		return r;
	if (staged->ok != !staged->error[0])
		return jnode_fail(from, err, -EINVAL, "ok with an error, or an error without one");
	return 0;
}

int staged_decode(const char *text, size_t size, struct staged *ret_staged, struct err *err)
{
	struct staged staged = {0};
	struct jnode root;
	json_t *json;
	int r = message_parse(text, size, &json, err);

	if (r)
		return r;
	root = jnode_root(json);
	r = get_staged(&root, &staged, err);
	json_decref(json);
	if (!r)
		*ret_staged = staged;
	return r;
}
