#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "report/log.h"

enum { WORKED = 0, FAILED = 1, CANNOT = 77 };

/* The library's clock ends here: a time of the test's, or the kernel's. */
static _Atomic int64_t pretended_ms = -1;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const int64_t ms = pretended_ms;
    if (ms < 0 || clock != CLOCK_REALTIME)
        return (int)syscall(SYS_clock_gettime, clock, now);
    now->tv_sec = (time_t)(ms / 1000);
    now->tv_nsec = ms % 1000 * 1000000;
    return 0;
}

static char path[64];

static int path_make(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/gusset-log-%d", getpid());
    unlink(path);
    pretended_ms = 1795269600123; /* 2026-11-21T14:00:00.123Z */
    return 0;
}

static int path_remove(void **state)
{
    (void)state;
    pretended_ms = -1;
    unlink(path);
    return 0;
}

static void open_log(enum log_level level, enum log_format format, const char *to)
{
    struct log_target target = {.level = level, .format = format};
    strcpy(target.path, to);
    log_remember_stderr(); /* as the library does when its program starts */
    log_open(&target);
}

/* What lies in the file; it is emptied. */
static const char *written(void)
{
    static char text[8192];
    const int fd = open(path, O_RDONLY);
    const ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[length < 0 ? 0 : length] = '\0';
    if (fd >= 0)
        close(fd);
    unlink(path);
    return text;
}

/* "program=… pid=…", as every line has it. */
static const char *head(const char *format)
{
    static char text[256];
    snprintf(text, sizeof text, format, program_invocation_short_name, getpid());
    return text;
}

static const char *line_with(const char *name, const char *value)
{
    struct log_line line;
    log_begin(&line, LOG_ERROR, "x", "y");
    log_text(&line, name, value);
    log_end(&line);
    return written();
}

/* The last field of a line with that value is written as expected. */
static void assert_field(const char *value, const char *expected)
{
    const char *line = line_with("v", value);
    const bool is_json = line[0] == '{';
    char end[512];
    snprintf(end, sizeof end, is_json ? ",\"v\":%s}\n" : " v=%s\n", expected);
    assert_true(strlen(line) > strlen(end));
    assert_string_equal(line + strlen(line) - strlen(end), end);
}

/* ---- lines ---- */

static void a_line_in_logfmt_says_all(void **state)
{
    (void)state;
    struct log_line line;
    open_log(LOG_WARN, LOG_LOGFMT, path);
    log_begin(&line, LOG_WARN, "retry", "attempt 1 failed, next in 800 ms");
    log_text(&line, "host", "api.example.com:443");
    log_number(&line, "wait_ms", 800);
    log_end(&line);
    assert_string_equal(written(),
                        head("time=2026-11-21T14:00:00.123Z level=warn program=%s pid=%d event=retry "
                             "msg=\"attempt 1 failed, next in 800 ms\" host=api.example.com:443 "
                             "wait_ms=800\n"));
}

static void a_line_in_json_says_the_same(void **state)
{
    (void)state;
    struct log_line line;
    open_log(LOG_WARN, LOG_JSON, path);
    log_begin(&line, LOG_ERROR, "retry", "attempt 1 failed");
    log_text(&line, "host", "a:1");
    log_number(&line, "wait_ms", -800);
    log_end(&line);
    assert_string_equal(written(),
                        head("{\"time\":\"2026-11-21T14:00:00.123Z\",\"level\":\"error\",\"program\":\"%s\","
                             "\"pid\":%d,\"event\":\"retry\",\"msg\":\"attempt 1 failed\","
                             "\"host\":\"a:1\",\"wait_ms\":-800}\n"));
}

