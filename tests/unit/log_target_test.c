#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "child.h"
#include "log_fixture.h"

static void in_child(int (*work)(void), const char *cannot)
{
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);
        _exit(work());
    }
    child_ends(child, cannot);
}

/* Makes descriptor 2 the writing end of a pipe. Returns the reading end. */
static int pipe_as_stderr(void)
{
    int ends[2];
    if (pipe(ends) != 0 || dup2(ends[1], 2) != 2)
        _exit(FAILED);
    close(ends[1]);
    return ends[0];
}

static int read_stderr(void)
{
    char text[2048] = "";
    const int reader = pipe_as_stderr();
    open_log(LOG_ERROR, LOG_LOGFMT, "");
    log_say(LOG_ERROR, "x", "to standard error");
    return read(reader, text, sizeof text) > 0 && strstr(text, "msg=\"to standard error\"\n") ? WORKED
                                                                                              : FAILED;
}

static void standard_error_is_the_usual_target(void **state)
{
    (void)state;
    in_child(read_stderr, "");
}

static int change_stderr(void)
{
    struct stat st;
    char text[64];
    const int reader = pipe_as_stderr();
    fcntl(reader, F_SETFL, O_NONBLOCK);
    open_log(LOG_ERROR, LOG_LOGFMT, "");
    const int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    const int kept = dup(2);
    dup2(file, 2); /* the program put something else there: its data, perhaps */
    log_say(LOG_ERROR, "x", "y");
    close(2);
    errno = 4711;
    log_say(LOG_ERROR, "x", "y");
    if (errno != 4711 || fstat(file, &st) != 0 || st.st_size != 0 || read(reader, text, sizeof text) != -1)
        return FAILED;
    dup2(kept, 2); /* the same pipe again */
    log_say(LOG_ERROR, "x", "y");
    return read(reader, text, sizeof text) > 0 ? WORKED : FAILED;
}

static void a_standard_error_that_is_another_file_by_now_is_left_alone(void **state)
{
    (void)state;
    in_child(change_stderr, "");
}

static int start_without_stderr(void)
{
    close(2);
    open_log(LOG_ERROR, LOG_LOGFMT, "");
    const int file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600); /* becomes 2 */
    struct stat st;
    log_say(LOG_ERROR, "x", "y");
    return file == 2 && fstat(2, &st) == 0 && st.st_size == 0 ? WORKED : FAILED;
}

static void a_program_started_without_standard_error_gets_no_line_in_its_files(void **state)
{
    (void)state;
    in_child(start_without_stderr, "");
}

static volatile sig_atomic_t signals;

static void count_signal(int signal)
{
    (void)signal;
    signals++;
}

static bool is_nothing_pending(void)
{
    sigset_t pending;
    sigpending(&pending);
    return !sigismember(&pending, SIGPIPE) && !sigismember(&pending, SIGXFSZ);
}

static int lose_reader(void)
{
    sigset_t after;
    const int reader = pipe_as_stderr();
    open_log(LOG_ERROR, LOG_LOGFMT, "");
    close(reader);
    log_say(LOG_ERROR, "x", "y"); /* SIGPIPE keeps its default: death */
    signal(SIGPIPE, count_signal);
    log_say(LOG_ERROR, "x", "y");
    sigprocmask(SIG_BLOCK, NULL, &after);
    return signals == 0 && is_nothing_pending() && !sigismember(&after, SIGPIPE) ? WORKED : FAILED;
}

static void a_pipe_without_a_reader_does_not_end_the_program(void **state)
{
    (void)state;
    in_child(lose_reader, "");
}

static int write_beyond_limit(void)
{
    const struct rlimit none = {0, 0};
    open_log(LOG_ERROR, LOG_LOGFMT, path);
    setrlimit(RLIMIT_FSIZE, &none);
    log_say(LOG_ERROR, "x", "y"); /* SIGXFSZ keeps its default: death */
    signal(SIGXFSZ, count_signal);
    log_say(LOG_ERROR, "x", "y");
    return signals == 0 && is_nothing_pending() ? WORKED : FAILED;
}

static void a_limit_on_file_sizes_does_not_end_the_program(void **state)
{
    (void)state;
    in_child(write_beyond_limit, "");
}

static int keep_pending_signal(void)
{
    const struct rlimit none = {0, 0};
    sigset_t set, pending;
    sigemptyset(&set);
    sigaddset(&set, SIGXFSZ);
    sigprocmask(SIG_BLOCK, &set, NULL);
    raise(SIGXFSZ);
    open_log(LOG_ERROR, LOG_LOGFMT, path);
    setrlimit(RLIMIT_FSIZE, &none);
    log_say(LOG_ERROR, "x", "y");
    sigpending(&pending);
    return sigismember(&pending, SIGXFSZ) ? WORKED : FAILED;
}

