/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "controller/core/fleet/difference.h"
#include "tests/unit/fleet/sample.h"

/*
 * Right fleets with something broken at random: lines gone, twice, moved, taken from another fleet; words exchanged; other
 * digits; bytes flipped; the end cut off. Whatever it is: either mistakes are told with their places, and there is no fleet
 * that anything could be made of; or there is one, every gateway takes what it becomes, and where the fleet it was made
 * from is in force the change leads to just that state. FLEET_MUTATIONS says how many (2,000); FLEET_SEED begins elsewhere.
 */
enum { MUTATIONS = 2000, CHANGES_MAX = 4, GROWTH_MAX = 65536 };

static uint64_t state;

/* xorshift64 (Marsaglia, 2003): the same on every machine. */
static uint64_t random_below(uint64_t end)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return end ? state % end : 0;
}

static uint64_t number_from(const char *name, uint64_t other)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 10) : other;
}

/* Where the line around `at` begins, and its length with its end. */
static size_t line_at(const char *text, size_t at, size_t *ret_length)
{
	while (at && text[at - 1] != '\n')
		at--;
	*ret_length = strcspn(text + at, "\n");
	*ret_length += text[at + *ret_length] == '\n';
	return at;
}

/* `length` bytes at `at` become these. */
static char *replace(char *text, size_t at, size_t length, const char *by, size_t by_length)
{
	size_t size = strlen(text);
	char *to = mem_new(size - length + by_length + 1, 1);

	memcpy(to, text, at);
	memcpy(to + at, by, by_length);
	memcpy(to + at + by_length, text + at + length, size - at - length);
	free(text);
	return to;
}

static char *change_lines(char *text, const char *other)
{
	size_t length, other_length, at = line_at(text, (size_t)random_below(strlen(text)), &length);
	size_t from = line_at(other, (size_t)random_below(strlen(other)), &other_length);

	switch (random_below(3)) {
	case 0: /* gone */
		return replace(text, at, length, "", 0);
	case 1: /* another's instead */
		return replace(text, at, length, other + from, other_length);
	default: /* another's before it */
		return replace(text, at, 0, other + from, other_length);
	}
}

static size_t word_at(const char *text, size_t at, size_t *ret_length)
{
	static const char ends[] = " \n{}[],:\"";

	while (at && !strchr(ends, text[at - 1]))
		at--;
	*ret_length = strcspn(text + at, ends);
	return at;
}

static char *change_word(char *text, const char *other)
{
	static const char *const words[] = {"", "null", "~", "[]", "{}", "*x", "&x", "<<", "!!str", "-1", "0",
		"4294967296", "18446744073709551616", "::/0", "\"::/0\"", "0.0.0.0/0", "any", "off", "- ",
		"? ", "|\n", "\"", "'", "%", "@", "1e9", "0x7fffffffffffffff", "2027-03-31", "gw-a", "wg0",
		"../..", "\t", "\r", "\xff", "\xf0\x9f\x92\xa9", "\x01"};
	size_t length, other_length, at = word_at(text, (size_t)random_below(strlen(text)), &length);
	size_t from = word_at(other, (size_t)random_below(strlen(other)), &other_length);
	const char *word = words[random_below(ARRAY_COUNT(words))];

	if (random_below(2))
		return replace(text, at, length, word, strlen(word));
	return replace(text, at, length, other + from, other_length);
}

/* Mostly it stays a fleet, and another one. */
static char *change_digit(char *text)
{
	size_t at = (size_t)random_below(strlen(text));

	at += strcspn(text + at, "0123456789");
	if (text[at])
		text[at] = (char)('0' + random_below(10));
	return text;
}

static char *change(char *text, const char *other)
{
	size_t size = strlen(text), at = (size_t)random_below(size);
	char byte = (char)(1 + random_below(255));

	if (size < 2 || size > GROWTH_MAX)
		return text;
	switch (random_below(10)) {
	case 0:
		return replace(text, at, 1, &byte, 1);
	case 1:
		return replace(text, at, 0, &byte, 1);
	case 2:
		return random_below(8) ? replace(text, at, 1, "", 0) : replace(text, at, size - at, "", 0);
	case 3:
	case 4:
		return change_lines(text, other);
	case 5:
	case 6:
		return change_digit(text);
	default:
		return change_word(text, other);
	}
}

