/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <event2/buffer.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/mem.h"
#include "common/io/http_connection.h"
#include "common/json/write.h"

static const struct {
	int status;
	const char *phrase;
} phrases[] = {
	{200, "OK"},
	{201, "Created"},
	{202, "Accepted"},
	{204, "No Content"},
	{304, "Not Modified"},
	{400, "Bad Request"},
	{401, "Unauthorized"},
	{403, "Forbidden"},
	{404, "Not Found"},
	{405, "Method Not Allowed"},
	{408, "Request Timeout"},
	{409, "Conflict"},
	{410, "Gone"},
	{412, "Precondition Failed"},
	{413, "Content Too Large"},
	{415, "Unsupported Media Type"},
	{417, "Expectation Failed"},
	{422, "Unprocessable Content"},
	{428, "Precondition Required"},
	{429, "Too Many Requests"},
	{431, "Request Header Fields Too Large"},
	{500, "Internal Server Error"},
	{501, "Not Implemented"},
	{502, "Bad Gateway"},
	{503, "Service Unavailable"},
	{504, "Gateway Timeout"},
	{505, "HTTP Version Not Supported"},
};

static const struct {
	const char *name;
	enum http_method method;
} methods[] = {
	{"GET", HTTP_GET},
	{"HEAD", HTTP_HEAD},
	{"POST", HTTP_POST},
	{"PUT", HTTP_PUT},
	{"DELETE", HTTP_DELETE},
	{"PATCH", HTTP_PATCH},
};

const char *http_status_phrase(int status)
{
	for (size_t i = 0; i < ARRAY_COUNT(phrases); i++)
		if (phrases[i].status == status)
			return phrases[i].phrase;
	return "Unknown";
}

enum http_method http_method_parse(const char *text)
{
	for (size_t i = 0; i < ARRAY_COUNT(methods); i++)
		if (strcmp(methods[i].name, text) == 0)
			return methods[i].method;
	return 0;
}

void http_methods_text(unsigned set, char *buffer, size_t size)
{
	struct text text = {0};

	for (size_t i = 0; i < ARRAY_COUNT(methods); i++)
		if (set & methods[i].method)
			text_add(&text, "%s%s", text.length > 0 ? ", " : "", methods[i].name);
	text_copy(buffer, size, text.data ? text.data : "");
	text_clear(&text);
}

/* name=value&name=value. Broken ones are left out: to a handler they are absent. */
static void parse_query(struct http_request *request)
{
	char *rest = request->query = mem_text(request->head.query), *word;

	while ((word = strsep(&rest, "&")) && request->parameter_count < HTTP_PARAMETERS_MAX) {
		struct http_parameter parameter = {.name = strsep(&word, "="), .value = word};

		if (!parameter.value)
			parameter.value = parameter.name + strlen(parameter.name);
		if (*parameter.name && http_percent_decode(parameter.name, true) == 0 &&
			http_percent_decode(parameter.value, true) == 0)
			request->parameters[request->parameter_count++] = parameter;
	}
}

struct http_request *http_request_new(struct http_connection *connection, struct http_head *head)
{
	struct http_request *request = mem_new(1, sizeof *request);

	request->connection = connection;
	request->head = *head;
	*head = (struct http_head){0};
	request->method = http_method_parse(request->head.method);
	request->rest = "";
	parse_query(request);
	return request;
}

void http_request_free(struct http_request *request)
{
	mem_wipe(request->body.data, request->body.capacity);
	text_clear(&request->body);
	text_clear(&request->reply_headers);
	free(request->query);
	http_head_clear(&request->head);
	free(request);
}

enum http_method http_request_method(const struct http_request *request)
{
	return request->method;
}

const char *http_request_path(const struct http_request *request)
{
	return request->head.path;
}

const char *http_request_rest(const struct http_request *request)
{
	return request->rest;
}

const char *http_request_header(const struct http_request *request, const char *name)
{
	return http_head_find(&request->head, name);
}

const char *http_request_body(const struct http_request *request, size_t *ret_size)
{
	*ret_size = request->body.length;
	return request->body.data ? request->body.data : "";
}

const struct http_peer *http_request_peer(const struct http_request *request)
{
	return &request->connection->peer;
}

const char *http_request_query(const struct http_request *request, const char *name)
{
	for (size_t i = 0; i < request->parameter_count; i++)
		if (strcmp(request->parameters[i].name, name) == 0)
			return request->parameters[i].value;
	return NULL;
}

