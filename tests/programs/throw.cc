/*
 * A C++ program whose callbacks throw through libcurl. Usage: throw easy|multi write|header|progress URL OTHER-URL.
 * It catches, cleans up as far as libcurl lets it, and goes on with new handles. libcurl itself is not made for that: what is
 * asked is that it be as bare.
 */
#include <curl/curl.h>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <string>

static std::string thrower;

static void perhaps(const char *callback)
{
    if (thrower == callback)
        throw std::runtime_error(thrower);
}

static size_t on_write(char *bytes, size_t size, size_t count, void *)
{
    perhaps("write");
    fwrite(bytes, size, count, stdout);
    return size * count;
}

static size_t on_header(char *, size_t size, size_t count, void *)
{
    perhaps("header");
    return size * count;
}

static int on_progress(void *, curl_off_t, curl_off_t, curl_off_t, curl_off_t)
{
    perhaps("progress");
    return 0;
}

static CURL *make(const char *url)
{
    CURL *easy = curl_easy_init();
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_write);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    return easy;
}

static void by_easy(const char *url)
{
    CURL *easy = make(url);
    try {
        printf("result %d\n", (int)curl_easy_perform(easy));
    } catch (const std::exception &thrown) {
        printf("caught %s\n", thrown.what());
    }
    curl_easy_cleanup(easy);
}

static void by_multi(const char *url)
{
    CURLM *multi = curl_multi_init();
    CURL *easy = make(url);
    printf("add %d\n", (int)curl_multi_add_handle(multi, easy));
    try {
        int running = 1, left;
        while (running) {
            curl_multi_perform(multi, &running);
            if (running)
                curl_multi_poll(multi, nullptr, 0, 1000, nullptr);
        }
        while (CURLMsg *message = curl_multi_info_read(multi, &left))
            printf("result %d\n", (int)message->data.result);
    } catch (const std::exception &thrown) {
        printf("caught %s\n", thrown.what());
    }
    printf("remove %d\n", (int)curl_multi_remove_handle(multi, easy));
    printf("cleanup %d\n", (int)curl_multi_cleanup(multi));
    if (thrower.empty())
        curl_easy_cleanup(easy);
}

int main(int argc, char **argv)
{
    if (argc < 5)
        return 2;
    setvbuf(stdout, nullptr, _IONBF, 0);
    curl_global_init(CURL_GLOBAL_ALL);
    void (*way)(const char *) = strcmp(argv[1], "multi") == 0 ? by_multi : by_easy;
    thrower = argv[2];
    way(argv[3]);
    thrower = "";
    way(argv[4]);
    curl_global_cleanup();
    return 0;
}
