/* A program that closes what it does not know. */
#include "sockets.h"

#include <sys/resource.h>
#include <sys/syscall.h>

static int open_descriptors(void)
{
    int count = 0;

    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* descriptors HOST PORT: closes all that it does not know, in three ways, with a connect on its way */
void descriptors(void)
{
    struct sockaddr_in to = address_of(words[0], words[1]);

    for (int way = 0; way < 3; way++) {
        int fd = stream(false);
        dial(fd, &to);
        printf("%d open, the next is %d", open_descriptors(), fd);
        for (int i = 3; way == 0 && i < 64; i++)
            close(i);
        if (way == 1)
            close_range(3, ~0u, 0);
        if (way == 2)
            closefrom(3);
        printf(", then %d\n", open_descriptors());
        fd = stream(true);
        printf("%d: %s\n", fd, strerror(dial(fd, &to)));
        close(fd);
    }
}
