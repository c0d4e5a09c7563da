/* What gusset borrows while a call is under way: callbacks and their data, headers. */
#include "odd.h"

static size_t name_data(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes;
    printf("userdata %s\n", !data ? "NULL" : data == stdout ? "stdout" : data == stdin ? "stdin" : "other");
    return size * count;
}

static size_t name_data_once(char *bytes, size_t size, size_t count, void *data)
{
    (void)size, (void)count;
    if (calls++)
        return 0;
    name_data(bytes, 0, 0, data);
    *bytes = 'x';
    return 1;
}

/* data URL ...: only the functions are set */
void data(void)
{
    for (; *arguments; arguments++) {
        go_to(*arguments);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, name_data);
        perform();
    }
    curl_easy_setopt(easy, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(easy, CURLOPT_READFUNCTION, name_data_once);
    perform();
}

/* null URL ...: the data is set, and NULL */
void null(void)
{
    go_to(*arguments);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, NULL);
    curl_easy_setopt(easy, CURLOPT_READDATA, NULL);
    data();
}

void mail(void) /* mail HTTP-URL SMTP-URL */
{
    go_to(arguments[0]);
    be_quiet();
    perform();
    curl_mime *mime = curl_mime_init(easy);
    curl_mime_data(curl_mime_addpart(mime), "hello", 5);
    struct curl_slist *to = curl_slist_append(NULL, "<bob@example.org>");
    go_to(arguments[1]);
    curl_easy_setopt(easy, CURLOPT_MAIL_FROM, "<a@example.org>");
    curl_easy_setopt(easy, CURLOPT_MAIL_RCPT, to);
    curl_easy_setopt(easy, CURLOPT_MIMEPOST, mime);
    perform();
}

void unified(void) /* unified URL */
{
    go_to(*arguments);
    be_quiet();
    curl_easy_setopt(easy, CURLOPT_HEADEROPT, CURLHEADER_UNIFIED);
    curl_easy_setopt(easy, CURLOPT_HTTPPROXYTUNNEL, 1L);
    perform();
}
