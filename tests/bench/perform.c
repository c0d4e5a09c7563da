/*
 * What one curl_easy_perform takes when libcurl itself does next to nothing: the URL's scheme is one that
 * the handle does not allow, so the transfer ends before any system call. A hundred nanoseconds show
 * here, beside some microseconds; they do not beside a real request.
 *   perform N URL
 * Prints: ns a perform; of twenty shares of N, the quickest.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

enum { SHARES = 20 };

int main(int count, char **words)
{
    long rounds = count > 2 ? atol(words[1]) / SHARES : 0, other = 0;
    CURL *easy = curl_easy_init();
    double best_ns = 0;

    if (!easy || rounds <= 0)
        return 2;
    curl_easy_setopt(easy, CURLOPT_URL, words[2]);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS, (long)CURLPROTO_FTP);
    for (int share = 0; share < SHARES; share++) {
        double began_ns = clock_ns();
        for (long i = 0; i < rounds; i++)
            other += curl_easy_perform(easy) != CURLE_UNSUPPORTED_PROTOCOL;
        double ns = (clock_ns() - began_ns) / (double)rounds;
        best_ns = share && best_ns < ns ? best_ns : ns;
    }
    printf("%.1f\n", best_ns);
    curl_easy_cleanup(easy);
    return other > 0;
}
