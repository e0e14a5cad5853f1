/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controller/io/store/store.h"
#include "scratch.h"

static struct scratch scratch;
static char path[SCRATCH_MAX];

static void setup(void)
{
	scratch_make(&scratch);
	strcpy(path, scratch_path(&scratch, "controller.db"));
}

static void teardown(void)
{
	scratch_remove(&scratch);
}

static struct store *open_it(void)
{
	struct store *store = NULL;
	struct err err = {0};
	int r = store_open(path, &store, &err);
	ck_assert_msg(r == 0, "%s", err.text);
	return store;
}

static mode_t mode_of(const char *suffix)
{
	char name[SCRATCH_MAX + 8];
	struct stat info;
	snprintf(name, sizeof name, "%s%s", path, suffix);
	ck_assert_int_eq(stat(name, &info), 0);
	return info.st_mode & 0777;
}

START_TEST(identity_outlives_the_process)
{
	struct store *store = open_it();
	uint64_t id = store_id(store);
	struct key secret = *store_secret(store);
	ck_assert_uint_ne(id, 0);
	ck_assert(!key_is_zero(&secret));
	ck_assert_int_eq(store_write_term(store, 7, NULL), 0);
	ck_assert_int_eq(store_write_frozen(store, true, NULL), 0);
	store_close(store);
	store = open_it();
	ck_assert_uint_eq(store_id(store), id);
	ck_assert(key_equal(store_secret(store), &secret));
	ck_assert_uint_eq(store_term(store), 7);
	ck_assert(store_is_frozen(store));
	store_close(store);
}
END_TEST

START_TEST(two_stores_differ)
{
	struct store *one = open_it(), *other;
	ck_assert_int_eq(store_open(scratch_path(&scratch, "other.db"), &other, NULL), 0);
	ck_assert_uint_ne(store_id(one), store_id(other));
	ck_assert(!key_equal(store_secret(one), store_secret(other)));
	store_close(one);
	store_close(other);
}
END_TEST

START_TEST(only_root_reads_it)
{
	struct store *store = open_it();
	ck_assert_int_eq(store_write_term(store, 1, NULL), 0);
	ck_assert_uint_eq(mode_of(""), 0600);
	ck_assert_uint_eq(mode_of("-wal"), 0600);
	ck_assert_uint_eq(mode_of(".lock"), 0600);
	store_close(store);
}
END_TEST

START_TEST(terms_only_rise)
{
	struct store *store = open_it();
	struct err err = {0};
	ck_assert_int_eq(store_write_term(store, 5, NULL), 0);
	ck_assert_int_eq(store_write_term(store, 5, &err), -EINVAL);
	ck_assert_int_eq(store_write_term(store, 4, NULL), -EINVAL);
	ck_assert_uint_eq(store_term(store), 5);
	ck_assert_int_eq(store_write_term(store, UINT32_MAX, NULL), 0);
	store_close(store);
	store = open_it();
	ck_assert_uint_eq(store_term(store), UINT32_MAX);
	store_close(store);
}
END_TEST

START_TEST(one_controller_at_a_time)
{
	struct store *store = open_it(), *second = NULL;
	struct err err = {0};
	ck_assert_int_eq(store_open(path, &second, &err), -EBUSY);
	ck_assert_ptr_null(second);
	ck_assert_str_eq(err.where, path);
	ck_assert_ptr_nonnull(strstr(err.text, "another controller"));
	store_close(store);
	store_close(open_it());
}
END_TEST

START_TEST(what_is_not_ours_is_left_alone)
{
	struct store *store = NULL;
	struct err err = {0};
	strcpy(path, scratch_file(&scratch, "text.db",
			     "this is no database, it is a letter to somebody else, and long"));
	ck_assert_int_lt(store_open(path, &store, &err), 0);
	ck_assert_ptr_nonnull(strstr(err.text, "not a store of Holdfast"));
	strcpy(path, scratch_path(&scratch, "missing/controller.db"));
	ck_assert_int_eq(store_open(path, &store, &err), -ENOENT);
	ck_assert_ptr_null(store);
}
END_TEST

START_TEST(another_schema_is_refused)
{
	struct store *store = NULL;
	struct err err = {0};
	sqlite3 *db;
	store_close(open_it());
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	ck_assert_int_eq(store_open(path, &store, &err), -EPROTONOSUPPORT);
	ck_assert_ptr_nonnull(strstr(err.text, "schema 99"));
}
END_TEST

