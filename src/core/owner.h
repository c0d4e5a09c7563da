/*
 * Who holds something in the shared state, in one word: a single compare-and-swap takes it and gives it back,
 * and whoever meets the word can judge whether its owner still lives, or lets it run out.
 *
 * Word: pid 22 bits | started 12 | image 6 | space 6 | until 18. Never 0, which says: nobody.
 *   started  when the process began, in ticks of its /proc/PID/stat, modulo 2^12 (41 s at 100 Hz): another
 *            process of the same number hardly began at the same; 0 where it is not known
 *   image    which program the process was (owner_image): after exec the number and the beginning are the
 *            same, and what the program before held is nobody's; 0 where it is not known
 *   space    the number of its pid namespace in the state (state/places); OWNER_SPACE_UNKNOWN where it has
 *            none
 *   until    seconds of the monotonic clock, modulo 2^18 (three days): when the lease ends
 */
#ifndef GUSSET_CORE_OWNER_H
#define GUSSET_CORE_OWNER_H

#include <stdbool.h>
#include <stdint.h>

enum {
    OWNER_STARTED_BITS = 12,
    OWNER_IMAGES = 64,
    OWNER_SPACE_UNKNOWN = 63,    /* spaces are numbered 0..62 */
    OWNER_LEASE_MOST_S = 1 << 17 /* half of what until can say: a day and a half */
};

struct owner {
    uint32_t pid; /* 1..2^22-1, as Linux numbers them */
    uint32_t started;
    uint32_t image; /* 0..OWNER_IMAGES-1 */
    uint32_t space;
    uint32_t until_s;
};

/* The owner's word; what does not fit its bits is cut. */
uint64_t owner_pack(const struct owner *owner);

struct owner owner_unpack(uint64_t word);

/* The image of a process whose stack lies there (sys/process: exec puts it elsewhere); 0 for 0. */
uint32_t owner_image(uint64_t stack);

/*
 * Whether a process that has the owner's number is another one than the owner was, by when it began and where
 * its stack lies; 0: not known, which tells nothing.
 */
bool owner_is_another(const struct owner *owner, uint64_t started, uint64_t stack);

/* When a lease of so many seconds ends, as until_s holds it; longer ones are cut to OWNER_LEASE_MOST_S. */
uint32_t owner_until_s(uint64_t now_s, uint64_t lease_s);

/* Whether the lease has ended at now_s, where that is at most a day and a half ago. */
bool owner_is_expired(const struct owner *owner, uint64_t now_s);

#endif
