/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "node-agent/core/quick/read.h"
#include "node-agent/core/quick/save.h"
#include "tests/unit/quick/files.h"

/* The tunnel of files/save/before.conf as the device holds it right after `up`; each test lets something happen to it. */
struct scene {
	char *text;
	struct quick_config config;
	struct quick_allowed allowed;
	struct prefix addresses[4], one[2], two[2];
	struct plan_peer peers[3];
	struct quick_saved live;
};

static struct prefix prefix(const char *text)
{
	struct prefix prefix;

	ck_assert_int_eq(prefix_parse(text, &prefix, NULL), 0);
	return prefix;
}

static struct endpoint endpoint(const char *text)
{
	struct endpoint endpoint;

	ck_assert_int_eq(endpoint_parse(text, &endpoint, NULL), 0);
	return endpoint;
}

static int by_key(const void *left, const void *right)
{
	const struct plan_peer *a = left, *b = right;

	return memcmp(a->public_key.bytes, b->public_key.bytes, KEY_BYTES);
}

static struct plan_peer *peer_of(struct scene *scene, size_t index)
{
	for (size_t i = 0; i < scene->live.peer_count; i++)
		if (key_equal(&scene->peers[i].public_key, &scene->config.peers[index].public_key))
			return &scene->peers[i];
	ck_abort();
	return NULL;
}

static void scene_init(struct scene *scene)
{
	struct err err;

	*scene = (struct scene){.text = files_read("save", "before", ".conf")};
	ck_assert_int_eq(quick_read("wg0.conf", scene->text, strlen(scene->text), &scene->config, &err), 0);
	quick_allowed_init(&scene->allowed, &scene->config, "wg0.conf", NULL);
	scene->addresses[0] = prefix("10.50.0.2/24");
	scene->addresses[1] = prefix("fd50::2/64");
	scene->one[0] = prefix("10.60.0.0/16");
	scene->one[1] = prefix("10.61.0.0/16");
	scene->two[0] = prefix("10.70.0.0/16");
	scene->live = (struct quick_saved){.addresses = scene->addresses,
		.address_count = 2,
		.mtu = 1400,
		.private_key = scene->config.private_key,
		.listen_port = 40000,
		.port_is_chosen = true,
		.fwmark = 51820,
		.mark_is_chosen = true,
		.peers = scene->peers,
		.peer_count = 2};
	scene->peers[0] = (struct plan_peer){.public_key = scene->config.peers[0].public_key,
		.endpoint = endpoint("192.0.2.9:51820"),
		.keepalive_s = 25,
		.allowed_ips = scene->one,
		.allowed_ip_count = 2};
	scene->peers[1] = (struct plan_peer){.public_key = scene->config.peers[1].public_key,
		.preshared_key = scene->config.peers[1].preshared_key,
		.endpoint = endpoint("192.0.2.1:51820"),
		.allowed_ips = scene->two,
		.allowed_ip_count = 1};
	qsort(scene->peers, 2, sizeof(scene->peers[0]), by_key);
}

static void expect(struct scene *scene, const char *name)
{
	CLEANUP_FREE char *expected = files_read("save", name, ".conf");
	CLEANUP_FREE char *saved =
		quick_save(scene->text, strlen(scene->text), &scene->config, &scene->allowed, &scene->live);

	ck_assert_msg(!strcmp(saved, expected), "%s:\n%s", name, saved);
	free(scene->text);
	quick_config_clear(&scene->config);
	quick_allowed_clear(&scene->allowed);
}

START_TEST(nothing_happened)
{
	struct scene scene;

	scene_init(&scene);
	expect(&scene, "before");
}
END_TEST

START_TEST(everything_changed)
{
	struct scene scene;

	scene_init(&scene);
	scene.addresses[0] = prefix("10.50.0.3/24");
	scene.live.mtu = 1380;
	scene.live.listen_port = 51821;
	scene.live.port_is_chosen = false;
	scene.live.fwmark = 7;
	scene.live.mark_is_chosen = false;
	peer_of(&scene, 0)->keepalive_s = 0;
	peer_of(&scene, 0)->endpoint = endpoint("198.51.100.1:1");
	scene.one[1] = prefix("10.62.0.0/16");
	peer_of(&scene, 1)->endpoint = endpoint("[2001:db8::1]:2");
	peer_of(&scene, 1)->keepalive_s = 15;
	peer_of(&scene, 1)->preshared_key = (struct key){{0}};
	expect(&scene, "changed");
}
END_TEST

static char *save_again(const char *text, const struct quick_saved *live)
{
	struct quick_config config;
	struct quick_allowed allowed;
	struct err err;
	char *saved;

	ck_assert_int_eq(quick_read("wg0.conf", text, strlen(text), &config, &err), 0);
	quick_allowed_init(&allowed, &config, "wg0.conf", NULL);
	saved = quick_save(text, strlen(text), &config, &allowed, live);
	quick_config_clear(&config);
	quick_allowed_clear(&allowed);
	return saved;
}

/* It is written by its name; what says the same, by name or number, or what nobody tells, is left as it is. */
START_TEST(an_endpoint_roamed_to_a_zone)
{
	static const char *const same[] = {"[fe80::9%7]:51820", "[fe80::9]:51820"};
	static const char zones[][ZONE_TEXT_MAX] = {"eth0", "eth0"};
	struct scene scene;
	struct plan_peer *peer;
	CLEANUP_FREE char *saved = NULL;

	scene_init(&scene);
	scene.live.zones = zones;
	peer = peer_of(&scene, 1);
	peer->endpoint = endpoint("[fe80::9%7]:51820");
	saved = save_again(scene.text, &scene.live);
	ck_assert_msg(strstr(saved, "Endpoint = [fe80::9%eth0]:51820") != NULL, "%s", saved);
	for (size_t i = 0; i < 2; i++) {
		CLEANUP_FREE char *again = NULL;

		peer->endpoint = endpoint(same[i]);
		again = save_again(saved, &scene.live);
		ck_assert_str_eq(again, saved);
	}
	peer->endpoint = endpoint("[fe80::9%8]:51820");
	scene.live.zones = NULL;
	{
		CLEANUP_FREE char *elsewhere = save_again(saved, &scene.live);

		ck_assert_msg(strstr(elsewhere, "Endpoint = [fe80::9%8]:51820") != NULL, "%s", elsewhere);
	}
	free(scene.text);
	quick_config_clear(&scene.config);
	quick_allowed_clear(&scene.allowed);
}
END_TEST

START_TEST(a_peer_went_and_one_came)
{
	struct scene scene;
	struct plan_peer *gone;

	scene_init(&scene);
	gone = peer_of(&scene, 0);
	*gone = (struct plan_peer){.allowed_ips = scene.one, .allowed_ip_count = 1, .keepalive_s = 5};
	ck_assert_int_eq(
		key_parse("ILGYyNoPUNMfVcVUJ+NW/BFo0uPuIAG7fQKyDIe1S2I=", &gone->public_key, NULL), 0);
	qsort(scene.peers, 2, sizeof(scene.peers[0]), by_key);
	expect(&scene, "went-and-came");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("quick-save");
	TCase *tests = tcase_create("save");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tests, nothing_happened);
	tcase_add_test(tests, everything_changed);
	tcase_add_test(tests, an_endpoint_roamed_to_a_zone);
	tcase_add_test(tests, a_peer_went_and_one_came);
	suite_add_tcase(suite, tests);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
