/*
 * Writing to a descriptor that is the program's is full of traps, each of which would end or hold the
 * program: a pipe without a reader raises SIGPIPE, a file at its `ulimit -f` SIGXFSZ, a terminal of
 * another job (`stty tostop`) SIGTTOU, and a full pipe blocks. So the pipe is asked for room first (a
 * line is shorter than PIPE_BUF, and room means as much as that), and the three signals are blocked in
 * this thread around the write; the first two are raised for the writing thread alone, so what the write
 * itself raised is taken out of the queue, unless one was pending before. To ask poll for POLLERR only
 * would leave a moment in which the reader can go. SIGTTOU, where blocked, lets the write through.
 */
#include "report/log.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "report/stamp.h"
#include "sys/clock.h"
#include "sys/raw.h"

/* A target that has been replaced may still be read by who writes a line just then: it stays for the next
 * few. Threads that begin at the same time each write one of their own. */
enum { TARGETS = 16 };

static struct {
    struct log_target targets[TARGETS];
    _Atomic unsigned claimed, current;
    dev_t device; /* of descriptor 2 at the start */
    ino_t inode;
    bool has_stderr;
    bool is_remembered;
    _Atomic int level; /* stored last: before it is there, nothing is wanted */
} opened;

static const char *const level_names[] = {"off", "error", "warn", "info", "debug"}; /* by enum log_level */

bool log_is_target(const char *text)
{
    bool is_path = text[0] == '/' && strlen(text) < sizeof opened.targets->path;

    return is_path || strcmp(text, "stderr") == 0 || strcmp(text, "syslog") == 0;
}

void log_remember_stderr(void)
{
    struct stat st;

    opened.has_stderr = sys_fstat(STDERR_FILENO, &st) == 0;
    if (opened.has_stderr) {
        opened.device = st.st_dev;
        opened.inode = st.st_ino;
    }
    opened.is_remembered = true;
}

void log_open(const struct log_target *target)
{
    unsigned next = atomic_fetch_add(&opened.claimed, 1) + 1;
    struct log_target *own = &opened.targets[next % TARGETS];

    *own = *target;
    own->path[sizeof own->path - 1] = '\0';
    if (!opened.is_remembered)
        log_remember_stderr();
    atomic_store(&opened.current, next);
    atomic_store_explicit(&opened.level, (int)target->level, memory_order_release);
}

bool log_wants(enum log_level level)
{
    return level != LOG_OFF && (int)level <= atomic_load_explicit(&opened.level, memory_order_acquire);
}

static const struct log_target *target(void)
{
    return &opened.targets[atomic_load(&opened.current) % TARGETS];
}

/* ---- a line ---- */

/* Bytes that may still come; what ends the line is kept free. */
static size_t room(const struct log_line *line)
{
    return sizeof line->text - (line->is_json ? 2 : 1) - line->length;
}

/* All or nothing. */
static bool put(struct log_line *line, const char *bytes, size_t length)
{
    if (length > room(line))
        return false;
    memcpy(line->text + line->length, bytes, length);
    line->length = (uint16_t)(line->length + length);
    return true;
}

static bool put_string(struct log_line *line, const char *text)
{
    return put(line, text, strlen(text));
}

/* Names are ours, but a stray blank in one must not shift the fields. */
static bool put_name(struct log_line *line, const char *name)
{
    if (line->is_json ? !put(line, line->length == 0 ? "{\"" : ",\"", 2)
                      : line->length > 0 && !put(line, " ", 1))
        return false;
    for (; *name; name++) {
        const char c = *name;
        const bool is_word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             c == '_' || c == '.' || c == '-';
        if (!put(line, is_word ? &c : "_", 1))
            return false;
    }
    return put_string(line, line->is_json ? "\":" : "=");
}

/* A value that logfmt takes without quotes. */
static bool is_bare(const char *value)
{
    if (*value == '\0')
        return false;
    for (; *value; value++)
        if (*value <= ' ' || *value > '~' || *value == '"' || *value == '=' || *value == '\\')
            return false;
    return true;
}