/* A right fleet that is in force: what each gateway holds. */
struct held {
	char *text;
	struct fleet *fleet;
	struct desired **states; /* of its gateways, in their order */
	char **encoded;          /* of the states */
};

static struct held hold(const char *path)
{
	struct held held = {.text = sample_text(path)};

	free(sample_read_text("fleet.yaml", held.text, &held.fleet));
	ck_assert_ptr_nonnull(held.fleet);
	held.states = mem_new(held.fleet->gateway_count, sizeof(*held.states));
	held.encoded = mem_new(held.fleet->gateway_count, sizeof(*held.encoded));
	for (size_t i = 0; i < held.fleet->gateway_count; i++) {
		held.states[i] = sample_compile(held.fleet, held.fleet->gateways[i].name);
		held.encoded[i] = desired_encode(held.states[i]);
	}
	return held;
}

static void let_go(struct held *held)
{
	for (size_t i = 0; i < held->fleet->gateway_count; i++) {
		desired_free(held->states[i]);
		free(held->encoded[i]);
	}
	free(held->states);
	free(held->encoded);
	fleet_free(held->fleet);
	free(held->text);
}

/* States are longer than a message of Check's may be. */
static void check_same(const char *found, const char *expected, const char *text)
{
	if (!strcmp(found, expected))
		return;
	fprintf(stderr, "%s\n-- is not --\n%s\n", found, expected);
	ck_abort_msg("two states differ (see above), of\n%s", text);
}

static void check_untouched(const struct held *held, const char *text)
{
	for (size_t i = 0; i < held->fleet->gateway_count; i++) {
		char *now = desired_encode(held->states[i]);

		check_same(now, held->encoded[i], text);
		free(now);
	}
}

/* NULL: it is new to the fleet. */
static const struct desired *state_of(const struct held *held, const char *gateway)
{
	const struct fleet_gateway *found = fleet_find_gateway(held->fleet, gateway);

	return found ? held->states[found - held->fleet->gateways] : NULL;
}

static void check_taken(const char *json, const char *text)
{
	struct desired *back = NULL;
	struct err err = {0};

	ck_assert_msg(!desired_decode(json, strlen(json), &back, &err), "%s: %s", err.text, text);
	desired_free(back);
}

/* The change as it travels. */
static struct desired_delta *send_change(
	const struct desired *from, const struct desired *to, const char *text)
{
	struct desired_delta *delta = desired_diff(from, to), *arrived = NULL;
	char *json = desired_delta_encode(delta);
	struct err err = {0};

	ck_assert_msg(!desired_delta_decode(json, strlen(json), &arrived, &err), "%s: %s", err.text, text);
	desired_delta_free(delta);
	free(json);
	return arrived;
}

/* An agent has a state of its own, and gives it up for the next one. */
static void check_led_to(
	const struct desired *from, const struct desired *to, const char *expected, const char *text)
{
	struct desired_delta *delta = send_change(from, to, text);
	struct desired *own = from ? desired_copy(from) : NULL, *next = NULL;
	struct err err = {0};
	char *found;

	ck_assert_msg(!desired_patch(own, delta, &next, &err), "%s: %s", err.text, text);
	desired_free(own);
	desired_delta_free(delta);
	found = desired_encode(next);
	check_same(found, expected, text);
	desired_free(next);
	free(found);
}

/* But for what plans leave alone: its generation and its partners. The caller frees. */
static char *encode_planned(const struct desired *desired)
{
	struct desired *copy = desired_copy(desired);
	char *json;

	copy->generation = 0;
	copy->partner_count = 0;
	json = desired_encode(copy);
	desired_free(copy);
	return json;
}

