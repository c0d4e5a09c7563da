/* Bodies of requests: by readers, in forms, from files. */
#include "odd.h"

#include <string.h>

static const char stream[] = "stream-data";
static size_t left;

static size_t read_stream(char *bytes, size_t size, size_t count, void *data)
{
    size_t give = left < size * count ? left : size * count;

    memcpy(bytes, (char *)data + sizeof stream - 1 - left, give);
    left -= give;
    return give;
}

void form(void) /* form URL: PUT by a reader, then a form whose part the same reader gives */
{
    struct curl_httppost *first = NULL, *last = NULL;

    go_to(*arguments);
    be_quiet();
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_stream);
    curl_easy_setopt(easy, CURLOPT_READDATA, stream);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE, (long)sizeof stream - 1);
    left = sizeof stream - 1;
    perform();
    left = sizeof stream - 1;
    curl_formadd(&first, &last, CURLFORM_COPYNAME, "f", CURLFORM_STREAM, stream, CURLFORM_CONTENTSLENGTH,
                 (long)sizeof stream - 1, CURLFORM_FILENAME, "x", CURLFORM_END);
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 0L);
    curl_easy_setopt(easy, CURLOPT_HTTPPOST, first);
    perform();
    printf("left %zu\n", left);
}

static long position;

static size_t read_letters(char *bytes, size_t size, size_t count, void *data)
{
    size_t i = 0;

    (void)data;
    for (; i < size * count && position < 3000000; i++, position++)
        bytes[i] = (char)('0' + position / 100000 % 60);
    return i;
}

static int seek_letters(void *data, curl_off_t offset, int origin)
{
    (void)data, (void)origin;
    position = (long)offset;
    return CURL_SEEKFUNC_OK;
}

static struct curl_slist *no_expect(void)
{
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    return headers;
}

/* keep URL [once]: 3 MB in chunks, and CURLOPT_KEEP_SENDING_ON_ERROR; once: it cannot go back */
void keep(void)
{
    go_to(*arguments);
    no_expect();
    be_quiet();
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, read_letters);
    if (!arguments[1])
        curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, seek_letters);
    curl_easy_setopt(easy, CURLOPT_KEEP_SENDING_ON_ERROR, 1L);
    perform();
}

void file(void) /* file URL FILE: libcurl's own reader, follows redirects */
{
    FILE *from = fopen(arguments[1], "rb");

    if (!from)
        exit(2);
    fseek(from, 0, SEEK_END);
    go_to(*arguments);
    be_quiet();
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READDATA, from);
    curl_easy_setopt(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t)ftell(from));
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    rewind(from);
    perform();
}

static size_t drip(char *bytes, size_t size, size_t count, void *data)
{
    (void)size, (void)count, (void)data;
    if (calls++ >= 5)
        return 0;
    nap_ms(100);
    *bytes = 'x';
    return 1;
}

void early(void) /* early URL: the reply begins before the upload ends */
{
    go_to(*arguments);
    no_expect();
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, drip);
    perform();
}
