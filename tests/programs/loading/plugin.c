/* A plugin that needs libcurl: fetches, prints code and status. */
#include <curl/curl.h>
#include <stdio.h>

int plugin_fetch(const char *url);

static size_t swallow(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    return size * count;
}

int plugin_fetch(const char *url)
{
    long status = 0;
    CURL *easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
    CURLcode code = curl_easy_perform(easy);
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    printf("%d %ld\n", (int)code, status);
    curl_easy_cleanup(easy);
    return 0;
}
