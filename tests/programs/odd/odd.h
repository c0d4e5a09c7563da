/* What the scenarios of the client share; each takes its words from arguments. */
#ifndef GUSSET_PROGRAMS_ODD_H
#define GUSSET_PROGRAMS_ODD_H

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

extern CURL *easy;
extern char **arguments;
extern int calls; /* of the scenario's callback */

/* borrowed.c */
void data(void);
void null(void);
void mail(void);
void unified(void);

/* blocks.c */
void header(void);
void blocks(void);

/* inside.c */
void lists(void);
void hears(void);
void limit_inside(void);
void freed(void);

/* uploads.c */
void form(void);
void keep(void);
void file(void);
void early(void);

/* callbacks.c */
void slow(void);
void nested(void);

/* sockets.c */
void unix_socket(void);
void refused(void);
void connect_twice(void);

static inline void nap_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static inline CURLcode perform(void)
{
    long status = 0;
    CURLcode code = curl_easy_perform(easy);

    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    printf("result %d status %ld\n", (int)code, status);
    return code;
}

static inline void go_to(const char *url)
{
    if (!easy)
        easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
}

static inline size_t count_only(char *bytes, size_t size, size_t count, void *data)
{
    (void)bytes, (void)data;
    return size * count;
}

/* Not the data that a write callback gets where the program set none. */
static inline void be_quiet(void)
{
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, count_only);
}

#endif
