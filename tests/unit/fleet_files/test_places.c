/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a change of a fleet's files would be. A second. */
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/fleet_files/fleet_files.h"

/* Each test works in a directory of its own, which is the current one meanwhile. */
static char directory[] = "/tmp/holdfast-places-XXXXXX";
static char previous[4096];
static struct file_places places;

static void enter(void)
{
	ck_assert_ptr_nonnull(getcwd(previous, sizeof(previous)));
	ck_assert_ptr_nonnull(mkdtemp(directory));
	ck_assert_int_eq(chdir(directory), 0);
	places = (struct file_places){0};
}

static void leave(void)
{
	char command[256];

	file_places_clear(&places);
	ck_assert_int_eq(chdir(previous), 0);
	snprintf(command, sizeof(command), "rm -r %s", directory);
	ck_assert_int_eq(system(command), 0);
	strcpy(directory + strlen(directory) - 6, "XXXXXX");
}

static void put(const char *name, const char *text)
{
	FILE *file = fopen(name, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_ge(fputs(text, file), 0);
	ck_assert_int_eq(fclose(file), 0);
}

static const struct file_place *find(const char *name)
{
	for (size_t i = 0; i < places.count; i++) {
		if (!strcmp(places.items[i].directory, name))
			return &places.items[i];
	}
	return NULL;
}

/* "." has fleet.yaml, whose content counts. */
static void check_file(const char *where, const char *name)
{
	const struct file_place *place = find(where);

	ck_assert_msg(place && file_place_has(place, name) && place->has_files, "%s/%s", where, name);
}

static void check_directory(const char *where, const char *name)
{
	const struct file_place *place = find(where);

	ck_assert_msg(place && file_place_has(place, name), "%s/%s", where, name);
}

START_TEST(a_file_and_what_leads_to_it)
{
	ck_assert_int_eq(mkdir("a", 0700), 0);
	file_places_add_file(&places, "a/./fleet.yaml");
	check_directory(".", "a");
	ck_assert(!find(".")->has_files);
	check_file("a/.", "fleet.yaml");
	ck_assert(!file_place_has(find("a/."), "other.yaml"));
	file_places_add_file(&places, "/nosuch/fleet.yaml");
	check_directory("/", "nosuch");
	ck_assert_ptr_null(find("/nosuch"));
	ck_assert_uint_eq(places.count, 3);
}
END_TEST

START_TEST(links_are_followed)
{
	ck_assert_int_eq(mkdir("releases", 0700), 0);
	ck_assert_int_eq(mkdir("releases/7", 0700), 0);
	put("releases/7/real.yaml", "");
	ck_assert_int_eq(symlink("releases/7", "current"), 0);
	ck_assert_int_eq(symlink("real.yaml", "releases/7/fleet.yaml"), 0);
	file_places_add_file(&places, "current/fleet.yaml");
	check_directory(".", "current");
	check_directory(".", "releases");
	check_directory("releases", "7");
	check_file("releases/7", "fleet.yaml");
	check_file("releases/7", "real.yaml");
	ck_assert_int_eq(symlink("round", "round"), 0);
	file_places_add_file(&places, "round");
	check_file(".", "round");
}
END_TEST

START_TEST(a_glob_has_what_comes)
{
	ck_assert_int_eq(mkdir("sites", 0700), 0);
	ck_assert_int_eq(mkdir("sites/north", 0700), 0);
	ck_assert_int_eq(mkdir("sites/.git", 0700), 0);
	file_places_add_pattern(&places, "sites/*/*.yaml");
	check_directory("sites", "south");
	check_file("sites/north", "new.yaml");
	ck_assert(!file_place_has(find("sites/north"), ".new.yaml.swp"));
	ck_assert(!file_place_has(find("sites/north"), ".new.yaml"));
	ck_assert_ptr_null(find("sites/.git"));
	/* Named one by one they are the same. */
	file_places_add_file(&places, "sites/north/new.yaml");
	ck_assert_uint_eq(find("sites/north")->count, 1);
}
END_TEST

START_TEST(also_where_a_fleet_cannot_be_read)
{
	struct fleet_files files = {0};

	put("fleet.yaml", "include: [sites/*.yaml, lost.yaml]\n");
	ck_assert_int_lt(fleet_files_read_and_place("fleet.yaml", &files, &places, NULL), 0);
	check_file(".", "fleet.yaml");
	check_file(".", "lost.yaml");
	check_directory(".", "sites");
}
END_TEST

START_TEST(one_covers_another_that_asks_for_no_more)
{
	struct file_places more = {0};

	ck_assert_int_eq(mkdir("sites", 0700), 0);
	file_places_add_pattern(&places, "sites/*.yaml");
	file_places_add_file(&places, "fleet.yaml");
	file_places_add_file(&more, "sites/a.yaml");
	ck_assert(file_place_covers(find("sites"), &more.items[1]));
	ck_assert(!file_place_covers(&more.items[1], find("sites")));
	ck_assert(!file_place_covers(&more.items[0], find("."))); /* there only names count */
	file_places_clear(&more);
	file_places_add_file(&more, "fleet.yaml");
	ck_assert(file_place_covers(find("."), &more.items[0]));
	file_places_add_file(&more, "extra.yaml");
	ck_assert(!file_place_covers(find("."), &more.items[0]));
	file_places_clear(&more);
}
END_TEST

static void *add_long_path(void *path)
{
	file_places_add_file(&places, path);
	return NULL;
}

/* What each component and each link takes of the stack is little. */
START_TEST(a_long_way_needs_little_stack)
{
	enum { STACK = 256 * 1024, STEPS = 100 };
	char path[5 * STEPS + sizeof("fleet.yaml")] = "";
	pthread_attr_t small;
	pthread_t thread;

	ck_assert_int_eq(mkdir("d", 0700), 0);
	for (int i = 0; i < STEPS; i++)
		strcat(path, "d/../");
	strcat(path, "fleet.yaml");
	ck_assert_int_eq(pthread_attr_init(&small), 0);
	ck_assert_int_eq(pthread_attr_setstacksize(&small, STACK), 0);
	ck_assert_int_eq(pthread_create(&thread, &small, add_long_path, path), 0);
	ck_assert_int_eq(pthread_join(thread, NULL), 0);
	pthread_attr_destroy(&small);
	ck_assert(!places.is_cut && places.count == STEPS + 1);
	ck_assert(file_place_has(&places.items[STEPS], "fleet.yaml"));
}
END_TEST

START_TEST(names_at_and_beyond_the_limit)
{
	struct file_places few = {0};
	char name[32];

	for (int i = 0; i < FILE_PLACE_NAMES_MAX; i++) {
		snprintf(name, sizeof(name), "%d.yaml", i);
		file_places_add_file(&places, name);
	}
	ck_assert(file_place_has(find("."), "7.yaml") && !file_place_has(find("."), "other"));
	file_places_add_file(&places, "one-more.yaml");
	ck_assert(file_place_has(find("."), "one-more.yaml") && file_place_has(find("."), "other"));
	ck_assert(file_place_covers(find("."), find(".")));
	file_places_add_file(&few, "0.yaml");
	ck_assert(
		file_place_covers(find("."), &few.items[0]) && !file_place_covers(&few.items[0], find(".")));
	file_places_clear(&few);
}
END_TEST

START_TEST(directories_at_and_beyond_the_limit)
{
	char name[32];

	for (int i = 1; i < FILE_PLACES_MAX; i++) { /* and the current one */
		snprintf(name, sizeof(name), "%d", i);
		ck_assert_int_eq(mkdir(name, 0700), 0);
		snprintf(name, sizeof(name), "%d/a.yaml", i);
		file_places_add_file(&places, name);
	}
	ck_assert(places.count == FILE_PLACES_MAX && !places.is_cut);
	ck_assert_int_eq(mkdir("more", 0700), 0);
	file_places_add_file(&places, "more/a.yaml");
	ck_assert(places.count == FILE_PLACES_MAX && places.is_cut);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("file places");
	TCase *tcase = tcase_create("file places");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, enter, leave);
	tcase_add_test(tcase, a_file_and_what_leads_to_it);
	tcase_add_test(tcase, links_are_followed);
	tcase_add_test(tcase, a_glob_has_what_comes);
	tcase_add_test(tcase, also_where_a_fleet_cannot_be_read);
	tcase_add_test(tcase, one_covers_another_that_asks_for_no_more);
	tcase_add_test(tcase, a_long_way_needs_little_stack);
	tcase_add_test(tcase, names_at_and_beyond_the_limit);
	tcase_add_test(tcase, directories_at_and_beyond_the_limit);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
