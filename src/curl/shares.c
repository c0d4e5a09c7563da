#include "curl/shares.h"

#include <stdlib.h>

#include "sys/generation.h"

enum { ORPHANS_MOST = 16 }; /* what may wait for a thread to take it over */

/* A thread's shares, the last used first. */
static _Thread_local struct {
    struct share *first;
    unsigned count;
    uint64_t generation; /* 0: never began, or ended */
} own __attribute__((tls_model("initial-exec")));

/* Those of threads that have ended. Taken whole and put back, so that no list is walked while another changes
 * it. */
static _Atomic(struct share *) orphans;

/* Those of the process that this one was forked from: never touched again, and not lost to who counts leaks.
 */
static _Atomic(struct share *) inherited;

static void lock(CURL *easy, curl_lock_data data, curl_lock_access access, void *share)
{
    (void)easy;
    (void)access;
    if (((struct share *)share)->generation ==
        generation_now()) /* else one of another thread's may be stuck */
        pthread_mutex_lock(&((struct share *)share)->locks[data]);
}

static void unlock(CURL *easy, curl_lock_data data, void *share)
{
    (void)easy;
    if (((struct share *)share)->generation == generation_now())
        pthread_mutex_unlock(&((struct share *)share)->locks[data]);
}

/* ---- birth and end ---- */

static bool set_up(struct share *share)
{
    static const curl_lock_data shared[] = {CURL_LOCK_DATA_CONNECT, CURL_LOCK_DATA_DNS,
                                            CURL_LOCK_DATA_SSL_SESSION};
    const struct libcurl *libcurl = share->libcurl;
    bool is_set = libcurl->share_setopt(share->real, CURLSHOPT_USERDATA, share) == CURLSHE_OK &&
                  libcurl->share_setopt(share->real, CURLSHOPT_LOCKFUNC, lock) == CURLSHE_OK &&
                  libcurl->share_setopt(share->real, CURLSHOPT_UNLOCKFUNC, unlock) == CURLSHE_OK;

    for (unsigned i = 0; i < sizeof shared / sizeof shared[0] && is_set; i++)
        is_set = libcurl->share_setopt(share->real, CURLSHOPT_SHARE, shared[i]) == CURLSHE_OK;
    return is_set;
}

