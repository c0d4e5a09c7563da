/* Header lines, beside CURLOPT_HEADER or not. */
#include "odd.h"

#include <string.h>

/* header URL ...: with CURLOPT_HEADER, on one handle */
void header(void)
{
    for (; *arguments; arguments++) {
        go_to(*arguments);
        curl_easy_setopt(easy, CURLOPT_HEADER, 1L);
        perform();
    }
}

static size_t name_header(char *bytes, size_t size, size_t count, void *data)
{
    (void)data;
    printf("< %.*s", (int)(size * count), bytes);
    return size * count;
}

/* blocks URL [h2|PROXY] [plain]: every header line, beside CURLOPT_HEADER or not */
void blocks(void)
{
    go_to(*arguments++);
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(easy, CURLOPT_HEADER, 1L);
    for (; *arguments; arguments++) {
        if (strcmp(*arguments, "h2") == 0) {
            curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2_0);
        } else if (strcmp(*arguments, "plain") == 0) {
            curl_easy_setopt(easy, CURLOPT_HEADER, 0L);
            curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, name_header);
        } else {
            curl_easy_setopt(easy, CURLOPT_PROXY, *arguments);
            curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
        }
    }
    perform();
}
