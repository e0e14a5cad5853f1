/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/io/http_head.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base/mem.h"
#include "common/base/text.h"

/* How to refuse: filled by whoever finds the fault. */
struct refusal {
	int *status;
	struct err *err;
};

static int refuse(const struct refusal *refusal, int status, const char *why)
{
	*refusal->status = status;
	return err_set(refusal->err, -EINVAL, "%s", why);
}

/* A bare LF ends a line here, so that such a head is found, and refused, instead of being waited for. */
size_t http_head_length(const char *bytes, size_t size)
{
	const char *at = bytes, *end = bytes + size;

	while ((at = memchr(at, '\n', (size_t)(end - at)))) {
		at++;
		if (at < end && *at == '\n')
			return (size_t)(at + 1 - bytes);
		if (end - at >= 2 && at[0] == '\r' && at[1] == '\n')
			return (size_t)(at + 2 - bytes);
	}
	return 0;
}

/* RFC 9110 5.6.2 */
static bool is_token_character(unsigned char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_token(const char *text)
{
	for (const char *p = text; *p; p++)
		if (!is_token_character((unsigned char)*p))
			return false;
	return *text != '\0';
}

/* The line at *at, terminated in place; *at moves behind it. NULL if it does not end in CR LF or holds CR or NUL. */
static char *take_line(char **at, const char *end)
{
	char *line = *at, *newline = memchr(line, '\n', (size_t)(end - line));
	size_t length;

	if (!newline || newline == line || newline[-1] != '\r')
		return NULL;
	length = (size_t)(newline - 1 - line);
	if (memchr(line, '\r', length) || memchr(line, '\0', length))
		return NULL;
	newline[-1] = '\0';
	*at = newline + 1;
	return line;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int http_percent_decode(char *text, bool plus)
{
	char *to = text;

	for (const char *from = text; *from; from++) {
		int high, low;

		if (*from != '%') {
			*to++ = *from == '+' && plus ? ' ' : *from;
			continue;
		}
		high = hex_digit(from[1]);
		low = high < 0 ? -1 : hex_digit(from[2]);
		if (low < 0 || (high == 0 && low == 0))
			return -EINVAL;
		*to++ = (char)(high << 4 | low);
		from += 2;
	}
	*to = '\0';
	return 0;
}

int http_chunk_size(const char *line, size_t length, uint64_t *ret_size)
{
	uint64_t size = 0;
	size_t i = 0;

	for (; i < length && hex_digit(line[i]) >= 0; i++)
		size = i < 8 ? size << 4 | (unsigned)hex_digit(line[i]) : size;
	if (i == 0 || i > 8 || (i < length && line[i] != ';'))
		return -EINVAL;
	*ret_size = size;
	return 0;
}

/* What proxies send, http://host/path, is taken for its path (RFC 9112 3.2.2). */
static char *skip_authority(char *target)
{
	if (strncasecmp(target, "http://", 7) == 0)
		target += 7;
	else if (strncasecmp(target, "https://", 8) == 0)
		target += 8;
	else
		return target;
	return strchr(target, '/');
}

static int parse_target(char *target, struct http_head *head, const struct refusal *refusal)
{
	char *mark;

	for (const unsigned char *p = (const unsigned char *)target; *p; p++)
		if (*p <= ' ' || *p >= 0x7f || *p == '#')
			return refuse(refusal, 400,
				"a character in the request target that must be percent-encoded");
	target = skip_authority(target);
	if (!target || target[0] != '/')
		return refuse(refusal, 400, "the request target must start with '/'");
	mark = strchr(target, '?');
	if (mark)
		*mark++ = '\0';
	if (http_percent_decode(target, false) < 0)
		return refuse(refusal, 400, "broken percent-encoding in the request target");
	head->path = target;
	head->query = mark ? mark : target + strlen(target);
	return 0;
}

static int parse_version(const char *version, struct http_head *head, const struct refusal *refusal)
{
	if (strcmp(version, "HTTP/1.1") == 0)
		head->minor = 1;
	else if (strcmp(version, "HTTP/1.0") == 0)
		head->minor = 0;
	else if (strncmp(version, "HTTP/", 5) == 0)
		return refuse(refusal, 505, "only HTTP/1.0 and HTTP/1.1 are spoken here");
	else
		return refuse(refusal, 400, "not an HTTP request line");
	return 0;
}

static int parse_request_line(char *line, struct http_head *head, const struct refusal *refusal)
{
	char *target = line ? strchr(line, ' ') : NULL, *version = target ? strchr(target + 1, ' ') : NULL;
	int r;

	if (!version)
		return refuse(refusal, 400, "not an HTTP request line");
	*target++ = '\0';
	*version++ = '\0';
	if (!is_token(line))
		return refuse(refusal, 400, "not an HTTP request line");
	head->method = line;
	r = parse_version(version, head, refusal);
	return r < 0 ? r : parse_target(target, head, refusal);
}

static char *trim(char *value)
{
	size_t length;

	value += strspn(value, " \t");
	length = strlen(value);
	while (length > 0 && (value[length - 1] == ' ' || value[length - 1] == '\t'))
		value[--length] = '\0';
	return value;
}

static int parse_header(char *line, struct http_head *head, const struct refusal *refusal)
{
	char *colon = line ? strchr(line, ':') : NULL;

	if (!colon)
		return refuse(
			refusal, 400, "a header line without ':', or a line that does not end in CR LF");
	if (head->header_count == HTTP_HEADERS_MAX)
		return refuse(refusal, 431, "too many headers");
	*colon = '\0';
	if (!is_token(line))
		return refuse(
			refusal, 400, "a header name with a space or another character that is not allowed");
	for (const unsigned char *p = (const unsigned char *)colon + 1; *p; p++)
		if ((*p < ' ' && *p != '\t') || *p == 0x7f)
			return refuse(refusal, 400, "a control character in a header");
	head->headers[head->header_count++] = (struct http_header){.name = line, .value = trim(colon + 1)};
	return 0;
}

static size_t count(const struct http_head *head, const char *name)
{
	size_t found = 0;

	for (size_t i = 0; i < head->header_count; i++)
		found += strcasecmp(head->headers[i].name, name) == 0;
	return found;
}

const char *http_head_find(const struct http_head *head, const char *name)
{
	for (size_t i = 0; i < head->header_count; i++)
		if (strcasecmp(head->headers[i].name, name) == 0)
			return head->headers[i].value;
	return NULL;
}

static int check_host(const struct http_head *head, const struct refusal *refusal)
{
	size_t hosts = count(head, "Host");
	const char *host = http_head_find(head, "Host");

	if (hosts > 1)
		return refuse(refusal, 400, "more than one Host header");
	if (hosts == 0 && head->minor > 0)
		return refuse(refusal, 400, "HTTP/1.1 without a Host header");
	if (host && strpbrk(host, " \t/@,"))
		return refuse(refusal, 400, "not a host in the Host header");
	return 0;
}

static int check_framing(struct http_head *head, const struct refusal *refusal)
{
	const char *coding = http_head_find(head, "Transfer-Encoding"),
		   *length = http_head_find(head, "Content-Length");

	if (count(head, "Content-Length") > 1)
		return refuse(refusal, 400, "more than one Content-Length header");
	if (count(head, "Transfer-Encoding") > 1)
		return refuse(refusal, 400, "more than one Transfer-Encoding header");
	if (coding && length)
		return refuse(refusal, 400, "both Content-Length and Transfer-Encoding");
	if (coding && (head->minor == 0 || strcasecmp(coding, "chunked") != 0))
		return refuse(refusal, 400, "a Transfer-Encoding other than chunked");
	if (length && text_to_u64(length, 0, INT64_MAX, &head->content_length) < 0)
		return refuse(refusal, 400, "a Content-Length that is not a decimal number");
	head->chunked = coding != NULL;
	if ((head->chunked || head->content_length > 0) &&
		(strcmp(head->method, "GET") == 0 || strcmp(head->method, "HEAD") == 0))
		return refuse(refusal, 400, "a body on GET or HEAD");
	return 0;
}

/* Is this word in the comma-separated lists of all Connection headers? */
static bool connection_says(const struct http_head *head, const char *word)
{
	size_t length = strlen(word);

	for (size_t i = 0; i < head->header_count; i++) {
		if (strcasecmp(head->headers[i].name, "Connection") != 0)
			continue;
		for (const char *p = head->headers[i].value; *p;) {
			p += strspn(p, " \t,");
			if (strcspn(p, " \t,") == length && strncasecmp(p, word, length) == 0)
				return true;
			p += strcspn(p, " \t,");
		}
	}
	return false;
}

static int check_wishes(struct http_head *head, const struct refusal *refusal)
{
	const char *expect = http_head_find(head, "Expect");

	if (expect && strcasecmp(expect, "100-continue") != 0)
		return refuse(refusal, 417, "an Expect header other than 100-continue");
	head->expects_continue = expect && head->minor > 0;
	head->keep_alive =
		head->minor > 0 ? !connection_says(head, "close") : connection_says(head, "keep-alive");
	return 0;
}

static int parse(struct http_head *head, size_t size, const struct refusal *refusal)
{
	char *at = head->text;
	const char *end = at + size - 2; /* the empty line */
	int r = parse_request_line(take_line(&at, end), head, refusal);

	while (r == 0 && at < end)
		r = parse_header(take_line(&at, end), head, refusal);
	if (r == 0)
		r = check_host(head, refusal);
	if (r == 0)
		r = check_framing(head, refusal);
	return r < 0 ? r : check_wishes(head, refusal);
}

int http_head_parse(
	const char *bytes, size_t size, struct http_head *ret_head, int *ret_status, struct err *err)
{
	struct refusal refusal = {.status = ret_status, .err = err};
	struct http_head head = {0};
	int r;

	if (size > HTTP_HEAD_MAX)
		return refuse(&refusal, 431, "the request's headers are too long");
	if (size < 4 || memcmp(bytes + size - 4, "\r\n\r\n", 4) != 0)
		return refuse(&refusal, 400, "a line that does not end in CR LF");
	head.text = mem_new(size + 1, 1);
	memcpy(head.text, bytes, size);
	r = parse(&head, size, &refusal);
	if (r < 0)
		http_head_clear(&head);
	else
		*ret_head = head;
	return r;
}

void http_head_clear(struct http_head *head)
{
	free(head->text);
	*head = (struct http_head){0};
}