static void only_levels_asked_for_are_written(void **state)
{
    (void)state;
    open_log(LOG_WARN, LOG_LOGFMT, path);
    assert_true(log_wants(LOG_ERROR));
    assert_true(log_wants(LOG_WARN));
    assert_false(log_wants(LOG_INFO));
    assert_false(log_wants(LOG_OFF));
    log_say(LOG_INFO, "x", "y");
    assert_int_equal(access(path, F_OK), -1);
    open_log(LOG_OFF, LOG_LOGFMT, path);
    assert_false(log_wants(LOG_ERROR));
    log_say(LOG_ERROR, "x", "y");
    log_say(LOG_OFF, "x", "y");
    assert_int_equal(access(path, F_OK), -1);
}

static void lines_are_appended(void **state)
{
    (void)state;
    struct stat st;
    open_log(LOG_DEBUG, LOG_LOGFMT, path);
    log_say(LOG_DEBUG, "one", "1");
    log_say(LOG_INFO, "two", "2");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode, S_IFREG | 0600);
    const char *text = written();
    assert_non_null(strstr(text, "level=debug"));
    assert_non_null(strstr(text, "event=one msg=1\ntime="));
    assert_non_null(strstr(text, "level=info"));
    assert_non_null(strstr(text, "event=two msg=2\n"));
}

static void the_date_is_that_of_gmtime(void **state)
{
    (void)state;
    static const int64_t seconds[] = {0,          951782399,  951782400,  951868800,  1709164800,  1709251199,
                                      1735689599, 1735689600, 4107542399, 4107542400, 253402300799};
    uint64_t x = 88172645463325252u;
    open_log(LOG_ERROR, LOG_LOGFMT, path);
    for (unsigned i = 0; i < 500; i++) {
        char expected[64];
        struct tm tm;
        x ^= x << 13, x ^= x >> 7, x ^= x << 17;
        const time_t second =
            i < sizeof seconds / sizeof seconds[0] ? seconds[i] : (time_t)((x >> 20) % 253402300800);
        pretended_ms = second * 1000 + i;
        gmtime_r(&second, &tm);
        snprintf(expected, sizeof expected, "time=%04d-%02d-%02dT%02d:%02d:%02d.%03uZ ", tm.tm_year + 1900,
                 tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, i);
        log_say(LOG_ERROR, "x", "y");
        assert_int_equal(strncmp(written(), expected, strlen(expected)), 0);
    }
    pretended_ms = INT64_MAX; /* a broken clock */
    log_say(LOG_ERROR, "x", "y");
    assert_int_equal(strncmp(written(), "time=292278994-", 15), 0);
}

/* ---- values ---- */

static void values_are_quoted_in_logfmt_where_they_must(void **state)
{
    (void)state;
    open_log(LOG_ERROR, LOG_LOGFMT, path);
    assert_field("plain-1.2:3/x", "plain-1.2:3/x");
    assert_field("", "\"\"");
    assert_field(NULL, "\"\"");
    assert_field("two words", "\"two words\"");
    assert_field("a=b", "\"a=b\"");
    assert_field("say \"hi\"", "\"say \\\"hi\\\"\"");
    assert_field("back\\slash", "\"back\\\\slash\"");
    assert_field("grün", "\"grün\"");
}

static void nothing_that_moves_a_terminal_gets_through(void **state)
{
    (void)state;
    for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        open_log(LOG_ERROR, (enum log_format)format, path);
        assert_field("a\nlevel=error\r\t", "\"a\\nlevel=error\\r\\t\"");
        assert_field("\x1b[2J\a\x7f", "\"\\u001b[2J\\u0007\\u007f\"");
        assert_field("\xc2\x9b"
                     "2J",
                     "\"\\u009b2J\""); /* the C1 form of the same */
        assert_field("\xe2\x80\xae"
                     "gpj",
                     "\"\\u202egpj\"");              /* right to left */
        assert_field("\xe2\x80\xa8", "\"\\u2028\""); /* a line of its own in JavaScript */
    }
}

