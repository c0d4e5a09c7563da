/* A plugin that connects. OF_ITS_OWN: by a connect that it brings along; BY_POINTER: by an address in its
 * data. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

int plugin_dial(unsigned port);

#ifdef OF_ITS_OWN
int connect(int fd, const struct sockaddr *to, socklen_t length)
{
    (void)fd, (void)to, (void)length;
    errno = EXDEV;
    return -1;
}
#endif
#ifdef BY_POINTER
static int (*const volatile dial)(int, const struct sockaddr *, socklen_t) = connect;
#else
#define dial connect
#endif

/* The error; 0 when it is connected. */
int plugin_dial(unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    int error = dial(fd, (struct sockaddr *)&to, sizeof to) ? errno : 0;

    close(fd);
    return error;
}
