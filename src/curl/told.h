/*
 * What curl_easy_getinfo says of a transfer that was not all libcurl's own: of a reply that no server sent
 * (curl/made.h), where libcurl saw another URL than the program's. It holds until the handle's next transfer.
 */
#ifndef GUSSET_CURL_TOLD_H
#define GUSSET_CURL_TOLD_H

#include <curl/curl.h>
#include <stdbool.h>

struct handle;

struct told {
    char *url;     /* CURLINFO_EFFECTIVE_URL; libcurl's memory */
    bool is_https; /* CURLINFO_SCHEME and CURLINFO_PROTOCOL, where libcurl saw http */
};

/* curl_easy_getinfo of a handle of which something is told otherwise. out: where the answer goes. */
CURLcode told_info(const struct handle *handle, CURLINFO info, void *out);

/* As if the transfer went where the program's options say. Without memory libcurl's own answers remain. */
void told_pretend(struct handle *handle);

/* The handle's next transfer begins: libcurl answers again. */
void told_forget(struct handle *handle);

#endif
