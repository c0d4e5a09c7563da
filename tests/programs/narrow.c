/*
 * narrow KIB URL...: a GET of each URL by a thread of its own, whose stack is so small (0: as large as
 * usual). Prints each call's result.
 */
#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static size_t swallow(char *data, size_t size, size_t count, void *context)
{
    (void)data;
    (void)context;
    return size * count;
}

static void *get(void *url)
{
    CURL *easy = curl_easy_init();

    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, swallow);
    printf("%d\n", curl_easy_perform(easy));
    curl_easy_cleanup(easy);
    return NULL;
}

int main(int count, char **words)
{
    size_t size = count > 1 ? strtoul(words[1], NULL, 10) * 1024 : 0;
    pthread_attr_t stack;

    curl_global_init(CURL_GLOBAL_DEFAULT);
    pthread_attr_init(&stack);
    if (size > 0 && pthread_attr_setstacksize(&stack, size) != 0)
        return 2;
    for (int i = 2; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &stack, get, words[i]) != 0)
            return 2;
        pthread_join(thread, NULL);
    }
    return 0;
}
