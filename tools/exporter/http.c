// SPDX-License-Identifier: MIT
/*
 * http.c - a server for one document, on a loopback address.
 *
 * A connection is read until its request's header ends, then written to, then shut
 * down; then what still comes is read and thrown away until the peer closes, for
 * closing on unread bytes would take the answer back. Its deadline never moves.
 */
#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../inspect/util.h"
#include "../views/watch.h"

enum state { READING, WRITING, CLOSING };

struct connection {
	int fd;
	enum state state;
	double deadline;
	char request[HTTP_REQUEST_MAX + 1];
	size_t got;
	char *answer;
	size_t size, sent;
};

struct server {
	const char *path;
	http_document_fn fn;
	void *arg;
	struct connection *connection[HTTP_CONNECTIONS];
	size_t nr;
};

/* ---- listening --------------------------------------------------------------------- */

static bool parse_port(const char *text, in_port_t *port)
{
	long n;

	if (!view_integer(text, 0, 65535, &n))
		return false;
	*port = htons((uint16_t)n);
	return true;
}

/* Only loopback: what a heap looks like is nobody's business on the net. */
static bool parse_address(const char *text, struct sockaddr_storage *sa, socklen_t *len)
{
	struct sockaddr_in *in = (struct sockaddr_in *)sa;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)sa;
	const char *colon = strrchr(text, ':');
	char host[64];

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		return false;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	memset(sa, 0, sizeof(*sa));
	if (!strcmp(host, "[::1]")) {
		in6->sin6_family = AF_INET6;
		in6->sin6_addr = in6addr_loopback;
		*len = sizeof(*in6);
		return parse_port(colon + 1, &in6->sin6_port);
	}
	if (!*host || !strcmp(host, "localhost"))
		strcpy(host, "127.0.0.1");
	in->sin_family = AF_INET;
	*len = sizeof(*in);
	return inet_pton(AF_INET, host, &in->sin_addr) == 1 &&
	       ntohl(in->sin_addr.s_addr) >> 24 == 127 && parse_port(colon + 1, &in->sin_port);
}

int http_listen(const char *address, int *port, char **error)
{
	struct sockaddr_storage sa;
	socklen_t len;
	int fd, on = 1;

	if (!parse_address(address, &sa, &len)) {
		*error = xasprintf("%s: not a loopback address and a port, such as "
				   "127.0.0.1:9877 or [::1]:9877", address);
		return -1;
	}
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0) {
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
		if (!bind(fd, (struct sockaddr *)&sa, len) && !listen(fd, HTTP_CONNECTIONS) &&
		    !getsockname(fd, (struct sockaddr *)&sa, &len)) {
			*port = ntohs(sa.ss_family == AF_INET6 ?
				      ((struct sockaddr_in6 *)&sa)->sin6_port :
				      ((struct sockaddr_in *)&sa)->sin_port);
			return fd;
		}
	}
	*error = xasprintf("%s: %s", address, strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

/* ---- a request ------------------------------------------------------------------------ */

static void answer(struct connection *c, const char *status, const char *type,
		   const char *more, const char *body, size_t size, bool with_body)
{
	char *header = xasprintf("HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n"
				 "%sConnection: close\r\n\r\n", status, type, size, more);
	size_t length = strlen(header);

	c->answer = xrealloc(header, length + size, 1);
	if (with_body)
		memcpy(c->answer + length, body, size);
	c->size = length + (with_body ? size : 0);
	c->state = WRITING;
}

static void answer_error(struct connection *c, const char *status, const char *more)
{
	char *body = xasprintf("%s\n", status);

	answer(c, status, "text/plain; charset=utf-8", more, body, strlen(body), true);
	free(body);
}

/* The request line is "METHOD PATH HTTP/1.x"; the rest of the header says nothing to us. */
static void handle(struct server *s, struct connection *c)
{
	char method[16], path[1024], version[16];
	bool head;
	char *body;
	size_t size;

	if (sscanf(c->request, "%15s %1023s %15[^\r\n]", method, path, version) != 3 ||
	    strncmp(version, "HTTP/1.", 7)) {
		answer_error(c, "400 Bad Request", "");
		return;
	}
	head = !strcmp(method, "HEAD");
	if (!head && strcmp(method, "GET")) {
		answer_error(c, "405 Method Not Allowed", "Allow: GET, HEAD\r\n");
		return;
	}
	path[strcspn(path, "?")] = '\0';
	if (strcmp(path, s->path)) {
		answer_error(c, "404 Not Found", "");
		return;
	}
	body = s->fn(s->arg, &size);
	if (body)
		answer(c, "200 OK", "text/plain; version=0.0.4; charset=utf-8", "", body, size,
		       !head);
	else
		answer_error(c, "500 Internal Server Error", "");
	free(body);
}

/* ---- connections ------------------------------------------------------------------------ */

/* Each of these: false when the connection is over. */
static bool on_readable(struct server *s, struct connection *c)
{
	ssize_t n = read(c->fd, c->request + c->got, HTTP_REQUEST_MAX - c->got);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n == 0)
		return false;
	c->got += (size_t)n;
	c->request[c->got] = '\0';
	if (memmem(c->request, c->got, "\r\n\r\n", 4) || memmem(c->request, c->got, "\n\n", 2))
		handle(s, c);
	else if (c->got == HTTP_REQUEST_MAX)
		answer_error(c, "431 Request Header Fields Too Large", "");
	return true;
}

