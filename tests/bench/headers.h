/* The headers that a program adds by itself, where the bench compares that with what a rule adds. */
#ifndef GUSSET_BENCH_HEADERS_H
#define GUSSET_BENCH_HEADERS_H

#include <curl/curl.h>

static inline struct curl_slist *headers_own(void)
{
    struct curl_slist *list = NULL;

    list = curl_slist_append(list, "X-Request-Id: 0b7c4f5e-2d1a-4c3b-9e8f-7a6b5c4d3e2f");
    list = curl_slist_append(list, "X-Tenant-Id: tenant-42");
    return curl_slist_append(list, "X-Project-Id: project-7");
}

#endif
