/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fleet_files/fleet_files.h"

/* Each test works in a directory of its own, which is the current one meanwhile. */
static char directory[] = "/tmp/holdfast-fleet-files-XXXXXX";
static char previous[4096];

static void enter(void)
{
	ck_assert_ptr_nonnull(getcwd(previous, sizeof(previous)));
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
}

static void leave(void)
{
	const char *const names[] = {"fleet.yaml", "a.yaml", "b.yaml", "peers.d/alice.yaml",
		"peers.d/bob.yaml", "peers.d/.hidden.yaml", "peers.d/notes.txt", "peers.d/more.yaml",
		"peers.d", "0.yaml", "1.yaml", "2.yaml", "3.yaml", "4.yaml", "5.yaml", "6.yaml", "7.yaml",
		"8.yaml", "9.yaml"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)remove(names[i]);
	ck_assert_int_eq(chdir(previous), 0);
	ck_assert_int_eq(rmdir(directory), 0);
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* The names of what was loaded, with spaces between. */
static void check_loaded(const char *path, const char *expected)
{
	struct fleet_files files = {0};
	struct err err = {0};
	char names[1024] = "";

	ck_assert_msg(!fleet_files_read(path, &files, &err), "%s", err.text);
	for (size_t i = 0; i < files.count; i++) {
		strcat(names, i ? " " : "");
		strcat(names, files.items[i].name);
		ck_assert_uint_eq(strlen(files.items[i].text), files.items[i].size);
	}
	ck_assert_str_eq(names, expected);
	fleet_files_clear(&files);
}

static void check_refused(const char *path, int code, const char *expected)
{
	struct fleet_files files = {0};
	struct err err = {0};
	char text[2048];

	ck_assert_int_eq(fleet_files_read(path, &files, &err), code);
	ck_assert_str_eq(err_format(&err, text, sizeof(text)), expected);
	ck_assert_uint_eq(files.count, 0);
}

START_TEST(a_file_alone)
{
	put("fleet.yaml", "fleet: x\n");
	check_loaded("fleet.yaml", "fleet.yaml");
	check_loaded("./fleet.yaml", "./fleet.yaml");
}
END_TEST

START_TEST(a_glob_matches_in_order_and_may_match_nothing)
{
	put("fleet.yaml", "include: [ peers.d/*.yaml, b*.yaml ]\n");
	check_loaded("fleet.yaml", "fleet.yaml");
	ck_assert_int_eq(mkdir("peers.d", 0700), 0);
	put("peers.d/bob.yaml", "");
	put("peers.d/alice.yaml", "");
	put("peers.d/.hidden.yaml", "");
	put("peers.d/notes.txt", "");
	put("b.yaml", "");
	check_loaded("fleet.yaml", "fleet.yaml peers.d/alice.yaml peers.d/bob.yaml b.yaml");
}
END_TEST

START_TEST(includes_are_relative_to_the_file_that_names_them)
{
	char path[256], expected[1024];

	ck_assert_int_eq(mkdir("peers.d", 0700), 0);
	put("fleet.yaml", "include: peers.d/more.yaml\n");
	put("peers.d/more.yaml", "include: alice.yaml\n");
	put("peers.d/alice.yaml", "");
	check_loaded("fleet.yaml", "fleet.yaml peers.d/more.yaml peers.d/alice.yaml");
	(void)snprintf(path, sizeof(path), "%s/fleet.yaml", directory);
	(void)snprintf(expected, sizeof(expected), "%s %s/peers.d/more.yaml %s/peers.d/alice.yaml", path,
		directory, directory);
	check_loaded(path, expected);
}
END_TEST

START_TEST(each_file_is_loaded_once)
{
	put("fleet.yaml", "include: [ a.yaml, b.yaml, ./a.yaml ]\n");
	put("a.yaml", "");
	put("b.yaml", "include: a.yaml\n");
	check_loaded("fleet.yaml", "fleet.yaml a.yaml b.yaml");
}
END_TEST

START_TEST(what_comes_later_is_included_or_not)
{
	struct fleet_files files = {0};
	struct err err = {0};

	ck_assert_int_eq(mkdir("peers.d", 0700), 0);
	put("a.yaml", "include: [ peers.d/b*.yaml ]\n");
	put("fleet.yaml", "include: [ a.yaml, peers.d/al*.yaml, { not: text } ]\n");
	ck_assert_int_eq(fleet_files_read("fleet.yaml", &files, &err), 0);
	ck_assert(!fleet_files_include(&files, "peers.d/alice.yaml")); /* nor is there such a file */
	put("peers.d/alice.yaml", "peers: {}\n");
	put("peers.d/bob.yaml", "peers: {}\n");
	put("peers.d/more.yaml", "peers: {}\n");
	ck_assert(fleet_files_include(&files, "peers.d/alice.yaml"));
	ck_assert(fleet_files_include(&files, "./peers.d/../peers.d/alice.yaml"));
	ck_assert(fleet_files_include(&files, "peers.d/bob.yaml")); /* which a.yaml names */
	ck_assert(fleet_files_include(&files, "a.yaml"));
	ck_assert(!fleet_files_include(&files, "peers.d/more.yaml"));
	ck_assert(!fleet_files_include(&files, "fleet.yaml")); /* nobody's include: */
	fleet_files_clear(&files);
}
END_TEST

START_TEST(a_missing_file_is_told_where_it_is_included)
{
	check_refused("fleet.yaml", -ENOENT, "fleet.yaml: No such file or directory");
	put("fleet.yaml", "fleet: x\ninclude: [ b.yaml ]\n");
	check_refused("fleet.yaml", -ENOENT, "fleet.yaml:2:12: include: b.yaml: No such file or directory");
}
END_TEST

START_TEST(a_circle_is_told)
{
	put("fleet.yaml", "include: a.yaml\n");
	put("a.yaml", "include: b.yaml\n");
	put("b.yaml", "include: fleet.yaml\n");
	check_refused("fleet.yaml", -ELOOP, "b.yaml:1:10: include: fleet.yaml: includes itself");
	put("fleet.yaml", "include: '*.yaml'\n");
	check_refused("fleet.yaml", -ELOOP, "b.yaml:1:10: include: fleet.yaml: includes itself");
}
END_TEST

/* The reader says what is wrong with them, at their own place. */
START_TEST(what_is_not_yaml_is_loaded)
{
	put("fleet.yaml", "include: [ a.yaml, { x: y } ]\n");
	put("a.yaml", "include: [\n");
	check_loaded("fleet.yaml", "fleet.yaml a.yaml");
}
END_TEST

START_TEST(depth_at_and_beyond_the_limit)
{
	char name[16], text[64];

	for (int i = 0; i <= FLEET_FILES_DEPTH_MAX; i++) {
		(void)snprintf(name, sizeof(name), "%d.yaml", i);
		(void)snprintf(text, sizeof(text), "include: %d.yaml\n", i + 1);
		put(name, i < FLEET_FILES_DEPTH_MAX ? text : "");
	}
	check_loaded("0.yaml", "0.yaml 1.yaml 2.yaml 3.yaml 4.yaml 5.yaml 6.yaml 7.yaml 8.yaml");
	put("8.yaml", "include: 9.yaml\n");
	put("9.yaml", "");
	check_refused("0.yaml", -ELOOP, "8.yaml:1:10: include: 9.yaml: includes are nested too deep");
}
END_TEST

static void grow(const char *name, off_t size)
{
	ck_assert_int_eq(truncate(name, size), 0);
}

START_TEST(bytes_at_and_beyond_the_limit)
{
	struct fleet_files files = {0};

	put("fleet.yaml", "include: a.yaml\n");
	put("a.yaml", "");
	grow("a.yaml", FLEET_FILES_BYTES_MAX - 16);
	ck_assert_int_eq(fleet_files_read("fleet.yaml", &files, NULL), 0);
	ck_assert_uint_eq(files.count, 2);
	fleet_files_clear(&files);
	grow("a.yaml", FLEET_FILES_BYTES_MAX - 15);
	check_refused("fleet.yaml", -E2BIG,
		"fleet.yaml:1:10: include: a.yaml: too large: all files together at most 32 MiB");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fleet files");
	TCase *tcase = tcase_create("fleet files");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, enter, leave);
	tcase_add_test(tcase, a_file_alone);
	tcase_add_test(tcase, a_glob_matches_in_order_and_may_match_nothing);
	tcase_add_test(tcase, includes_are_relative_to_the_file_that_names_them);
	tcase_add_test(tcase, each_file_is_loaded_once);
	tcase_add_test(tcase, what_comes_later_is_included_or_not);
	tcase_add_test(tcase, a_missing_file_is_told_where_it_is_included);
	tcase_add_test(tcase, a_circle_is_told);
	tcase_add_test(tcase, what_is_not_yaml_is_loaded);
	tcase_add_test(tcase, depth_at_and_beyond_the_limit);
	tcase_add_test(tcase, bytes_at_and_beyond_the_limit);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
