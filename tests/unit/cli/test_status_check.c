/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one line of a monitoring plugin, for each way that things may be. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cli/status_check.h"

struct sample {
	const char *json;
	enum status_level level;
	const char *line;
};

#define GATEWAYS(a, b) \
	"\"gateways\":[{\"name\":\"gw-a\",\"verdict\":\"" a "\"},{\"name\":\"gw-b\",\"verdict\":\"" b "\"}]"
#define FLEET "\"fleet\":\"edge\",\"generation\":4"

static const struct sample samples[] = {
	{"{" FLEET ",\"endpoints\":[{\"name\":\"vpn\",\"owner\":\"gw-a\",\"sessions\":3}]," GATEWAYS(
		 "alive", "alive") "}",
		STATUS_OK,
		"OK: fleet edge, generation 4 | endpoints=1 unowned=0 gateways=2 alive=2 sessions=3"},
	{"{" FLEET ",\"endpoints\":[{\"name\":\"vpn\",\"owner\":\"gw-a\",\"sessions\":3}]," GATEWAYS(
		 "alive", "dead") ","
				  "\"warnings\":[\"nobody could take over vpn from gw-a\",\"gw-b is dead\"]}",
		STATUS_WARNING,
		"WARNING: nobody could take over vpn from gw-a; gw-b is dead | endpoints=1 unowned=0 "
		"gateways=2 alive=1 "
		"sessions=3"},
	{"{" FLEET ",\"endpoints\":[{\"name\":\"vpn\",\"owner\":null,\"why\":\"all are dead\"}]," GATEWAYS(
		 "dead", "dead") ","
				 "\"warnings\":[\"vpn has no owner: all are dead\",\"frozen\"]}",
		STATUS_CRITICAL,
		"CRITICAL: vpn has no owner: all are dead; frozen | endpoints=1 unowned=1 gateways=2 alive=0 "
		"sessions=0"},
	{"{" FLEET ",\"endpoints\":[{\"name\":\"vpn\",\"owner\":\"gw-a\"}]," GATEWAYS("dead", "alive") "}",
		STATUS_CRITICAL,
		"CRITICAL: vpn: its owner gw-a is dead | endpoints=1 unowned=0 gateways=2 alive=1 "
		"sessions=0"},
	{"{" FLEET ",\"warnings\":[\"one | two\\nthree\"]}", STATUS_WARNING,
		"WARNING: one / two three | endpoints=0 unowned=0 gateways=0 alive=0 sessions=0"},
	{"{\"fleet\":\"\",\"generation\":0}", STATUS_UNKNOWN,
		"UNKNOWN: there is no fleet yet: 'holdfast apply FILE' makes one"},
	{"{" FLEET ",\"gateway\":\"gw-a\",\"connected\":true,\"sessions\":2,\"endpoints\":[{\"name\":\"vpn\","
		   "\"role\":\"serving\"}]}",
		STATUS_OK, "OK: fleet edge, generation 4 | endpoints=1 sessions=2"},
	{"{" FLEET
	 ",\"gateway\":\"gw-a\",\"connected\":false,\"endpoints\":[{\"name\":\"vpn\",\"role\":\"standby\"}]}",
		STATUS_WARNING, "WARNING: no controller answers this gateway | endpoints=1 sessions=0"},
	{"{" FLEET ",\"gateway\":\"gw-a\",\"connected\":true,\"reasons\":[\"wg0: no key\"],"
	 "\"endpoints\":[{\"name\":\"vpn\",\"role\":\"fenced\",\"why\":\"no carrier\"}]}",
		STATUS_CRITICAL,
		"CRITICAL: vpn: fenced here: no carrier; wg0: no key | endpoints=1 sessions=0"},
};

START_TEST(each_state_has_its_line)
{
	json_t *status = json_loads(samples[_i].json, 0, NULL);
	struct text line = {0};

	ck_assert_ptr_nonnull(status);
	ck_assert_int_eq(status_check(status, &line), samples[_i].level);
	ck_assert_str_eq(line.data, samples[_i].line);
	text_clear(&line);
	json_decref(status);
}
END_TEST

static json_t *with_warnings(size_t count)
{
	json_t *status = json_loads("{" FLEET "}", 0, NULL), *warnings = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(warnings, json_string("w"));
	json_object_set_new(status, "warnings", warnings);
	return status;
}

START_TEST(what_does_not_fit_a_line_is_counted)
{
	json_t *eight = with_warnings(8), *nine = with_warnings(9);
	struct text line = {0};

	status_check(eight, &line);
	ck_assert_ptr_null(strstr(line.data, "more"));
	text_clear(&line);
	status_check(nine, &line);
	ck_assert_ptr_nonnull(strstr(line.data, "w; and 1 more |"));
	text_clear(&line);
	json_decref(eight);
	json_decref(nine);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("status_check");
	TCase *tests = tcase_create("status_check");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tests, each_state_has_its_line, 0, sizeof(samples) / sizeof(*samples));
	tcase_add_test(tests, what_does_not_fit_a_line_is_counted);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
