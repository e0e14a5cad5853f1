/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/io/health.h"
#include "common/io/metrics.h"
#include "server.h"

static struct fixture f;
static int reasons;

static void collect(void *context, struct health *health)
{
	ck_assert_ptr_eq(context, &reasons);
	for (int i = 0; i < reasons; i++)
		health_reason(health, "reason \"%d\"", i);
	health_warning(health, "clock skew");
}

static void write_metrics(void *context, struct text *out)
{
	ck_assert_ptr_eq(context, &reasons);
	metrics_family(out, METRICS_GAUGE, "holdfast_x", "X.");
	metrics_u64(out, "holdfast_x", NULL, 1);
}

static struct health_source source = {.collect = collect, .metrics = write_metrics, .context = &reasons};

static void open_all(void)
{
	fixture_open(&f);
	health_serve(f.server, &source);
}

static void close_all(void)
{
	fixture_close(&f);
}

struct question {
	const char *path, *starts, *ends;
};

static int ask(const struct fixture *fixture, const void *data)
{
	const struct question *q = data;
	char request[256], answer[16384];
	size_t length;

	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", q->path);
	CHILD_CHECK(fixture_raw(fixture, request, strlen(request), answer, sizeof answer) > 0);
	length = strlen(answer);
	CHILD_CHECK(strncmp(answer, q->starts, strlen(q->starts)) == 0);
	CHILD_CHECK(length > strlen(q->ends) && strcmp(answer + length - strlen(q->ends), q->ends) == 0);
	return 0;
}

static void expect(const char *path, const char *starts, const char *ends)
{
	ck_assert_int_eq(fixture_child(&f, ask, &(struct question){path, starts, ends}), 0);
}

START_TEST(health_is_served)
{
	reasons = 0;
	expect("/livez", "HTTP/1.1 200 ", "\r\n\r\nok\n");
	expect("/readyz", "HTTP/1.1 200 ",
		"\r\n\r\n{\"ready\":true,\"reasons\":[],\"warnings\":[\"clock skew\"]}");
	reasons = 1;
	expect("/readyz", "HTTP/1.1 503 ",
		"\r\n\r\n{\"ready\":false,\"reasons\":[\"reason \\\"0\\\"\"],\"warnings\":[\"clock skew\"]}");
	expect("/livez", "HTTP/1.1 200 ", "\r\n\r\nok\n");
	expect("/metrics", "HTTP/1.1 200 ",
		"\r\n\r\n# HELP holdfast_x X.\n# TYPE holdfast_x gauge\nholdfast_x 1\n");
	reasons = HEALTH_LINES_MAX + 1;
	expect("/readyz", "HTTP/1.1 503 ", "\"reason \\\"31\\\"\"],\"warnings\":[\"clock skew\"]}");
}
END_TEST

START_TEST(metrics_are_escaped)
{
	struct text out = {0};

	metrics_family(&out, METRICS_COUNTER, "a_total", "line\nback\\slash \"quote\"");
	metrics_u64(&out, "a_total", (const char *const[]){"l", "q\"b\\n\n", "m", "", NULL}, UINT64_MAX);
	metrics_u64(&out, "a_total", (const char *const[]){NULL}, 0);
	metrics_seconds(&out, "b_seconds", NULL, 1500);
	metrics_double(&out, "c", NULL, INFINITY);
	metrics_double(&out, "c", NULL, -INFINITY);
	metrics_double(&out, "c", NULL, NAN);
	metrics_double(&out, "c", NULL, 0.1);
	ck_assert_str_eq(out.data,
		"# HELP a_total line\\nback\\\\slash \"quote\"\n# TYPE a_total counter\n"
		"a_total{l=\"q\\\"b\\\\n\\n\",m=\"\"} 18446744073709551615\na_total 0\nb_seconds 1.5\n"
		"c +Inf\nc -Inf\nc NaN\nc 0.1\n");
	text_clear(&out);
}
END_TEST

START_TEST(the_process_describes_itself)
{
	struct text out = {0};

	metrics_process(&out);
	ck_assert_ptr_nonnull(strstr(out.data, "holdfast_build_info{version=\""));
	ck_assert_ptr_nonnull(strstr(out.data, "\nprocess_resident_memory_bytes "));
	ck_assert_ptr_null(strstr(out.data, "process_resident_memory_bytes 0\n"));
	ck_assert_ptr_nonnull(strstr(out.data, "\nprocess_open_fds "));
	text_clear(&out);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("health");
	TCase *tcase = tcase_create("all");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tcase, open_all, close_all);
	tcase_add_test(tcase, health_is_served);
	tcase_add_test(tcase, metrics_are_escaped);
	tcase_add_test(tcase, the_process_describes_itself);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? 0 : 1;
}
