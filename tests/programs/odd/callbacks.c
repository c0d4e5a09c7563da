/* Callbacks that block, and such as are left by longjmp. */
#include "odd.h"

#include <setjmp.h>

static size_t block(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    if (!calls++)
        nap_ms(1300);
    return size * count;
}

void slow(void) /* slow URL: the first write blocks for 1.3 s */
{
    go_to(*arguments);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, block);
    perform();
}

static jmp_buf out;

static size_t leave(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)size, (void)count, (void)data;
    longjmp(out, 1);
}

static size_t leave_another(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    if (!calls++) {
        CURL *volatile inner = curl_easy_init();
        curl_easy_setopt(inner, CURLOPT_URL, arguments[1]);
        curl_easy_setopt(inner, CURLOPT_WRITEFUNCTION, leave);
        if (setjmp(out) == 0)
            printf("inner %d\n", (int)curl_easy_perform(inner));
        else
            printf("inner left\n");
        curl_easy_cleanup(inner);
    }
    printf("write\n");
    return size * count;
}

void nested(void) /* nested URL INNER-URL */
{
    go_to(*arguments);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, leave_another);
    perform();
    calls = 0;
    perform();
}
