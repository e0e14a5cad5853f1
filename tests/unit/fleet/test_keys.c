/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "controller/core/fleet/keys.h"
#include "tests/unit/fleet/sample.h"

/* deploy/fleet.schema.json knows the keys that the reader knows, in each mapping: no more and no fewer. */

static json_t *load(void)
{
	char *text = sample_text("deploy/fleet.schema.json");
	json_t *schema;

	ck_assert_ptr_nonnull(text);
	schema = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(schema);
	free(text);
	return schema;
}

static json_t *resolve(json_t *root, json_t *schema)
{
	static const char prefix[] = "#/definitions/";
	const char *ref;

	while ((ref = json_string_value(json_object_get(schema, "$ref")))) {
		ck_assert_int_eq(strncmp(ref, prefix, strlen(prefix)), 0);
		schema = json_object_get(json_object_get(root, "definitions"), ref + strlen(prefix));
		ck_assert_ptr_nonnull(schema);
	}
	return schema;
}

static json_t *properties_in(json_t *root, json_t *schema, const char *way);

/* What stands for it: all of some, or one of some. */
static json_t *properties_among(json_t *root, json_t *schemas, const char *way)
{
	for (size_t i = 0; i < json_array_size(schemas); i++) {
		json_t *found = properties_in(root, json_array_get(schemas, i), way);

		if (found)
			return found;
	}
	return NULL;
}

/* Along the way: * is any name, or any item. */
static json_t *properties_in(json_t *root, json_t *schema, const char *way)
{
	char step[64];
	size_t length = strcspn(way, ".");
	const char *rest = way[length] ? way + length + 1 : way + length;
	json_t *found = NULL;

	schema = resolve(root, schema);
	ck_assert_uint_lt(length, sizeof(step));
	memcpy(step, way, length);
	step[length] = '\0';
	if (!length && json_object_get(schema, "properties"))
		return json_object_get(schema, "properties");
	if (!strcmp(step, "*") && json_is_object(json_object_get(schema, "additionalProperties")))
		found = properties_in(root, json_object_get(schema, "additionalProperties"), rest);
	else if (!strcmp(step, "*") && json_object_get(schema, "items"))
		found = properties_in(root, json_object_get(schema, "items"), rest);
	else if (length && json_object_get(json_object_get(schema, "properties"), step))
		found = properties_in(
			root, json_object_get(json_object_get(schema, "properties"), step), rest);
	if (!found)
		found = properties_among(root, json_object_get(schema, "allOf"), way);
	return found ? found : properties_among(root, json_object_get(schema, "anyOf"), way);
}

static bool is_listed(const char *const keys[], const char *key)
{
	for (; *keys; keys++)
		if (!strcmp(*keys, key))
			return true;
	return false;
}

START_TEST(schema_and_reader_know_the_same_keys)
{
	json_t *schema = load();

	for (size_t i = 0; i < FLEET_MAPPINGS; i++) {
		const struct fleet_keys *keys = &fleet_keys[i];
		json_t *properties = properties_in(schema, schema, keys->where), *value;
		const char *key;

		ck_assert_msg(properties != NULL, "the schema has no mapping %s", keys->where);
		for (size_t k = 0; keys->known[k]; k++)
			ck_assert_msg(json_object_get(properties, keys->known[k]) != NULL,
				"%s: \"%s\" is not in the schema", keys->where, keys->known[k]);
		json_object_foreach(properties, key, value) ck_assert_msg(
			is_listed(keys->known, key), "%s: the reader does not know \"%s\"", keys->where, key);
	}
	json_decref(schema);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("fleet keys");
	TCase *tcase = tcase_create("fleet keys");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, schema_and_reader_know_the_same_keys);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
