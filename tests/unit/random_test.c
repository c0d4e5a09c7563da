#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../emulated.h"
#include "sys/random.h"

enum { WORKED = 0, FAILED = 1, CANNOT = 77, CHILDREN = 1000 };

/* The library's clock ends here. While it stands still, only the states can make words differ. */
static _Atomic bool is_frozen;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    if (!is_frozen)
        return (int)syscall(SYS_clock_gettime, clock, now);
    *now = (struct timespec){1, 1};
    return 0;
}

static int compare(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool are_all_different(uint64_t *words, size_t count)
{
    qsort(words, count, sizeof *words, compare);
    for (size_t i = 1; i < count; i++)
        if (words[i] == words[i - 1])
            return false;
    return true;
}

/* The first words of children that were forked from the same state. */
static bool forks_draw_different_words(unsigned count)
{
    static uint64_t words[CHILDREN];
    int ends[2];
    if (pipe(ends) != 0)
        return false;
    is_frozen = true;
    random_word();
    for (unsigned i = 0; i < count; i++) {
        const pid_t child = fork();
        if (child < 0)
            return false;
        if (child == 0) {
            const uint64_t word = random_word();
            _exit(write(ends[1], &word, sizeof word) == sizeof word ? 0 : 1);
        }
        if (read(ends[0], &words[i], sizeof words[i]) != sizeof words[i])
            return false;
        waitpid(child, NULL, 0);
    }
    is_frozen = false;
    close(ends[0]);
    close(ends[1]);
    return are_all_different(words, count);
}

/* A kernel that answers these calls with an error, as old ones do. */
static bool forbid(unsigned call, int error)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof filter / sizeof filter[0], filter};
    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static void in_child_without(unsigned call, int error)
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0)
        _exit(!forbid(call, error) ? CANNOT : forks_draw_different_words(100) ? WORKED : FAILED);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status == CANNOT << 8) {
        print_message("skipped: no seccomp\n");
        skip();
    }
    assert_int_equal(status, 0);
}

/* These two come first: what the kernel can is asked once a process. */
static void without_wipeonfork_children_differ_too(void **state)
{
    (void)state;
    in_child_without(SYS_madvise, EINVAL);
}

static void without_getrandom_children_differ_too(void **state)
{
    (void)state;
    in_child_without(SYS_getrandom, ENOSYS);
}

static void a_thousand_children_draw_different_first_words(void **state)
{
    (void)state;
    unless_emulated("qemu-user answers MADV_WIPEONFORK with yes, and does nothing");
    assert_true(forks_draw_different_words(CHILDREN));
}

enum { THREADS = 8, EACH = 1000 };

static uint64_t drawn[THREADS * EACH];

static void *draw(void *first)
{
    for (unsigned i = 0; i < EACH; i++)
        ((uint64_t *)first)[i] = random_word();
    return NULL;
}

static void threads_draw_different_words(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, draw, &drawn[i * EACH]), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_true(are_all_different(drawn, THREADS * EACH));
}

static void pairs_share_no_word_with_what_is_drawn_around_them(void **state)
{
    (void)state;
    enum { PAIRS = 1000 };
    static uint64_t words[3 * PAIRS];
    for (unsigned i = 0; i < PAIRS; i++) {
        const struct random_pair pair = random_pair();
        words[3 * i] = pair.words[0];
        words[3 * i + 1] = pair.words[1];
        words[3 * i + 2] = random_word();
    }
    assert_true(are_all_different(words, 3 * PAIRS));
}

static void every_bit_is_set_half_of_the_time(void **state)
{
    (void)state;
    enum { DRAWS = 20000 };
    unsigned set[64] = {0};
    for (unsigned i = 0; i < DRAWS; i++) {
        const uint64_t word = random_word();
        for (unsigned bit = 0; bit < 64; bit++)
            set[bit] += (unsigned)(word >> bit) & 1;
    }
    for (unsigned bit = 0; bit < 64; bit++)
        assert_in_range(set[bit], DRAWS * 47 / 100, DRAWS * 53 / 100);
    assert_true(random_32() != random_32() || random_32() != random_32());
}

static uint64_t in_handler[20000];
static volatile sig_atomic_t handled;

static void draw_in_handler(int signal)
{
    (void)signal;
    if (handled < (sig_atomic_t)(sizeof in_handler / sizeof in_handler[0]))
        in_handler[handled++] = random_word();
}

static void a_signal_handler_draws_words_of_its_own(void **state)
{
    (void)state;
    enum { DRAWS = 2000000 };
    uint64_t *words = malloc(DRAWS * sizeof *words);
    const struct itimerval often =
                               {
                                   {0, 50},
                                   {0, 50}
    },
                           never = {{0, 0}, {0, 0}};
    assert_non_null(words);
    signal(SIGALRM, draw_in_handler);
    setitimer(ITIMER_REAL, &often, NULL);
    for (unsigned i = 0; i < DRAWS; i++)
        words[i] = random_word();
    setitimer(ITIMER_REAL, &never, NULL);
    qsort(words, DRAWS, sizeof *words, compare);
    for (int i = 0; i < handled; i++)
        assert_null(bsearch(&in_handler[i], words, DRAWS, sizeof *words, compare));
    free(words);
}

static void errno_is_kept(void **state)
{
    (void)state;
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        errno = 4711;
        random_word(); /* seeds anew */
        _exit(errno == 4711 ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_wipeonfork_children_differ_too),
        cmocka_unit_test(without_getrandom_children_differ_too),
        cmocka_unit_test(a_thousand_children_draw_different_first_words),
        cmocka_unit_test(threads_draw_different_words),
        cmocka_unit_test(pairs_share_no_word_with_what_is_drawn_around_them),
        cmocka_unit_test(every_bit_is_set_half_of_the_time),
        cmocka_unit_test(a_signal_handler_draws_words_of_its_own),
        cmocka_unit_test(errno_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