static char bundle[] = "{\"files\":[]}";

static void add_generation(struct store *store, uint64_t number)
{
	struct store_generation generation = {
		.number = number, .hash = "abc", .who = "operator alice", .wall_ms = 42, .bundle = bundle};
	struct err err = {0};
	ck_assert_msg(store_add_generation(store, &generation, NULL, &err) == 0, "%s", err.text);
}

static int count_rows(const char *table)
{
	sqlite3 *db;
	sqlite3_stmt *statement;
	char sql[128];
	snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
	int count = sqlite3_column_int(statement, 0);
	sqlite3_finalize(statement);
	sqlite3_close(db);
	return count;
}

START_TEST(the_generation_before_is_loaded)
{
	struct store *store = open_it();
	struct store_generation generation = {0};
	add_generation(store, 1);
	ck_assert_int_eq(store_load_generation_before(store, 1, &generation, NULL), -ENOENT);
	add_generation(store, 3);
	add_generation(store, 4);
	ck_assert_int_eq(store_load_generation_before(store, 4, &generation, NULL), 0);
	ck_assert_uint_eq(generation.number, 3);
	store_generation_clear(&generation);
	store_close(store);
}
END_TEST

START_TEST(the_newest_generation_is_loaded)
{
	struct store *store = open_it();
	struct store_generation generation = {0};
	ck_assert_int_eq(store_load_generation(store, &generation, NULL), -ENOENT);
	add_generation(store, 1);
	add_generation(store, 3);
	store_close(store);
	store = open_it();
	ck_assert_int_eq(store_load_generation(store, &generation, NULL), 0);
	ck_assert_uint_eq(generation.number, 3);
	ck_assert_str_eq(generation.hash, "abc");
	ck_assert_str_eq(generation.who, "operator alice");
	ck_assert_int_eq(generation.wall_ms, 42);
	ck_assert_str_eq(generation.bundle, bundle);
	store_generation_clear(&generation);
	store_close(store);
}
END_TEST

START_TEST(the_floor_only_rises_and_comes_with_its_generation)
{
	struct store *store = open_it();
	struct store_generation generation = {.number = 5, .floor = 5, .hash = "x", .bundle = bundle};
	ck_assert_uint_eq(store_floor(store), 0);
	ck_assert_int_eq(store_add_generation(store, &generation, NULL, NULL), 0);
	ck_assert_uint_eq(store_floor(store), 5);
	generation.floor = 9;
	ck_assert_int_lt(store_add_generation(store, &generation, NULL, NULL), 0); /* that number is taken */
	add_generation(store, 6);
	ck_assert_int_eq(store_raise_floor(store, 4, NULL), 0);
	store_close(store);
	store = open_it();
	ck_assert_uint_eq(store_floor(store), 5);
	ck_assert_int_eq(store_raise_floor(store, 7, NULL), 0);
	store_close(store);
	store = open_it();
	ck_assert_uint_eq(store_floor(store), 7);
	store_close(store);
}
END_TEST

START_TEST(a_number_is_used_once)
{
	struct store *store = open_it();
	struct store_generation generation = {.number = 1, .hash = "x", .bundle = bundle};
	add_generation(store, 1);
	ck_assert_int_lt(store_add_generation(store, &generation, NULL, NULL), 0);
	add_generation(store, 2); /* the failure has left no transaction behind */
	store_close(store);
}
END_TEST

START_TEST(a_generation_is_found_by_its_number)
{
	struct store *store = open_it();
	struct store_generation generation = {0};
	add_generation(store, 1);
	add_generation(store, 3);
	ck_assert_int_eq(store_load_generation_number(store, 1, &generation, NULL), 0);
	ck_assert_uint_eq(generation.number, 1);
	ck_assert_str_eq(generation.bundle, bundle);
	store_generation_clear(&generation);
	ck_assert_int_eq(store_load_generation_number(store, 2, &generation, NULL), -ENOENT);
	store_close(store);
}
END_TEST

static void collect_number(const struct store_generation *generation, void *context)
{
	char *numbers = context;
	ck_assert_ptr_null(generation->bundle);
	sprintf(numbers + strlen(numbers), "%d ", (int)generation->number);
}

