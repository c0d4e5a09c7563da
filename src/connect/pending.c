#include "connect/pending.h"

#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/raw.h"

enum {
    SLOTS = PENDING_SLOTS,
    WAYS = 8,
    ABANDONED_MS =
        1000, /* given up later than this: the peer's fault. Losers of happy eyeballs are younger */
    PAGE = 4096
};

/*
 * A slot's word is its descriptor and what it is; who works on one has made it BUSY. A second one that comes
 * meanwhile (a thread, a signal handler) leaves it alone. A signal handler may also fork, and return in the
 * child, whose table is wiped: so the work is done on a copy, and a slot that is no longer BUSY is let be.
 */
enum mark { FREE = 0, BUSY, WAITING, DONE };

struct waiting {
    pid_t pid; /* a vfork child sees its parent's table */
    uint64_t cookie;
    struct socket_limit limit;
    struct gate_call call;
};

struct slot {
    _Atomic uint64_t word;
    struct waiting waiting;
};

static struct {
    _Alignas(PAGE) struct slot slots[SLOTS]; /* whole pages, so that a fork can wipe them */
} table;

struct pending_counter pending_counter;
static atomic_bool is_wiped_on_fork;

static uint64_t word_of(int fd, enum mark mark)
{
    return (uint64_t)(unsigned)fd << 8 | mark;
}

static enum mark mark_of(uint64_t word)
{
    return (enum mark)(word & 0xff);
}

static bool is_of(uint64_t word, int fd, enum mark most)
{
    return word >> 8 == (unsigned)fd && mark_of(word) >= WAITING && mark_of(word) <= most;
}

static bool take(struct slot *slot, uint64_t word)
{
    return atomic_compare_exchange_strong_explicit(&slot->word, &word, word_of(0, BUSY), memory_order_acquire,
                                                   memory_order_relaxed);
}

/* Gives a slot back that was taken; false where a fork has wiped it. */
static bool put(struct slot *slot, uint64_t word)
{
    uint64_t busy = word_of(0, BUSY);
    return atomic_compare_exchange_strong_explicit(&slot->word, &busy, word, memory_order_release,
                                                   memory_order_relaxed);
}

/* What is in a slot that was taken; false where a fork has wiped it. */
static bool copy(struct waiting *out, const struct slot *slot)
{
    *out = slot->waiting;
    atomic_signal_fence(memory_order_seq_cst);
    return atomic_load_explicit(&slot->word, memory_order_relaxed) == word_of(0, BUSY);
}