static bool path_matches(const char *route, const char *path, const char **ret_rest)
{
	size_t length = strlen(route);

	if (route[length - 1] != '/') {
		*ret_rest = "";
		return strcmp(route, path) == 0;
	}
	*ret_rest = path + length;
	return strncmp(route, path, length) == 0;
}

const struct http_route *http_route_find(
	const struct http_server *server, struct http_request *request, unsigned *ret_allowed)
{
	const struct http_route *found = NULL;
	size_t longest = 0;

	*ret_allowed = 0;
	for (size_t i = 0; i < server->route_count; i++) {
		const struct http_route *route = &server->routes[i];
		size_t length = strlen(route->path);
		const char *rest;

		if (length < longest || !path_matches(route->path, request->head.path, &rest))
			continue;
		if (length > longest) {
			*ret_allowed = 0;
			found = NULL;
		}
		longest = length;
		*ret_allowed |= route->methods | (route->methods & HTTP_GET ? HTTP_HEAD : 0);
		if (route->methods & request->method ||
			(route->methods & HTTP_GET && request->method == HTTP_HEAD))
			found = route;
		request->rest = rest;
	}
	return found;
}

void http_request_hold(struct http_request *request,
	void (*gone)(struct http_request *request, void *context), void *context)
{
	request->gone = gone;
	request->context = context;
}

void http_reply_header(struct http_request *request, const char *name, const char *value)
{
	text_add(&request->reply_headers, "%s: ", name);
	for (const unsigned char *p = (const unsigned char *)value; *p; p++)
		if (*p >= ' ' && *p != 0x7f)
			text_add_bytes(&request->reply_headers, p, 1);
	text_add(&request->reply_headers, "\r\n");
}

static void add_date(struct text *head)
{
	time_t now = time(NULL);
	char date[40];
	struct tm tm;

	gmtime_r(&now, &tm);
	if (strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &tm) > 0)
		text_add(head, "Date: %s\r\n", date);
}

void http_request_tell(const struct http_request *request, int status, const void *body, size_t size)
{
	const struct http_server_options *options = &request->connection->server->options;

	if (options->answered && request->route)
		options->answered(request, status, body, size, options->context);
}

void http_reply(
	struct http_request *request, int status, const char *content_type, const void *body, size_t size)
{
	struct http_connection *connection = request->connection;
	struct evbuffer *output = bufferevent_get_output(connection->bev);
	bool keep_alive = request->head.keep_alive, bodiless = status == 204 || status == 304;
	struct text head = {0};

	connection->server->replies[status]++;
	text_add(&head, "HTTP/1.1 %d %s\r\n", status, http_status_phrase(status));
	add_date(&head);
	if (!bodiless)
		text_add(&head, "Content-Type: %s\r\nContent-Length: %zu\r\n", content_type, size);
	text_add(&head, "Cache-Control: no-store\r\n%s%s%s\r\n",
		connection->server->options.reply_headers ? connection->server->options.reply_headers : "",
		request->reply_headers.data ? request->reply_headers.data : "",
		!keep_alive                ? "Connection: close\r\n"
		: request->head.minor == 0 ? "Connection: keep-alive\r\n"
					   : "");
	evbuffer_add(output, head.data, head.length);
	if (!bodiless && request->method != HTTP_HEAD)
		evbuffer_add(output, body, size);
	text_clear(&head);
	http_request_tell(request, status, body, size);
	connection->request = NULL;
	http_request_free(request);
	http_connection_replied(connection, keep_alive);
}

void http_reply_json(struct http_request *request, int status, char *json_text)
{
	http_reply(request, status, "application/json", json_text, strlen(json_text));
	free(json_text);
}

void http_reply_problem(struct http_request *request, int status, const char *format, ...)
{
	json_t *problem = json_object();
	char *detail = NULL, *text;
	size_t size;
	va_list args;

	va_start(args, format);
	if (vasprintf(&detail, format, args) < 0)
		detail = NULL;
	va_end(args);
	jput_text(problem, "type", "about:blank");
	jput_text(problem, "title", http_status_phrase(status));
	jput_u64(problem, "status", (uint64_t)status);
	jput_text(problem, "detail", detail);
	text = json_compact(problem, &size);
	json_decref(problem);
	free(detail);
	http_reply(request, status, "application/problem+json", text, size);
	free(text);
}