static void what_is_no_utf8_is_replaced_byte_by_byte(void **state)
{
    (void)state;
#define R "\xef\xbf\xbd"
    for (int format = LOG_LOGFMT; format <= LOG_JSON; format++) {
        open_log(LOG_ERROR, (enum log_format)format, path);
        assert_field("\xff", "\"" R "\"");
        assert_field("\x80z", "\"" R "z\"");
        assert_field("\xc0\xaf", "\"" R R "\""); /* overlong '/' */
        assert_field("\xe0\x80\xaf", "\"" R R R "\"");
        assert_field("\xed\xa0\x80", "\"" R R R "\"");       /* a surrogate */
        assert_field("\xf4\x90\x80\x80", "\"" R R R R "\""); /* beyond Unicode */
        assert_field("\xf8\x88\x80\x80", "\"" R R R R "\"");
        assert_field("\xe2\x82", "\"" R R "\""); /* cut short by the end */
        assert_field("\xf0\x9f\x98\x80", "\"\xf0\x9f\x98\x80\"");
    }
#undef R
}

static void numbers_of_every_size_are_written(void **state)
{
    (void)state;
    static const int64_t numbers[] = {0, -1, 42, INT64_MAX, INT64_MIN};
    static const char *const texts[] = {"0", "-1", "42", "9223372036854775807", "-9223372036854775808"};
    open_log(LOG_ERROR, LOG_LOGFMT, path);
    for (unsigned i = 0; i < 5; i++) {
        char expected[64];
        struct log_line line;
        log_begin(&line, LOG_ERROR, "x", "y");
        log_number(&line, "v", numbers[i]);
        log_end(&line);
        snprintf(expected, sizeof expected, " msg=y v=%s\n", texts[i]);
        assert_non_null(strstr(written(), expected));
    }
}

static void a_name_cannot_bring_a_field_of_its_own(void **state)
{
    (void)state;
    open_log(LOG_ERROR, LOG_LOGFMT, path);
    assert_non_null(strstr(line_with("a b=\"c\n", "v"), " a_b__c_=v\n"));
    open_log(LOG_ERROR, LOG_JSON, path);
    assert_non_null(strstr(line_with("a\":1,\"b", "v"), ",\"a__1__b\":\"v\"}\n"));
}

/* A flat object of strings and integers, by RFC 8259 and RFC 3629 as far as that goes. */
static bool skip_string(const unsigned char **at)
{
    if (*(*at)++ != '"')
        return false;
    for (; **at != '"'; (*at)++) {
        const unsigned char c = **at;
        if (c < 0x20)
            return false;
        if (c == '\\') {
            (*at)++;
            if (**at == 'u') {
                for (unsigned i = 0; i < 4; i++)
                    if (!strchr("0123456789abcdef", *++*at) || **at == '\0')
                        return false;
            } else if (**at == '\0' || !strchr("\"\\nrt", **at)) {
                return false;
            }
        }
        wchar_t ignored;
        if (c >= 0x80) {
            const int length = mbtowc(&ignored, (const char *)*at, 4);
            if (length < 2)
                return false;
            *at += length - 1;
        }
    }
    (*at)++;
    return true;
}

static bool is_json_line(const char *text)
{
    const unsigned char *at = (const unsigned char *)text;
    for (char before = '{'; before != '}'; before = (char)*at) {
        if (*at++ != (before == '{' ? '{' : ',') || !skip_string(&at) || *at++ != ':')
            return false;
        if (*at == '"') {
            if (!skip_string(&at))
                return false;
        } else {
            const size_t digits = strspn((const char *)at, "-0123456789");
            if (digits == 0)
                return false;
            at += digits;
        }
        if (*at != ',' && *at != '}')
            return false;
    }
    return strcmp((const char *)at, "}\n") == 0;
}