static void count_up(atomic_int *counter)
{
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

/* Never below zero, where a fork has put it meanwhile. */
static void count_down(atomic_int *counter)
{
    int old = atomic_load_explicit(counter, memory_order_relaxed);

    while (old > 0 && !atomic_compare_exchange_weak_explicit(counter, &old, old - 1, memory_order_relaxed,
                                                             memory_order_relaxed))
        ;
}

/* Whether it is worth looking at; by who has taken the slot. */
static void mark_waits(const struct slot *slot, bool waits)
{
    unsigned number = (unsigned)(slot - table.slots);
    _Atomic uint64_t *marks = &pending_counter.marks[number / 64];
    uint64_t mark = UINT64_C(1) << number % 64;

    if (waits)
        atomic_fetch_or_explicit(marks, mark, memory_order_relaxed);
    else
        atomic_fetch_and_explicit(marks, ~mark, memory_order_relaxed);
}

/* A slot that was taken when it had this word is free again. */
static void release(struct slot *slot, uint64_t was)
{
    mark_waits(slot, false);
    if (!put(slot, word_of(0, FREE)))
        return;
    if (mark_of(was) == WAITING)
        count_down(&pending_counter.waiting);
    count_down(&pending_counter.sockets);
}

static struct slot *way(int fd, unsigned i)
{
    return &table.slots[((unsigned)fd + i) & (SLOTS - 1)];
}

/* ---- how it ended ---- */

static uint64_t age_ms(const struct waiting *one)
{
    return (clock_now_us() - one->call.opened_us) / 1000;
}

static void end(struct waiting *one, int fd, int error)
{
    struct gate_attempt ended = {.outcome = outcome_of_errno(error), .retry_after_ms = -1};

    socket_unlimit_unless_changed(fd, &one->limit);
    gate_ended(&one->call, &ended);
    gate_leave(&one->call);
}

/* Given up while on its way: the peer's fault only when it had its time. */
static void abandon(struct waiting *one, int fd)
{
    uint32_t patience_ms = one->limit.limit_ms;

    if (!patience_ms || patience_ms > ABANDONED_MS)
        patience_ms = ABANDONED_MS;
    if (age_ms(one) >= patience_ms) {
        end(one, fd, ETIMEDOUT);
        return;
    }
    socket_unlimit_unless_changed(fd, &one->limit);
    gate_leave(&one->call);
}

/*
 * Closed by the kernel, and nobody asked why: asking now would take the answer from a dup of the socket. What
 * was connected first and reset later is no connect that failed.
 */
static int likely_error(const struct waiting *one, int fd)
{
    if (socket_was_connected(fd))
        return 0;
    return one->limit.limit_ms && age_ms(one) >= one->limit.limit_ms ? ETIMEDOUT : ECONNREFUSED;
}

/* Nobody looked when it was connected, and it may have lived for hours since: it took a round trip, or so. */
static void end_late(struct waiting *one, int fd)
{
    gate_took(&one->call, socket_round_trip_us(fd));
    end(one, fd, 0);
}

/* The last look at a socket. */
static void settle(struct waiting *one, int fd)
{
    int error;

    switch (socket_progress(fd)) {
    case SOCKET_CONNECTED:
        end_late(one, fd);
        break;
    case SOCKET_IDLE:
        error = likely_error(one, fd);
        if (error)
            end(one, fd, error);
        else
            end_late(one, fd);
        break;
    case SOCKET_CONNECTING:
        abandon(one, fd);
        break;
    case SOCKET_UNKNOWN:
        gate_leave(&one->call);
        break;
    }
}

/* ---- finding ---- */

/* Another process's: a vfork child's, which shares the table. Where it has ended nobody else will free it. */
static void put_back(struct slot *slot, uint64_t was, struct waiting *found)
{
    if (!sys_is_no_process(found->pid)) {
        put(slot, was);
        return;
    }
    if (mark_of(was) == WAITING)
        gate_leave(&found->call);
    release(slot, was);
}

/*
 * Takes the slot of a descriptor's socket, if it is marked WAITING, or DONE where that is the most: *was is
 * its word, *found what is in it. One whose socket is gone (closed past us, so that nobody knows when) is
 * freed. NULL: there is none, it is another process's, or somebody has it.
 */
static struct slot *find(int fd, enum mark most, uint64_t *was, struct waiting *found)
{
    for (unsigned i = 0; fd >= 0 && i < WAYS; i++) {
        struct slot *slot = way(fd, i);
        *was = atomic_load_explicit(&slot->word, memory_order_relaxed);
        if (!is_of(*was, fd, most) || !take(slot, *was))
            continue;
        if (!copy(found, slot))
            continue;
        if (found->pid != sys_getpid()) {
            put_back(slot, *was, found);
            continue;
        }
        if (found->cookie == socket_cookie(fd))
            return slot;
        if (mark_of(*was) == WAITING)
            gate_leave(&found->call);
        release(slot, *was);
    }
    return NULL;
}

enum pending_state pending_find(int fd)
{
    uint64_t was;
    struct waiting found;
    struct slot *slot = find(fd, DONE, &was, &found);

    if (!slot)
        return PENDING_NOT;
    put(slot, was);
    return mark_of(was) == DONE ? PENDING_CONNECTED : PENDING_ON_ITS_WAY;
}

void pending_told(int fd, int error)
{
    uint64_t was;
    struct waiting found;
    struct slot *slot = find(fd, WAITING, &was, &found);

    if (!slot)
        return;
    if (error) {
        end(&found, fd, error);
        release(slot, was); /* what is tried on this socket now is another call */
    } else if (socket_progress(fd) == SOCKET_CONNECTED) {
        end(&found, fd, 0);
        mark_waits(slot, false);
        if (put(slot, word_of(fd, DONE)))
            count_down(&pending_counter.waiting);
    } else {
        put(slot, was);
    }
}

void pending_ready(int fd)
{
    pending_told(fd, 0);
}

/* Round the table, so that those that are not connected for long do not stand in the way of others. */
void pending_look(unsigned most)
{
    unsigned at = atomic_load_explicit(&pending_counter.next, memory_order_relaxed) & (SLOTS - 1), step;

    for (unsigned seen = 0; seen < SLOTS && most; seen += step, at = (at + step) & (SLOTS - 1)) {
        uint64_t marks =
            atomic_load_explicit(&pending_counter.marks[at / 64], memory_order_relaxed) >> at % 64;
        step = marks & 1 ? 1 : marks ? (unsigned)__builtin_ctzll(marks) : 64 - at % 64;
        if (!(marks & 1))
            continue;
        uint64_t word = atomic_load_explicit(&table.slots[at].word, memory_order_relaxed);
        if (mark_of(word) == WAITING)
            pending_ready((int)(word >> 8));
        most--;
    }
    atomic_store_explicit(&pending_counter.next, at, memory_order_relaxed);
}

void pending_leave(int fd)
{
    uint64_t was;
    struct waiting found;
    struct slot *slot = find(fd, DONE, &was, &found);

    if (!slot)
        return;
    if (mark_of(was) == WAITING)
        settle(&found, fd);
    release(slot, was);
}

void pending_leave_range(unsigned first, unsigned last)
{
    for (unsigned i = 0; i < SLOTS; i++) {
        uint64_t word = atomic_load_explicit(&table.slots[i].word, memory_order_relaxed);
        if (mark_of(word) >= WAITING && word >> 8 >= first && word >> 8 <= last)
            pending_leave((int)(word >> 8));
    }
}

/* ---- adding ---- */

/*
 * What a fork copies is not the child's to judge. (The process's number alone would not do: it may be the
 * same in another namespace.)
 */
void pending_prepare(void)
{
    if (atomic_load_explicit(&is_wiped_on_fork, memory_order_relaxed) ||
        atomic_exchange(&is_wiped_on_fork, true))
        return;
    sys_madvise(&table, sizeof table, MADV_WIPEONFORK);
    sys_madvise(&pending_counter, sizeof pending_counter, MADV_WIPEONFORK);
}

/* Takes a slot whose mark is the wanted one; of those that wait, one that another process left. */
static struct slot *claim_marked(int fd, enum mark wanted)
{
    for (unsigned i = 0; i < WAYS; i++) {
        struct slot *slot = way(fd, i);
        uint64_t word = atomic_load_explicit(&slot->word, memory_order_relaxed);
        if (mark_of(word) != wanted || !take(slot, word))
            continue;
        if (wanted != WAITING || slot->waiting.pid != sys_getpid())
            return slot;
        put(slot, word);
    }
    return NULL;
}

/* What a vfork child left there holds its rules no more. */
static struct slot *claim_left(int fd)
{
    struct slot *slot = claim_marked(fd, WAITING);
    struct waiting left;

    if (slot && copy(&left, slot))
        gate_forget(&left.call);
    return slot;
}

/* A free slot, else one that only remembers that its socket is connected, or what a vfork child left. */
static struct slot *claim(int fd)
{
    struct slot *slot = claim_marked(fd, FREE);

    if (slot)
        count_up(&pending_counter.sockets);
    if (!slot)
        slot = claim_marked(fd, DONE);
    if (slot)
        count_up(&pending_counter.waiting);
    return slot ? slot : claim_left(fd);
}

void pending_add(int fd, uint64_t cookie, struct gate_call *call, struct socket_limit *limit)
{
    pending_leave(fd);
    if (!cookie)
        cookie = socket_cookie(fd);
    struct slot *slot = cookie ? claim(fd) : NULL;
    if (!slot) {
        socket_unlimit(fd, limit);
        gate_leave(call);
        return;
    }
    slot->waiting = (struct waiting){.pid = sys_getpid(), .cookie = cookie, .limit = *limit, .call = *call};
    mark_waits(slot, true);
    put(slot, word_of(fd, WAITING));
}

/* ---- at the end ---- */

/* Sockets that the program leaves to the kernel: most programs that give up end. */
__attribute__((destructor)) static void pending_end(void)
{
    if (pending_any())
        pending_leave_range(0, INT_MAX);
}