START_TEST(generations_are_listed_by_the_page)
{
	struct store *store = open_it();
	struct store_generation generation = {
		.number = 9, .hash = "x", .what = "rollback to 3", .counts = {1, 2, 3, 4}, .bundle = bundle};
	char numbers[64] = "";
	for (uint64_t i = 1; i <= 4; i++)
		add_generation(store, i);
	ck_assert_int_eq(store_each_generation(store, 1, 2, collect_number, numbers, NULL), 0);
	ck_assert_str_eq(numbers, "2 3 ");
	ck_assert_int_eq(store_each_generation(store, 3, 2, collect_number, numbers, NULL), 0);
	ck_assert_str_eq(numbers, "2 3 4 ");
	ck_assert_int_eq(store_add_generation(store, &generation, NULL, NULL), 0);
	ck_assert_int_eq(store_load_generation(store, &generation, NULL), 0);
	ck_assert_str_eq(generation.what, "rollback to 3");
	ck_assert_uint_eq(generation.counts.added, 1);
	ck_assert_uint_eq(generation.counts.changed, 2);
	ck_assert_uint_eq(generation.counts.removed, 3);
	ck_assert_uint_eq(generation.counts.other, 4);
	store_generation_clear(&generation);
	store_close(store);
}
END_TEST

START_TEST(a_confirmation_comes_and_goes_with_its_generation)
{
	const struct store_confirmation awaited = {
		.generation = 2, .back_to = 1, .deadline_ms = 77, .given_ms = 7, .who = "operator alice"};
	struct store *store = open_it();
	struct store_generation generation = {.number = 2, .hash = "x", .bundle = bundle};
	struct store_confirmation found = {0};
	add_generation(store, 1);
	ck_assert_int_eq(store_load_confirmation(store, &found, NULL), -ENOENT);
	ck_assert_int_eq(store_add_generation(store, &generation, &awaited, NULL), 0);
	/* One that fails changes nothing about it. */
	ck_assert_int_lt(store_add_generation(store, &generation, NULL, NULL), 0);
	store_close(store);
	store = open_it();
	ck_assert_int_eq(store_load_confirmation(store, &found, NULL), 0);
	ck_assert_uint_eq(found.generation, 2);
	ck_assert_uint_eq(found.back_to, 1);
	ck_assert_int_eq(found.deadline_ms, 77);
	ck_assert_int_eq(found.given_ms, 7);
	ck_assert_str_eq(found.who, "operator alice");
	add_generation(store, 3);
	ck_assert_int_eq(store_load_confirmation(store, &found, NULL), -ENOENT);
	generation.number = 4;
	ck_assert_int_eq(store_add_generation(store, &generation, &awaited, NULL), 0);
	ck_assert_int_eq(store_clear_confirmation(store, NULL), 0);
	ck_assert_int_eq(store_load_confirmation(store, &found, NULL), -ENOENT);
	store_close(store);
}
END_TEST

static void collect_audit(const struct store_audit *audit, void *context)
{
	char *rows = context;
	sprintf(rows + strlen(rows), "%d:%d:%s:%s:%s:%d:%d:%s ", (int)audit->seq, (int)audit->wall_ms,
		audit->who, audit->what, audit->target, (int)audit->generation, audit->status, audit->detail);
}

START_TEST(the_trail_is_read_by_the_page)
{
	struct store_audit audit = {.wall_ms = 42,
		.who = "alice",
		.what = "move",
		.target = "vpn",
		.generation = 3,
		.status = 200};
	struct store *store = open_it();
	char rows[256] = "";
	ck_assert_int_eq(store_add_audit(store, &audit, NULL), 0);
	audit.status = 409;
	strcpy(audit.detail, "busy");
	ck_assert_int_eq(store_add_audit(store, &audit, NULL), 0);
	ck_assert_int_eq(store_add_audit(store, &audit, NULL), 0);
	ck_assert_int_eq(store_each_audit(store, 0, 2, collect_audit, rows, NULL), 0);
	ck_assert_str_eq(rows, "1:42:alice:move:vpn:3:200: 2:42:alice:move:vpn:3:409:busy ");
	rows[0] = '\0';
	ck_assert_int_eq(store_each_audit(store, 2, 2, collect_audit, rows, NULL), 0);
	ck_assert_str_eq(rows, "3:42:alice:move:vpn:3:409:busy ");
	store_close(store);
}
END_TEST

