/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/text.h"
#include "node-agent/io/state/writer.h"

static char directory[64];
static struct err err;

static void setup(void)
{
	char root[] = "/tmp/hf-state-XXXXXX";

	ck_assert_ptr_nonnull(mkdtemp(root));
	snprintf(directory, sizeof(directory), "%s/state", root);
	ck_assert_int_eq(state_prepare(directory, &err), 0);
}

static void remove_file(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	unlink(path);
}

static void teardown(void)
{
	remove_file("desired.json");
	remove_file("seats.json");
	rmdir(directory);
	*strrchr(directory, '/') = '\0';
	rmdir(directory);
}

static mode_t mode_of(const char *name)
{
	char path[128];
	struct stat status;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	ck_assert_int_eq(stat(path, &status), 0);
	return status.st_mode & 07777;
}

START_TEST(nothing_is_fine)
{
	struct desired *desired = NULL;
	struct state_seats seats = {.count = 3};

	ck_assert_int_eq(state_load_desired(directory, &desired, &err), -ENOENT);
	ck_assert_int_eq(state_load_seats(directory, &seats, &err), 0);
	ck_assert_uint_eq(seats.count, 0);
	ck_assert_ptr_null(state_find_seat(&seats, "vpn"));
}
END_TEST

START_TEST(seats_come_back)
{
	struct state_seats seats = {.stranger = true, .floor = 9, .count = 1}, again;
	const struct seat_disk *disk;

	text_copy(seats.items[0].endpoint, sizeof(seats.items[0].endpoint), "vpn");
	seats.items[0].disk.highest = (struct epoch){60000001, 7, 2};
	seats.items[0].disk.served = (struct epoch){60000001, 6, 0};
	seats.items[0].disk.claimed = (struct epoch){60000001, 7, 18};
	ck_assert_int_eq(state_save_seats(directory, &seats, &err), 0);
	ck_assert_int_eq(state_load_seats(directory, &again, &err), 0);
	ck_assert_uint_eq(again.floor, 9);
	disk = state_find_seat(&again, "vpn");
	ck_assert_ptr_nonnull(disk);
	ck_assert_int_eq(epoch_compare(&disk->highest, &seats.items[0].disk.highest), 0);
	ck_assert_int_eq(epoch_compare(&disk->served, &seats.items[0].disk.served), 0);
	ck_assert(epoch_is_zero(&disk->released));
	ck_assert_int_eq(epoch_compare(&disk->claimed, &seats.items[0].disk.claimed), 0);
	ck_assert(again.stranger);
	ck_assert_uint_eq(mode_of("seats.json"), 0600);
}
END_TEST

static void put_seat(struct state_seats *seats, const char *endpoint, uint32_t n)
{
	struct state_seat *seat = &seats->items[seats->count++];

	text_copy(seat->endpoint, sizeof(seat->endpoint), endpoint);
	seat->disk.highest = (struct epoch){1, n, 0};
}

/* The first of two seats writes before the second has begun; an endpoint leaves the fleet and comes back. */
START_TEST(what_is_not_told_again_is_kept)
{
	struct state_seats before = {0}, now = {0};

	put_seat(&before, "vpn", 5);
	put_seat(&before, "office", 7);
	put_seat(&now, "vpn", 6);
	state_keep_seats(&now, &before);
	ck_assert_uint_eq(now.count, 2);
	ck_assert_uint_eq(state_find_seat(&now, "vpn")->highest.n, 6);
	ck_assert_uint_eq(state_find_seat(&now, "office")->highest.n, 7);
}
END_TEST

START_TEST(what_is_kept_has_a_limit)
{
	struct state_seats before = {0}, now = {0};

	put_seat(&before, "vpn", 5);
	for (uint32_t i = 0; i < PROTO_ENDPOINTS_MAX; i++)
		put_seat(&now, "other", i);
	state_keep_seats(&now, &before);
	ck_assert_uint_eq(now.count, PROTO_ENDPOINTS_MAX);
	ck_assert_ptr_null(state_find_seat(&now, "vpn"));
}
END_TEST