static void json_is_valid_and_ends_its_line_whatever_the_bytes(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252u;
    assert_true(is_json_line("{\"a\":\"b\",\"c\":-1}\n"));
    assert_false(is_json_line("{\"a\":\"b\",\"c\":}\n"));
    assert_false(is_json_line("{\"a\":\"\xff\"}\n"));
    open_log(LOG_ERROR, LOG_JSON, path);
    for (unsigned round = 0; round < 3000; round++) {
        struct log_line line;
        char bytes[1500];
        log_begin(&line, LOG_ERROR, "x", "y");
        for (unsigned field = 0; field < 4; field++) {
            size_t length = 0;
            const size_t wanted = (x >> 30) % (round % 3 ? 300 : sizeof bytes);
            for (; length + 1 < wanted; length++) {
                x ^= x << 13, x ^= x >> 7, x ^= x << 17;
                bytes[length] = (char)(round % 2 ? 1 + (x >> 33) % 255 : 0xc0 + (x >> 33) % 64);
            }
            bytes[length] = '\0';
            log_text(&line, "v", bytes);
            log_number(&line, "n", (int64_t)x);
        }
        log_end(&line);
        const char *text = written();
        assert_true(strlen(text) <= sizeof line.text);
        assert_true(is_json_line(text));
    }
}

static void what_does_not_fit_is_cut_but_never_the_newline(void **state)
{
    (void)state;
    char value[3000];
    memset(value, 'v', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    open_log(LOG_ERROR, LOG_LOGFMT, path);
    const char *text = line_with("v", value);
    assert_int_equal(strlen(text), 1024);
    assert_string_equal(text + 1022, "v\n");
    value[100] = ' '; /* quoted */
    text = line_with("v", value);
    assert_int_equal(strlen(text), 1024);
    assert_string_equal(text + 1021, "v\"\n");
    struct log_line line;
    log_begin(&line, LOG_ERROR, "x", "y");
    for (unsigned i = 0; i < 200; i++) { /* fields come whole or not at all */
        log_number(&line, "number", 1234567);
        log_text(&line, "text", "a b");
    }
    log_end(&line);
    text = written();
    assert_true(strlen(text) <= 1024 && text[strlen(text) - 1] == '\n');
}

/* ---- where lines go ---- */

static void in_child(int (*work)(void), const char *cannot)
{
    int status = 0;
    const pid_t child = fork();
    if (child == 0) {
        alarm(20);
        _exit(work());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    if (status == CANNOT << 8) {
        print_message("skipped: %s\n", cannot);
        skip();
    }
    assert_int_equal(status, 0);
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

#define TEST(name) cmocka_unit_test_setup_teardown(name, path_make, path_remove)

int main(void)
{
    setlocale(LC_CTYPE, "C.UTF-8"); /* mbtowc */
    const struct CMUnitTest tests[] = {
        TEST(a_line_in_logfmt_says_all),
        TEST(a_line_in_json_says_the_same),
        TEST(only_levels_asked_for_are_written),
        TEST(lines_are_appended),
        TEST(the_date_is_that_of_gmtime),
        TEST(values_are_quoted_in_logfmt_where_they_must),
        TEST(nothing_that_moves_a_terminal_gets_through),
        TEST(what_is_no_utf8_is_replaced_byte_by_byte),
        TEST(numbers_of_every_size_are_written),
        TEST(a_name_cannot_bring_a_field_of_its_own),
        TEST(json_is_valid_and_ends_its_line_whatever_the_bytes),
        TEST(what_does_not_fit_is_cut_but_never_the_newline),
        TEST(standard_error_is_the_usual_target),
        TEST(a_standard_error_that_is_another_file_by_now_is_left_alone),
        TEST(a_program_started_without_standard_error_gets_no_line_in_its_files),
        TEST(a_pipe_without_a_reader_does_not_end_the_program),
        TEST(a_limit_on_file_sizes_does_not_end_the_program),
        TEST(a_signal_that_was_pending_before_stays_pending),
        TEST(a_full_pipe_does_not_hold_the_program),
        TEST(a_file_that_is_a_symlink_or_a_pipe_without_reader_is_left_alone),
        TEST(syslog_gets_datagrams_and_never_holds_the_program),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
