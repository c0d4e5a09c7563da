/* Unix sockets, and connect(2). */
#include "odd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

/* unix abstract|path NAME URL ...: performs each; "wait" waits 1.1 s */
void unix_socket(void)
{
    int is_path = strcmp(arguments[0], "path") == 0;

    go_to(arguments[2]);
    curl_easy_setopt(easy, is_path ? CURLOPT_UNIX_SOCKET_PATH : CURLOPT_ABSTRACT_UNIX_SOCKET, arguments[1]);
    for (arguments += 2; *arguments; arguments++) {
        if (strcmp(*arguments, "wait") == 0) {
            nap_ms(1100);
            continue;
        }
        go_to(*arguments);
        perform();
    }
}

/* refused PATH BAD-URL URL: a refusal, then the same handle to a unix socket, and without one again */
void refused(void)
{
    go_to(arguments[1]);
    be_quiet();
    perform();
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, NULL);
    go_to(arguments[2]);
    perform();
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, arguments[0]);
    perform();
    curl_easy_setopt(easy, CURLOPT_UNIX_SOCKET_PATH, NULL);
    nap_ms(1100);
    perform();
}

/* connect PORT [COMMAND]: not blocking, twice, with the command between */
void connect_twice(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(arguments[0]))};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct pollfd wait = {.fd = fd, .events = POLLOUT};

    inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
    for (int i = 0; i < 3; i++) {
        errno = 0;
        int result = connect(fd, (struct sockaddr *)&to, sizeof to);
        printf("connect %d %s\n", result, strerror(errno));
        poll(&wait, 1, 1000);
        if (!i && arguments[1])
            result = system(arguments[1]);
    }
    printf("established %d\n", send(fd, "x", 1, MSG_NOSIGNAL) == 1);
}
