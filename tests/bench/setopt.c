/*
 * What one curl_easy_setopt takes: of a word, and of the URL, which libcurl copies.
 *   setopt N
 * Prints: ns a word, ns a URL; of twenty shares of N, the quickest.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

enum { SHARES = 20 };

static double word_ns(CURL *easy, long rounds)
{
    long places[2];
    double began_ns = clock_ns();

    for (long i = 0; i < rounds; i++)
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &places[i & 1]);
    return (clock_ns() - began_ns) / (double)rounds;
}

static double url_ns(CURL *easy, long rounds)
{
    static const char *const urls[] = {"http://api.example.com:8080/v1/things?page=1",
                                       "http://api.example.com:8080/v1/things?page=2"};
    double began_ns = clock_ns();

    for (long i = 0; i < rounds; i++)
        curl_easy_setopt(easy, CURLOPT_URL, urls[i & 1]);
    return (clock_ns() - began_ns) / (double)rounds;
}

/* Whoever else uses the machine only makes it slower, so the quickest share is the truest. */
static double quickest(double (*measure)(CURL *easy, long rounds), CURL *easy, long rounds)
{
    double best = measure(easy, rounds);

    for (int i = 1; i < SHARES; i++) {
        double ns = measure(easy, rounds);
        best = ns < best ? ns : best;
    }
    return best;
}

int main(int count, char **words)
{
    long rounds = count > 1 ? atol(words[1]) / SHARES : 0;
    CURL *easy = curl_easy_init();

    if (!easy || rounds <= 0)
        return 2;
    double word = quickest(word_ns, easy, rounds);
    printf("%.2f %.2f\n", word, quickest(url_ns, easy, rounds));
    curl_easy_cleanup(easy);
    return 0;
}