/*
 * One character of UTF-8 (RFC 3629: no overlong forms, no surrogates). Returns its length, or 0 when
 * there is none. A NUL is never passed over, so nothing behind the text is read.
 */
static unsigned utf8_read(const unsigned char *text, uint32_t *character)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char first = text[0];
    const unsigned length = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (length <= 1) {
        *character = first;
        return length;
    }
    uint32_t c = first & (0x7fu >> length);
    for (unsigned i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (text[i] & 0x3fu);
    }
    *character = c;
    return first > 0xf4 || c < lowest[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff) ? 0 : length;
}

/* What would move the cursor, break the line or turn the reading direction. */
static bool is_harmful(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c <= 0x9f) || (c >= 0x200e && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

/* JSON's escapes, which logfmt's readers know too. Returns the length. */
static size_t escape(uint32_t c, char out[6])
{
    static const char plain[] = "\"\"\\\\\nn\rr\tt"; /* character, letter behind the backslash */
    out[0] = '\\';
    for (const char *pair = plain; *pair; pair += 2)
        if (c == (unsigned char)*pair) {
            out[1] = pair[1];
            return 2;
        }
    out[1] = 'u';
    for (unsigned i = 0; i < 4; i++)
        out[2 + i] = "0123456789abcdef"[c >> (12 - 4 * i) & 15];
    return 6;
}

/* In quotes, cut between characters where it does not fit. */
static bool put_quoted(struct log_line *line, const char *value)
{
    if (room(line) < 2)
        return false;
    put(line, "\"", 1);
    while (*value) {
        char escaped[6];
        const char *piece = value;
        uint32_t c;
        size_t step = utf8_read((const unsigned char *)value, &c);
        size_t length = step;
        if (step == 0) {
            piece = "\xef\xbf\xbd"; /* U+FFFD */
            length = 3;
            step = 1;
        } else if (is_harmful(c) || c == '"' || c == '\\') {
            piece = escaped;
            length = escape(c, escaped);
        }
        if (length + 1 > room(line))
            break;
        put(line, piece, length);
        value += step;
    }
    return put(line, "\"", 1);
}

void log_text(struct log_line *line, const char *name, const char *value)
{
    const uint16_t before = line->length;
    bool fits = put_name(line, name);
    if (!value)
        value = "";
    if (fits && !line->is_json && is_bare(value)) {
        const size_t length = strlen(value);
        fits = room(line) > 0 && put(line, value, length < room(line) ? length : room(line));
    } else if (fits) {
        fits = put_quoted(line, value);
    }
    if (!fits)
        line->length = before;
}

void log_number(struct log_line *line, const char *name, int64_t value)
{
    char text[STAMP_DIGITS_MOST];
    const uint16_t before = line->length;
    const uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    if (!put_name(line, name) || (value < 0 && !put(line, "-", 1)) ||
        !put_string(line, stamp_digits(text, size, 1)))
        line->length = before;
}

/* Empty while libc itself is not ready yet, as in a constructor that runs before its own (initfirst). */
static const char *program_name(void)
{
    const char *name = program_invocation_short_name;
    return name && name[0] != '\0' ? name : "?";
}

void log_begin(struct log_line *line, enum log_level level, const char *event, const char *sentence)
{
    char time[STAMP_UTC_MOST];
    stamp_utc(time, clock_unix_ms());
    line->length = 0;
    line->is_json = target()->format == LOG_JSON;
    line->level = level;
    log_text(line, "time", time);
    log_text(line, "level", (unsigned)level <= LOG_DEBUG ? level_names[level] : "debug");
    log_text(line, "program", program_name());
    log_number(line, "pid", sys_getpid());
    log_text(line, "event", event);
    log_text(line, "msg", sentence);
}

/* ---- writing it ---- */

static void write_quietly(int fd, const char *text, size_t length)
{
    uint64_t before;
    if (sys_mask_signals(SIG_BLOCK, sys_signal(SIGPIPE) | sys_signal(SIGXFSZ) | sys_signal(SIGTTOU),
                         &before) != 0)
        return;
    const uint64_t pending = sys_pending_signals();
    const long result = sys_write(fd, text, length);
    const int signal = result == -EPIPE ? SIGPIPE : result == -EFBIG ? SIGXFSZ : 0;
    if (signal != 0 && !(pending & sys_signal(signal)))
        sys_take_signal(sys_signal(signal));
    sys_mask_signals(SIG_SETMASK, before, NULL);
}

static void write_stderr(const char *text, size_t length)
{
    struct stat st;
    struct pollfd poll = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (!opened.has_stderr || sys_fstat(STDERR_FILENO, &st) != 0 || st.st_dev != opened.device ||
        st.st_ino != opened.inode)
        return;
    if (sys_poll_now(&poll, 1) == 1 && poll.revents == POLLOUT)
        write_quietly(STDERR_FILENO, text, length);
}

/* Non-blocking for the sake of a path that is a pipe. */
static void write_file(const char *path, const char *text, size_t length)
{
    const int fd = sys_openat(
        AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600);
    if (fd < 0)
        return;
    write_quietly(fd, text, length);
    sys_close(fd);
}

/* "<12>Nov 21 14:00:00 curl[123]: "; journald and rsyslog put their own time there. */
static void print_syslog_head(char text[128], enum log_level level)
{
    enum { FACILITY_USER = 1 << 3, SEVERITY_ERROR = 3, SEVERITY_WARNING = 4, SEVERITY_INFO = 6 };
    const unsigned severity = level == LOG_ERROR  ? SEVERITY_ERROR
                              : level == LOG_WARN ? SEVERITY_WARNING
                                                  : SEVERITY_INFO + (level == LOG_DEBUG);
    char number[STAMP_DIGITS_MOST], time[STAMP_SYSLOG_MOST];

    stamp_syslog(time, clock_unix_ms());
    char *at = stpcpy(stpcpy(text, "<"), stamp_digits(number, FACILITY_USER + severity, 1));
    at = stpcpy(stpcpy(stpcpy(at, ">"), time), " ");
    /* A tag is 32 letters, digits and little else. */
    const char *name = program_name();
    for (unsigned i = 0; i < 32 && *name; i++, name++)
        *at++ = *name > ' ' && *name <= '~' && !strchr("[]:%", *name) ? *name : '_';
    at = stpcpy(stpcpy(at, "["), stamp_digits(number, (uint64_t)sys_getpid(), 1));
    stpcpy(at, "]: ");
}

static void write_syslog(enum log_level level, const char *text, size_t length)
{
    struct sockaddr_un log = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    char head[128];
    print_syslog_head(head, level);
    struct iovec parts[] = {
        {head,                    strlen(head)},
        {(void *)(uintptr_t)text, length      }
    };
    const struct msghdr message = {
        .msg_name = &log, .msg_namelen = sizeof log, .msg_iov = parts, .msg_iovlen = 2};
    const int fd = sys_socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    sys_sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    sys_close(fd);
}

void log_end(struct log_line *line)
{
    if (!log_wants(line->level))
        return;
    const int kept = errno;
    const char *path = target()->path;
    if (line->is_json)
        line->text[line->length++] = '}';
    line->text[line->length] = '\n';
    if (path[0] == '\0')
        write_stderr(line->text, line->length + 1u);
    else if (strcmp(path, "syslog") == 0)
        write_syslog(line->level, line->text, line->length);
    else if (path[0] == '/')
        write_file(path, line->text, line->length + 1u);
    errno = kept;
}

void log_begin_bare(struct log_line *line)
{
    line->length = 0;
    line->is_json = true;
    line->level = LOG_OFF;
}

void log_write(struct log_line *line, const char *path)
{
    const int kept = errno;
    line->text[line->length++] = '}';
    line->text[line->length] = '\n';
    write_file(path, line->text, line->length + 1u);
    errno = kept;
}

void log_say(enum log_level level, const char *event, const char *sentence)
{
    struct log_line line;
    if (!log_wants(level))
        return;
    log_begin(&line, level, event, sentence);
    log_end(&line);
}
