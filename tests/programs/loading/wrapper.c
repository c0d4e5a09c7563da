/* Another preload library that wraps curl: says so, and hands on to what is behind it. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>

CURLcode curl_easy_perform(CURL *easy)
{
    CURLcode (*next)(CURL *);
    void *library = dlopen("libcurl.so.4", RTLD_LAZY);

    *(void **)&next = dlsym(RTLD_NEXT, "curl_easy_perform");
    if (!next) /* not everywhere in the global scope */
        *(void **)&next = dlsym(library, "curl_easy_perform");
    fprintf(stderr, "wrapped\n");
    return next(easy);
}
