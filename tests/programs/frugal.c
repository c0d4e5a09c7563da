/*
 * A program whose malloc and whose locks end it while it connects.
 * Usage: frugal connect|trap HOST PORT, with sockets that block and that do not, and again when the way is
 * known
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool is_armed;
static _Alignas(16) char heap[1 << 20];
static size_t used;

static void spring(const char *what)
{
    if (!is_armed)
        return;
    if (write(2, "frugal: ", 8) + write(2, what, strlen(what)) + write(2, "\n", 1) < 0)
        _exit(4);
    _exit(3);
}

void *malloc(size_t size)
{
    spring("malloc");
    used += (size + 31) & ~(size_t)15;
    if (used > sizeof heap)
        _exit(4);
    char *block = heap + used - ((size + 15) & ~(size_t)15);
    memcpy(block - 16, &size, sizeof size);
    return block;
}

void free(void *block)
{
    if (block)
        spring("free");
}

void *calloc(size_t count, size_t size)
{
    return malloc(count * size); /* the heap is zero and never used twice */
}

void *realloc(void *block, size_t size)
{
    size_t old = 0;
    void *fresh = malloc(size);

    if (block) {
        memcpy(&old, (char *)block - 16, sizeof old);
        memcpy(fresh, block, old < size ? old : size);
    }
    return fresh;
}

/* What the library would have to call to lock. */
int pthread_mutex_lock(pthread_mutex_t *mutex)
{
    (void)mutex;
    spring("pthread_mutex_lock");
    return 0;
}

int pthread_rwlock_rdlock(pthread_rwlock_t *lock)
{
    (void)lock;
    spring("pthread_rwlock_rdlock");
    return 0;
}

static const char *dial(const struct sockaddr_in *to, int flags)
{
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0), error = 0;
    socklen_t size = sizeof error;

    if (connect(fd, (const struct sockaddr *)to, sizeof *to) != 0) {
        error = errno;
        if (error == EINPROGRESS) {
            struct pollfd one = {.fd = fd, .events = POLLOUT};
            poll(&one, 1, 10000);
            getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
        }
    }
    close(fd);
    return error ? "refused" : "connected";
}

int main(int count, char **words)
{
    if (count != 4)
        return 2;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(words[3]))};
    inet_pton(AF_INET, words[2], &to.sin_addr);
    is_armed = true;
    if (strcmp(words[1], "trap") == 0) {
        void *volatile taken = malloc(1);
        return taken == NULL;
    }
    const char *first, *second;
    for (int i = 0; i < 3; i++) {
        first = dial(&to, 0);
        second = dial(&to, SOCK_NONBLOCK);
    }
    is_armed = false;
    if (write(1, first, strlen(first)) + write(1, " ", 1) + write(1, second, strlen(second)) < 0)
        return 4;
    return write(1, "\n", 1) != 1;
}
