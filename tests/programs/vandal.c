/*
 * vandal FILE MS: for so long writes random words into a state that others work with, wherever one is in use:
 * zeros, ones, moments near now, flipped bits. What names the layout is spared, and the switch: off is off.
 * Prints how many.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { SPARED = 9, A_TURN = 200 };

static uint64_t dice(void)
{
    static uint64_t seed = 88172645463325252u;

    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1du;
}

static uint64_t now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t damaged(uint64_t word)
{
    const uint64_t moment = (UINT64_C(1) << 39) - 1; /* of a circuit's word */

    switch (dice() % 7) {
    case 0:
        return 0;
    case 1:
        return ~UINT64_C(0);
    case 2:
        return now_us() + dice() % 20000000 - 10000000;
    case 3:
        return now_us() / 1000 + dice() % 20000 - 10000;
    case 4:
        return word ^ UINT64_C(1) << dice() % 64;
    case 5:
        return (word & ~moment) | ((now_us() / 1000 + dice() % 10000) & moment);
    }
    return dice();
}

int main(int count, char **words)
{
    struct stat file;
    int fd = count == 3 ? open(words[1], O_RDWR) : -1;

    if (fd < 0 || fstat(fd, &file) != 0)
        return 2;
    _Atomic uint64_t *state = mmap(NULL, (size_t)file.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (state == MAP_FAILED)
        return 2;
    uint64_t end_us = now_us() + strtoull(words[2], NULL, 10) * 1000, done = 0;
    while (now_us() < end_us) {
        usleep(1000);
        for (int i = 0; i < A_TURN; i++) {
            uint64_t at = SPARED + dice() % ((uint64_t)file.st_size / 8 - SPARED);
            if (!state[at] && dice() % 64)
                continue;
            state[at] = damaged(state[at]);
            done++;
        }
    }
    printf("%lu\n", (unsigned long)done);
    return 0;
}