static bool on_writable(struct connection *c)
{
	ssize_t n = send(c->fd, c->answer + c->sent, c->size - c->sent, MSG_NOSIGNAL);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	c->sent += (size_t)n;
	if (c->sent == c->size) {
		shutdown(c->fd, SHUT_WR);
		c->state = CLOSING;
	}
	return true;
}

static bool on_late(struct connection *c)
{
	char trash[4096];
	ssize_t n = read(c->fd, trash, sizeof(trash));

	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

static bool proceed(struct server *s, struct connection *c)
{
	switch (c->state) {
	case READING:
		return on_readable(s, c);
	case WRITING:
		return on_writable(c);
	default:
		return on_late(c);
	}
}

static void drop(struct server *s, size_t i)
{
	close(s->connection[i]->fd);
	free(s->connection[i]->answer);
	free(s->connection[i]);
	s->connection[i] = s->connection[--s->nr];
}

static void take_new(struct server *s, int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct connection *c;

	if (fd < 0) {
		/* Out of descriptors: it would come back at once. */
		if (errno == EMFILE || errno == ENFILE)
			usleep(100000);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->fd = fd;
	c->deadline = watch_now() + HTTP_SECONDS;
	s->connection[s->nr++] = c;
}

void http_serve(int listener, const char *path, http_document_fn fn, void *arg,
		const volatile sig_atomic_t *stop)
{
	struct server s = { .path = path, .fn = fn, .arg = arg };

	while (!*stop) {
		struct pollfd p[HTTP_CONNECTIONS + 1];
		size_t nr = s.nr;

		for (size_t i = 0; i < nr; i++)
			p[i] = (struct pollfd){ .fd = s.connection[i]->fd,
				.events = s.connection[i]->state == WRITING ? POLLOUT : POLLIN };
		/* When all places are taken others wait in the listener's queue. */
		p[nr] = (struct pollfd){ .fd = nr < HTTP_CONNECTIONS ? listener : -1,
			.events = POLLIN };
		if (poll(p, nr + 1, 1000) < 0 && errno != EINTR)
			break;
		/* Downwards: drop() moves the last one into the gap. */
		for (size_t i = nr; i-- > 0;) {
			struct connection *c = s.connection[i];
			bool on = c->deadline > watch_now();

			if (on && (p[i].revents & ~POLLNVAL))
				on = proceed(&s, c);
			if (!on)
				drop(&s, i);
		}
		if (p[nr].revents & POLLIN)
			take_new(&s, listener);
	}
	while (s.nr)
		drop(&s, s.nr - 1);
}