START_TEST(desired_comes_back)
{
	struct desired *desired = desired_new(), *again = NULL;

	desired->generation = 7;
	desired->store = 5;
	desired->liveness_ms = 50;
	text_copy(desired->fleet, sizeof(desired->fleet), "edge");
	text_copy(desired->gateway, sizeof(desired->gateway), "gw-a");
	ck_assert_int_eq(state_save_desired(directory, desired, &err), 0);
	ck_assert_uint_eq(mode_of("desired.json"), 0600);
	ck_assert_msg(state_load_desired(directory, &again, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(again->generation, 7);
	ck_assert_str_eq(again->gateway, "gw-a");
	desired_free(desired);
	desired_free(again);
}
END_TEST

START_TEST(a_broken_file_is_named)
{
	struct state_seats seats;
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/seats.json", directory);
	file = fopen(path, "w");
	fputs("{\"seats\": [{\"endpoint\": \"vpn\"}]}", file);
	fclose(file);
	ck_assert_int_lt(state_load_seats(directory, &seats, &err), 0);
	ck_assert_msg(strstr(err.text, "seats.json") && strstr(err.text, "highest"), "%s", err.text);
}
END_TEST

START_TEST(the_writer_writes_the_latest)
{
	struct state_seats seats = {.count = 1}, again;
	struct state_writer *writer;
	struct err none;

	text_copy(seats.items[0].endpoint, sizeof(seats.items[0].endpoint), "vpn");
	ck_assert_int_eq(state_writer_new(directory, &writer, &err), 0);
	for (uint32_t n = 1; n <= 20; n++) {
		seats.items[0].disk.highest = (struct epoch){1, n, 0};
		state_writer_seats(writer, &seats);
	}
	ck_assert(!state_writer_failed(writer, &none));
	state_writer_free(writer);
	ck_assert_int_eq(state_load_seats(directory, &again, &err), 0);
	ck_assert_uint_eq(again.items[0].disk.highest.n, 20);
}
END_TEST

/* What has been told to be written is on the disk by then. */
START_TEST(the_writer_tells_what_is_written)
{
	struct state_seats seats = {.count = 1}, again;
	struct state_writer *writer;
	struct pollfd ready = {.events = POLLIN};
	uint64_t number;

	text_copy(seats.items[0].endpoint, sizeof(seats.items[0].endpoint), "vpn");
	seats.items[0].disk.claimed = (struct epoch){1, 2, 3};
	ck_assert_int_eq(state_writer_new(directory, &writer, &err), 0);
	ck_assert_uint_eq(state_writer_written(writer), 0);
	number = state_writer_seats(writer, &seats);
	ck_assert_uint_gt(number, 0);
	ready.fd = state_writer_fd(writer);
	ck_assert_int_eq(poll(&ready, 1, 10000), 1);
	ck_assert_uint_eq(state_writer_written(writer), number);
	ck_assert_int_eq(state_load_seats(directory, &again, &err), 0);
	ck_assert_uint_eq(again.items[0].disk.claimed.minor, 3);
	ck_assert_int_eq(poll(&ready, 1, 0), 0); /* told once */
	ck_assert_uint_gt(state_writer_seats(writer, &seats), number);
	state_writer_free(writer);
}
END_TEST

START_TEST(the_writer_tells_of_failures)
{
	struct state_seats seats = {.count = 0};
	struct state_writer *writer;
	struct err why = {0};

	ck_assert_int_eq(state_writer_new("/proc/nosuch", &writer, &err), 0);
	state_writer_seats(writer, &seats);
	while (!state_writer_failed(writer, &why))
		usleep(1000);
	ck_assert_uint_eq(state_writer_written(writer), 0);
	ck_assert(strstr(why.where, "/proc/nosuch/seats.json"));
	ck_assert(!state_writer_failed(writer, &why));
	state_writer_free(writer);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("state");
	TCase *tc = tcase_create("state");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nothing_is_fine);
	tcase_add_test(tc, seats_come_back);
	tcase_add_test(tc, what_is_not_told_again_is_kept);
	tcase_add_test(tc, what_is_kept_has_a_limit);
	tcase_add_test(tc, desired_comes_back);
	tcase_add_test(tc, a_broken_file_is_named);
	tcase_add_test(tc, the_writer_writes_the_latest);
	tcase_add_test(tc, the_writer_tells_what_is_written);
	tcase_add_test(tc, the_writer_tells_of_failures);
	suite_add_tcase(suite, tc);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
