/* SPDX-License-Identifier: MIT */
/*
 * http.h - a server for one document, on a loopback address.
 *
 * HTTP/1.0 and 1.1, GET and HEAD, one request a connection. At most
 * HTTP_CONNECTIONS at a time, HTTP_REQUEST_MAX bytes of request, and
 * HTTP_SECONDS from a connection's beginning to its end; who is slower or talks more is
 * dropped. All connections are served by turns, so that a slow one holds up nobody.
 */
#ifndef TOOLS_EXPORTER_HTTP_H
#define TOOLS_EXPORTER_HTTP_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>

#define HTTP_CONNECTIONS	32
#define HTTP_REQUEST_MAX	8192
#define HTTP_SECONDS		10

/* The document as it is now, to be freed, *@size bytes; NULL if it can't be had. */
typedef char *(*http_document_fn)(void *arg, size_t *size);

/*
 * Listens on @address, "127.0.0.1:9877", "[::1]:9877" or ":9877"; port 0: any. The
 * descriptor; -1: *@error, to be freed. *@port is the one it got.
 */
int http_listen(const char *address, int *port, char **error);

/* Serves the document at @path until *@stop. */
void http_serve(int listener, const char *path, http_document_fn fn, void *arg,
		const volatile sig_atomic_t *stop);

#endif /* TOOLS_EXPORTER_HTTP_H */
