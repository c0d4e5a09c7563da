/*
 * vforked PORT TIMES COMMAND: so many times a vfork child leaves a connect on its way when it ends, the
 * command runs, and a connect of the program's own follows. Prints how many images of rules are mapped then.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int dial(const char *port)
{
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    connect(fd, (struct sockaddr *)&to, sizeof to);
    return fd;
}

static void leave_one(const char *port)
{
    pid_t child = vfork();

    if (child == 0) {
        dial(port);
        _exit(0);
    }
    waitpid(child, NULL, 0);
}

static int mapped_images(void)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    char line[512];
    int images = 0;

    while (maps && fgets(line, sizeof line, maps))
        images += strstr(line, ".rules-") != NULL;
    if (maps)
        fclose(maps);
    return images;
}

int main(int count, char **words)
{
    if (count != 4)
        return 2;
    for (int i = 0; i < atoi(words[2]); i++) {
        leave_one(words[1]);
        if (system(words[3]) != 0)
            return 1;
        struct pollfd own = {.fd = dial(words[1]), .events = POLLOUT};
        poll(&own, 1, 5000);
        close(own.fd);
    }
    printf("%d\n", mapped_images());
    return 0;
}