/* What is told of a change is nothing if, and only if, nothing changes. */
static void check_told(const struct desired *from, const struct desired *to, const char *text)
{
	struct text lines = {0};
	size_t count = fleet_difference(from, to, &lines);
	char *before = encode_planned(from), *after = encode_planned(to);

	if (count)
		ck_assert_msg(
			strcmp(before, after) != 0, "%s-- is told of nothing: --\n%s", lines.data, text);
	else
		check_same(after, before, text);
	text_clear(&lines);
	free(before);
	free(after);
}

static void check_applied(const struct held *held, const struct fleet *fleet, const char *text)
{
	for (size_t i = 0; i < fleet->gateway_count; i++) {
		struct desired *to = sample_compile(fleet, fleet->gateways[i].name);
		const struct desired *from = state_of(held, fleet->gateways[i].name);
		char *json;

		to->generation = 2;
		json = desired_encode(to);
		check_taken(json, text);
		check_led_to(from, to, json, text);
		if (from)
			check_told(from, to, text);
		desired_free(to);
		free(json);
	}
}

/* Each line that is said has a place: "fleet.yaml:3:5: ". */
static void check_places(const char *found, const char *text)
{
	for (const char *line = found; *line; line = strchr(line, '\n') + 1) {
		unsigned number, column;
		int end = 0;

		ck_assert_msg(sscanf(line, "fleet.yaml:%u:%u: %n", &number, &column, &end) == 2 && end &&
				      number && column,
			"%s\n-- of --\n%s", found, text);
	}
}

/* One that was refused, as if it had been in force once: what is made of it gateways take as well. */
static void try_stored(const struct held *held, const char *text)
{
	struct fleet_source source = {.name = "fleet.yaml", .text = text, .size = strlen(text)};
	struct diagnostics diagnostics = {0};
	struct fleet *fleet = NULL;

	ck_assert_int_eq(!fleet_read_stored(&source, 1, &fleet, &diagnostics), !diagnostics.errors);
	if (fleet)
		check_applied(held, fleet, text);
	diagnostics_clear(&diagnostics);
	fleet_free(fleet);
}

/* True if it is still a fleet. */
static bool try(const struct held *held, const char *text)
{
	struct fleet *fleet = NULL;
	char *found = sample_read_text("fleet.yaml", text, &fleet);
	bool is_fleet = fleet != NULL;

	check_places(found, text);
	if (fleet)
		check_applied(held, fleet, text);
	else
		try_stored(held, text);
	check_untouched(held, text);
	fleet_free(fleet);
	free(found);
	return is_fleet;
}

START_TEST(whatever_is_broken_is_told_or_harmless)
{
	struct sample_files files = sample_list("right");
	uint64_t count = number_from("FLEET_MUTATIONS", MUTATIONS), right = 0;
	struct held *held = mem_new(files.count, sizeof(*held));

	state = number_from("FLEET_SEED", 1) * 0x9e3779b97f4a7c15u | 1;
	for (size_t i = 0; i < files.count; i++)
		held[i] = hold(files.paths[i]);
	for (uint64_t i = 0; i < count; i++) {
		const struct held *original = &held[random_below(files.count)];
		char *text = mem_text(original->text);

		for (uint64_t changes = 1 + random_below(CHANGES_MAX); changes; changes--)
			text = change(text, held[random_below(files.count)].text);
		right += try(original, text);
		free(text);
	}
	printf("%" PRIu64 " mutations: %" PRIu64 " still a fleet\n", count, right);
	/* Neither all nor nothing: it reaches the reader, and beyond it. */
	ck_assert_uint_gt(right, count / 100);
	ck_assert_uint_lt(right, count - count / 10);
	for (size_t i = 0; i < files.count; i++)
		let_go(&held[i]);
	free(held);
	sample_files_clear(&files);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mutations");
	TCase *tcase = tcase_create("mutations");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(tcase, 0); /* the caller's: soak asks for many */
	tcase_add_test(tcase, whatever_is_broken_is_told_or_harmless);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