static void a_signal_that_was_pending_before_stays_pending(void **state)
{
    (void)state;
    in_child(keep_pending_signal, "");
}

static int fill_pipe(void)
{
    static const char zeros[4096];
    const int reader = pipe_as_stderr();
    fcntl(2, F_SETFL, O_NONBLOCK);
    while (write(2, zeros, sizeof zeros) > 0)
        continue;
    fcntl(2, F_SETFL, 0); /* a write now would wait for the reader */
    open_log(LOG_ERROR, LOG_LOGFMT, "");
    log_say(LOG_ERROR, "x", "y");
    return close(reader) == 0 ? WORKED : FAILED;
}

static void a_full_pipe_does_not_hold_the_program(void **state)
{
    (void)state;
    in_child(fill_pipe, "");
}

static void a_file_that_is_a_symlink_or_a_pipe_without_reader_is_left_alone(void **state)
{
    (void)state;
    char other[80];
    snprintf(other, sizeof other, "%s.other", path);
    assert_int_equal(symlink(other, path), 0);
    open_log(LOG_ERROR, LOG_LOGFMT, path);
    log_say(LOG_ERROR, "x", "y");
    assert_int_equal(access(other, F_OK), -1);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    errno = 4711;
    log_say(LOG_ERROR, "x", "y");
    assert_int_equal(errno, 4711);
    open_log(LOG_ERROR, LOG_LOGFMT, "/none/such/file");
    log_say(LOG_ERROR, "x", "y");
    open_log(LOG_ERROR, LOG_LOGFMT, "relative");
    log_say(LOG_ERROR, "x", "y");
    assert_int_equal(errno, 4711);
    assert_int_equal(access("relative", F_OK), -1);
}

/* ---- syslog ---- */

static bool has_dev_of_its_own(void)
{
    return unshare(CLONE_NEWNS) == 0 && mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
           mount("none", "/dev", "tmpfs", 0, "size=1m") == 0;
}

static int listen_syslog(void)
{
    const struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    char text[2048] = "", expected[512];
    if (!has_dev_of_its_own())
        return CANNOT;
    open_log(LOG_DEBUG, LOG_LOGFMT, "syslog");
    log_say(LOG_WARN, "nobody", "there is nobody yet");
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    if (bind(fd, (const struct sockaddr *)&log, sizeof log) != 0)
        return CANNOT;
    log_say(LOG_WARN, "x", "one two");
    snprintf(
        expected, sizeof expected,
        "<12>Nov 21 14:00:00 %.32s[%d]: time=2026-11-21T14:00:00.123Z level=warn program=%s pid=%d event=x "
        "msg=\"one two\"",
        program_invocation_short_name, getpid(), program_invocation_short_name, getpid());
    if (recv(fd, text, sizeof text - 1, 0) <= 0 || strcmp(text, expected) != 0)
        return FAILED;
    pretended_ms = 1772323200000; /* 2026-03-01: the day of one digit has two blanks before it */
    memset(text, 0, sizeof text);
    log_say(LOG_DEBUG, "x", "y");
    if (recv(fd, text, sizeof text - 1, 0) <= 0 || strncmp(text, "<15>Mar  1 00:00:00 ", 20) != 0)
        return FAILED;
    for (unsigned i = 0; i < 2000; i++) /* a full queue */
        log_say(LOG_ERROR, "x", "y");
    close(fd);
    log_say(LOG_ERROR, "x", "nobody reads any more");
    return WORKED;
}

static void syslog_gets_datagrams_and_never_holds_the_program(void **state)
{
    (void)state;
    in_child(listen_syslog, "may not mount");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(standard_error_is_the_usual_target),
        LOG_TEST(a_standard_error_that_is_another_file_by_now_is_left_alone),
        LOG_TEST(a_program_started_without_standard_error_gets_no_line_in_its_files),
        LOG_TEST(a_pipe_without_a_reader_does_not_end_the_program),
        LOG_TEST(a_limit_on_file_sizes_does_not_end_the_program),
        LOG_TEST(a_signal_that_was_pending_before_stays_pending),
        LOG_TEST(a_full_pipe_does_not_hold_the_program),
        LOG_TEST(a_file_that_is_a_symlink_or_a_pipe_without_reader_is_left_alone),
        LOG_TEST(syslog_gets_datagrams_and_never_holds_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