static void execute(const char *sql)
{
	sqlite3 *db;
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

START_TEST(a_generation_and_its_row_of_the_trail_come_together)
{
	struct store_generation generation = {
		.number = 2, .hash = "x", .who = "root", .wall_ms = 43, .rollback_to = 1, .bundle = bundle};
	struct store *store = open_it();
	char rows[256] = "";
	add_generation(store, 1);
	ck_assert_int_eq(store_add_generation(store, &generation, NULL, NULL), 0);
	ck_assert_int_lt(store_add_generation(store, &generation, NULL, NULL), 0); /* that number is taken */
	ck_assert_int_eq(store_each_audit(store, 0, 9, collect_audit, rows, NULL), 0);
	ck_assert_str_eq(rows, "1:42:operator alice:apply::1:200: 2:43:root:rollback:generation 1:2:200: ");
	execute("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'full'); END");
	generation.number = 3;
	ck_assert_int_lt(store_add_generation(store, &generation, NULL, NULL), 0);
	ck_assert_int_eq(count_rows("generations"), 2);
	execute("DROP TRIGGER full");
	ck_assert_int_eq(store_add_generation(store, &generation, NULL, NULL), 0);
	ck_assert_int_eq(count_rows("audit"), 3);
	store_close(store);
}
END_TEST

/* As many rows of a status at once, without a write to the disk for each. */
static void fill_audit(int status, int count)
{
	sqlite3 *db;
	char sql[512];
	snprintf(sql, sizeof sql,
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO "
		"audit(wall_ms, who, what, target, generation, status, detail) SELECT 1, '', '', '', 1, %d, "
		"'' FROM n",
		count, status);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

START_TEST(the_trail_is_bounded_and_the_refused_do_not_push_out_the_rest)
{
	struct store_audit done = {.status = 200, .wall_ms = 8}, refused = {.status = 403, .wall_ms = 7};
	struct store *store = open_it();
	fill_audit(200, 10);
	fill_audit(403, STORE_AUDIT_REFUSED_KEPT + 20);
	ck_assert_int_eq(store_add_audit(store, &refused, NULL), 0);
	ck_assert_int_eq(count_rows("audit WHERE status = 403"), STORE_AUDIT_REFUSED_KEPT);
	ck_assert_int_eq(count_rows("audit"), STORE_AUDIT_REFUSED_KEPT + 10);
	ck_assert_int_eq(count_rows("audit WHERE status = 403 AND wall_ms = 7"), 1); /* the last is there */
	fill_audit(200, STORE_AUDIT_KEPT);
	ck_assert_int_eq(store_add_audit(store, &done, NULL), 0);
	ck_assert_int_eq(count_rows("audit"), STORE_AUDIT_KEPT);
	ck_assert_int_eq(count_rows("audit WHERE wall_ms = 8"), 1);
	store_close(store);
}
END_TEST

START_TEST(old_generations_are_forgotten)
{
	struct store *store = open_it();
	for (uint64_t i = 1; i <= STORE_GENERATIONS_KEPT + 1; i++)
		add_generation(store, i);
	store_close(store);
	ck_assert_int_eq(count_rows("generations"), STORE_GENERATIONS_KEPT);
	ck_assert_int_eq(
		count_rows("generations WHERE number > 1"), STORE_GENERATIONS_KEPT); /* the oldest went */
}
END_TEST

static void collect_name(const char *gateway, void *context)
{
	strcat(context, gateway);
	strcat(context, " ");
}

static void put_invitation(struct store *store, const char *gateway, const char *hash, int64_t expires_ms)
{
	struct store_invitation invitation = {.expires_ms = expires_ms, .who = "root"};
	strcpy(invitation.gateway, gateway);
	strcpy(invitation.hash, hash);
	ck_assert_int_eq(store_put_invitation(store, &invitation, NULL), 0);
}

static void note_hash(const struct store_invitation *invitation, void *context)
{
	strcat(context, invitation->hash);
}

static void check_invitations(struct store *store, const char *expected)
{
	char hashes[256] = "";
	ck_assert_int_eq(store_each_invitation(store, note_hash, hashes, NULL), 0);
	ck_assert_str_eq(hashes, expected);
}

START_TEST(an_invitation_is_removed_by_what_used_it)
{
	struct store *store = open_it();
	put_invitation(store, "gw-a", "old", 100);
	put_invitation(store, "gw-a", "new", 100);
	put_invitation(store, "gw-b", "other", 50);
	ck_assert_int_eq(store_remove_invitation(store, "gw-a", "old", 49, NULL), 0); /* not the newer one */
	check_invitations(store, "newother");
	ck_assert_int_eq(store_remove_invitation(store, "gw-c", NULL, 50, NULL), 0);
	check_invitations(store, "new");
	ck_assert_int_eq(store_remove_invitation(store, "gw-a", "new", 50, NULL), 0);
	check_invitations(store, "");
	put_invitation(store, "gw-a", "last", 100);
	ck_assert_int_eq(store_remove_invitation(store, "gw-a", NULL, 50, NULL), 0);
	check_invitations(store, "");
	store_close(store);
}
END_TEST

START_TEST(drains_last)
{
	struct store *store = open_it();
	char names[64] = "";
	ck_assert_int_eq(store_set_drained(store, "gw-b", true, NULL), 0);
	ck_assert_int_eq(store_set_drained(store, "gw-a", true, NULL), 0);
	ck_assert_int_eq(store_set_drained(store, "gw-a", true, NULL), 0);
	ck_assert_int_eq(store_set_drained(store, "gw-b", false, NULL), 0);
	ck_assert_int_eq(store_set_drained(store, "gw-c", false, NULL), 0);
	store_close(store);
	store = open_it();
	ck_assert_int_eq(store_each_drained(store, collect_name, names, NULL), 0);
	ck_assert_str_eq(names, "gw-a ");
	store_close(store);
}
END_TEST

struct seen {
	uint64_t first, last, count;
};

static void see(uint64_t seq, const char *json, void *context)
{
	struct seen *seen = context;
	ck_assert_str_eq(json, "{}");
	if (!seen->count++)
		seen->first = seq;
	seen->last = seq;
}

START_TEST(events_are_bounded)
{
	enum { BATCH = 1000 };
	struct store *store = open_it();
	struct store_event events[BATCH];
	static char json[] = "{}";
	struct seen seen = {0};
	for (uint64_t seq = 1; seq <= STORE_EVENTS_KEPT + BATCH;) {
		for (size_t i = 0; i < BATCH; i++)
			events[i] = (struct store_event){.seq = seq++, .json = json};
		ck_assert_int_eq(store_add_events(store, events, BATCH, NULL), 0);
	}
	ck_assert_int_eq(store_add_events(store, events, 0, NULL), 0);
	ck_assert_int_eq(store_each_event(store, see, &seen, NULL), 0);
	ck_assert_uint_eq(seen.count, STORE_EVENTS_KEPT);
	ck_assert_uint_eq(seen.first, BATCH + 1);
	ck_assert_uint_eq(seen.last, STORE_EVENTS_KEPT + BATCH);
	store_close(store);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("store");
	TCase *tests = tcase_create("store");
	tcase_add_checked_fixture(tests, setup, teardown);
	tcase_set_timeout(tests, 30);
	tcase_add_test(tests, identity_outlives_the_process);
	tcase_add_test(tests, two_stores_differ);
	tcase_add_test(tests, only_root_reads_it);
	tcase_add_test(tests, terms_only_rise);
	tcase_add_test(tests, one_controller_at_a_time);
	tcase_add_test(tests, what_is_not_ours_is_left_alone);
	tcase_add_test(tests, another_schema_is_refused);
	tcase_add_test(tests, the_newest_generation_is_loaded);
	tcase_add_test(tests, the_generation_before_is_loaded);
	tcase_add_test(tests, the_floor_only_rises_and_comes_with_its_generation);
	tcase_add_test(tests, a_number_is_used_once);
	tcase_add_test(tests, a_generation_is_found_by_its_number);
	tcase_add_test(tests, generations_are_listed_by_the_page);
	tcase_add_test(tests, a_confirmation_comes_and_goes_with_its_generation);
	tcase_add_test(tests, the_trail_is_read_by_the_page);
	tcase_add_test(tests, a_generation_and_its_row_of_the_trail_come_together);
	tcase_add_test(tests, the_trail_is_bounded_and_the_refused_do_not_push_out_the_rest);
	tcase_add_test(tests, old_generations_are_forgotten);
	tcase_add_test(tests, drains_last);
	tcase_add_test(tests, an_invitation_is_removed_by_what_used_it);
	tcase_add_test(tests, events_are_bounded);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