/* Closes its connections. Nobody wears it. */
static void end(struct share *share)
{
    if (share->libcurl->share_cleanup(share->real) != CURLSHE_OK)
        return; /* in use after all: better lost than freed */
    for (int i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_destroy(&share->locks[i]);
    free(share);
}

static struct share *make(const struct libcurl *libcurl, uint64_t fingerprint)
{
    if (!libcurl->share_init || !libcurl->share_setopt || !libcurl->share_cleanup)
        return NULL;
    struct share *share = calloc(1, sizeof *share);
    if (!share)
        return NULL;
    share->libcurl = libcurl;
    share->fingerprint = fingerprint;
    share->generation = own.generation;
    for (int i = 0; i < CURL_LOCK_DATA_LAST; i++)
        pthread_mutex_init(&share->locks[i], NULL);
    share->real = libcurl->share_init();
    if (!share->real) {
        free(share);
        return NULL;
    }
    if (set_up(share))
        return share;
    end(share);
    return NULL;
}

/* ---- orphans ---- */

static void push(_Atomic(struct share *) *list, struct share *first, struct share *last)
{
    struct share *before = atomic_load(list);

    do
        last->next = before;
    while (!atomic_compare_exchange_weak(list, &before, first));
}

static bool fits(const struct share *share, const struct libcurl *libcurl, uint64_t fingerprint)
{
    return share->fingerprint == fingerprint && share->libcurl == libcurl;
}

/* Takes one over that fits; on the way ends those that are too many, and forgets the parent's. */
static struct share *adopt(const struct libcurl *libcurl, uint64_t fingerprint)
{
    struct share *next, *found = NULL, *first = NULL, *last = NULL;
    unsigned kept = 0;

    if (!atomic_load_explicit(&orphans, memory_order_relaxed))
        return NULL;
    for (struct share *share = atomic_exchange(&orphans, NULL); share; share = next) {
        next = share->next;
        if (share->generation != own.generation) {
            push(&inherited, share, share);
        } else if (!found && fits(share, libcurl, fingerprint)) {
            found = share;
        } else if (kept >= ORPHANS_MOST && !atomic_load(&share->wearers)) {
            end(share);
        } else {
            kept++;
            if (last)
                last->next = share;
            else
                first = share;
            last = share;
        }
    }
    if (first)
        push(&orphans, first, last);
    return found;
}

/* ---- a thread's own ---- */

/* No call of libcurl's here: the program may have cleaned it up. */
static void end_thread(void *unused)
{
    struct share *next;

    (void)unused;
    if (own.generation == generation_now())
        for (struct share *share = own.first; share; share = next) {
            next = share->next;
            atomic_store(&share->owner, NULL);
            if (!atomic_load(&share->user)) /* else a transfer was left by longjmp, and holds it for ever */
                push(&orphans, share, share);
        }
    own.first = NULL;
    own.count = 0;
    own.generation = 0;
}

/* The key by which libc tells us that a thread ends; false: there is none to be had. */
static bool hear_of_end(void)
{
    static _Atomic unsigned key_and_one;
    unsigned known = atomic_load(&key_and_one);
    pthread_key_t made;

    if (!known) {
        if (pthread_key_create(&made, end_thread) != 0)
            return false;
        if (atomic_compare_exchange_strong(&key_and_one, &known, made + 1))
            known = made + 1;
        else
            pthread_key_delete(made);
    }
    return pthread_setspecific(known - 1, &own) == 0;
}

static bool begin(void)
{
    uint64_t generation = generation_now();

    if (own.generation == generation)
        return true;
    for (struct share *next, *share = own.first; share; share = next) {
        next = share->next;
        push(&inherited, share, share);
    }
    own.first = NULL;
    own.count = 0;
    own.generation = hear_of_end() ? generation : 0;
    return own.generation != 0;
}

static void add(struct share *share)
{
    atomic_store(&share->owner, &own);
    share->next = own.first;
    own.first = share;
    own.count++;
}

static void take_out(struct share **at)
{
    *at = (*at)->next;
    own.count--;
}

/* The idle one that was not used for the longest time makes room. */
static void make_room(unsigned most)
{
    while (own.count >= most) {
        struct share **oldest = NULL;
        for (struct share **at = &own.first; *at; at = &(*at)->next)
            if (!atomic_load(&(*at)->user))
                oldest = at;
        if (!oldest)
            return;
        struct share *share = *oldest;
        take_out(oldest);
        atomic_store(&share->owner, NULL);
        if (atomic_load(&share->wearers))
            push(&orphans, share, share);
        else
            end(share);
    }
}

struct share *shares_find(const struct libcurl *libcurl, uint64_t fingerprint, unsigned most)
{
    struct share *share = NULL;

    if (!begin())
        return NULL;
    for (struct share **at = &own.first; *at && !share; at = &(*at)->next)
        if (fits(*at, libcurl, fingerprint) && !atomic_load(&(*at)->user)) {
            share = *at;
            take_out(at);
            break;
        }
    if (!share) {
        make_room(most);
        if (own.count >= most)
            return NULL;
        share = adopt(libcurl, fingerprint);
    }
    if (!share)
        share = make(libcurl, fingerprint);
    if (share)
        add(share);
    return share;
}

void shares_spoil(struct share *share)
{
    share->fingerprint = 0;
}

bool shares_may_use(const struct share *share, const struct handle *handle)
{
    if (atomic_load(&share->owner) != &own || !share->fingerprint || share->generation != generation_now())
        return false;
    const struct handle *user = atomic_load(&share->user);
    return !user || user == handle;
}
