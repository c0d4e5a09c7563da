#include "tool/reach.h"

#include <ctype.h>
#include <elf.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sys/elf.h"

enum { NAME_MOST = 256, PIECE = 65536, READ_MOST = 1 << 30 };

/* What a file may ask the loader for, and what follows from it. */
enum call { CALL_EASY, CALL_MULTI, CALL_CONNECT, CALL_DLOPEN, CALL_DLSYM, CALL_CONFINE, CALLS };

static const struct {
    const char *name;
    enum call call;
} marks[] = {
    {"curl_easy_perform",        CALL_EASY   },
    {"curl_multi_perform",       CALL_MULTI  },
    {"curl_multi_socket_action", CALL_MULTI  },
    {"connect",                  CALL_CONNECT},
    {"dlopen",                   CALL_DLOPEN },
    {"dlsym",                    CALL_DLSYM  },
    {"seccomp_load",             CALL_CONFINE},
};

/* Libraries that look names up by themselves: gusset learns the address, and not the name. */
static const char *const resolvers[] = {"libcares.so", "libunbound.so", "libgetdns.so", "libadns.so",
                                        "libevent_extra"};

struct sight {
    char callers[CALLS][NAME_MOST]; /* the first file that makes the call; "" for none */
    const char *libcurl, *resolver;
};

const char *reach_way_name(enum reach_way way)
{
    static const char *const names[] = {"easy", "multi", "connect"};
    return names[way];
}

const char *reach_level_name(enum reach_level level)
{
    static const char *const names[] = {"not used", "seen", "if it comes", "partly", "missed"};
    return names[level];
}

void reach_note(struct reach *reach, const char *format, ...)
{
    va_list arguments;

    if (reach->note_count == REACH_NOTES)
        return;
    va_start(arguments, format);
    vsnprintf(reach->notes[reach->note_count++], REACH_NOTE, format, arguments);
    va_end(arguments);
}

static void say(struct reach *reach, enum reach_way way, enum reach_level level, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void say(struct reach *reach, enum reach_way way, enum reach_level level, const char *format, ...)
{
    va_list arguments;

    reach->levels[way] = level;
    va_start(arguments, format);
    vsnprintf(reach->whys[way], REACH_NOTE, format, arguments);
    va_end(arguments);
}

/* ---- looking ---- */

static bool is_library(const char *path, const char *name)
{
    return strncmp(objects_name(path), name, strlen(name)) == 0;
}

/* libcurl.so.4, libcurl-gnutls.so.4; libcurlpp is a caller of it. */
static bool is_curl(const char *path)
{
    return is_library(path, "libcurl") && !isalpha((unsigned char)objects_name(path)[sizeof "libcurl" - 1]);
}

/* libc calls connect() inside itself, where nobody can stand in front of it, and libcurl's are judged before.
 */
static bool is_behind_us(const char *path)
{
    static const char *const names[] = {"libc.so",      "libc-2.",  "libresolv.so",
                                        "libresolv-2.", "ld-linux", "libgusset.so"};

    if (is_curl(path))
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (is_library(path, names[i]))
            return true;
    return false;
}

static void look_at_symbols(struct sight *sight, const struct elf *elf, const char *path)
{
    char name[NAME_MOST];
    bool is_defined;

    for (unsigned i = 1, count = elf_symbols(elf); i < count; i++) {
        if (!elf_symbol(elf, i, name, sizeof name, &is_defined) || is_defined)
            continue;
        for (size_t k = 0; k < sizeof marks / sizeof *marks; k++)
            if (strcmp(marks[k].name, name) == 0 && !sight->callers[marks[k].call][0])
                snprintf(sight->callers[marks[k].call], NAME_MOST, "%s", objects_name(path));
    }
}

static void look_at(struct sight *sight, const char *path)
{
    struct elf elf;

    if (is_curl(path) && !sight->libcurl)
        sight->libcurl = objects_name(path);
    for (size_t i = 0; i < sizeof resolvers / sizeof *resolvers; i++)
        if (is_library(path, resolvers[i]))
            sight->resolver = objects_name(path);
    if (is_behind_us(path) || elf_open(&elf, path) < 0)
        return;
    look_at_symbols(sight, &elf, path);
    elf_close(&elf);
}

/* Go's linker leaves a note: owner "Go", type 4. Go makes its system calls without libc. */
static bool is_go(const struct elf *elf)
{
    static const char owner[] = {4, 0, 0, 0, 'G', 'o', 0, 0};
    struct elf_segment segment;
    char notes[4096];

    for (unsigned i = 0; elf_segment(elf, i, &segment); i++) {
        if (segment.type != PT_NOTE)
            continue;
        ssize_t length = pread(elf->fd, notes, sizeof notes, (off_t)segment.offset);
        if (length > 0 && memmem(notes, (size_t)length, owner, sizeof owner))
            return true;
    }
    return false;
}

/* What every libcurl says when it keeps a connection. */
static bool holds_libcurl(const struct elf *elf)
{
    static const char sentence[] = "Connection #%ld to host %s left intact";
    static char piece[PIECE + sizeof sentence];
    ssize_t length;

    for (off_t at = 0; at < READ_MOST && (length = pread(elf->fd, piece, sizeof piece, at)) > 0; at += PIECE)
        if (memmem(piece, (size_t)length, sentence, sizeof sentence - 1))
            return true;
    return false;
}

static bool stands_before(const char *library, const char *function)
{
    struct elf elf;
    char name[NAME_MOST];
    bool found = false, is_defined;

    if (elf_open(&elf, library) < 0)
        return false;
    for (unsigned i = 1, count = elf_symbols(&elf); i < count && !found; i++)
        found =
            elf_symbol(&elf, i, name, sizeof name, &is_defined) && is_defined && strcmp(name, function) == 0;
    elf_close(&elf);
    return found;
}

/* ---- judging ---- */

static void judge_curl(struct reach *reach, const struct sight *sight, enum reach_way way, enum call call,
                       const char *function, const char *library, bool is_running)
{
    const char *caller = sight->callers[call];

    if (caller[0] && !stands_before(library, function))
        say(reach, way, REACH_MISSED, "%s calls it, and this libgusset.so does not stand in front of it",
            caller);
    else if (caller[0] && sight->libcurl)
        say(reach, way, REACH_SEEN, "%s calls %s", caller, sight->libcurl);
    else if (reach->has_own_libcurl)
        say(reach, way, REACH_MISSED, "a libcurl is linked into the program, where the loader is not asked");
    else if (!sight->callers[CALL_DLOPEN][0] && !sight->libcurl)
        say(reach, way, REACH_UNUSED, "the program has no libcurl and cannot load one");
    else if (!stands_before(library, function))
        say(reach, way, REACH_UNUSED, "nothing calls it%s", is_running ? " so far" : "");
    else if (sight->callers[CALL_DLOPEN][0])
        say(reach, way, REACH_LATER, "%s; libcurl by dlopen is seen, with dlsym and bound deeply too",
            is_running ? "not called so far" : "it may be loaded as the program runs");
    else
        say(reach, way, REACH_UNUSED, "nothing calls it");
}

static void judge_connect(struct reach *reach, const struct sight *sight)
{
    const char *caller = sight->callers[CALL_CONNECT];

    if (caller[0] && sight->resolver)
        say(reach, REACH_CONNECT, REACH_PARTLY,
            "%s calls it; %s looks names up by itself, so rules by address hold", caller, sight->resolver);
    else if (caller[0] || reach->has_own_libcurl)
        say(reach, REACH_CONNECT, REACH_SEEN, "%s calls it", caller[0] ? caller : "the program");
    else if (sight->libcurl)
        say(reach, REACH_CONNECT, REACH_UNUSED, "only libcurl calls it, and is judged before");
    else if (sight->callers[CALL_DLOPEN][0])
        say(reach, REACH_CONNECT, REACH_LATER, "what is loaded as the program runs may call it");
    else
        say(reach, REACH_CONNECT, REACH_UNUSED, "nothing calls it");
}

void reach_none(struct reach *reach, const char *reason)
{
    for (int way = 0; way < REACH_WAYS; way++)
        say(reach, (enum reach_way)way, REACH_MISSED, "%s", "the library does not get into the program");
    reach_note(reach, "%s", reason);
}

void reach_judge(struct reach *reach, const struct objects *objects, const char *library, bool is_running)
{
    struct sight sight = {.libcurl = NULL};
    struct elf elf;

    for (unsigned i = 0; i < objects->count; i++)
        look_at(&sight, objects->paths[i]);
    if (sight.libcurl)
        snprintf(reach->libcurl, sizeof reach->libcurl, "%s", sight.libcurl);
    if (objects->count && elf_open(&elf, objects->paths[0]) == 0) {
        reach->is_go = is_go(&elf);
        reach->has_own_libcurl = !sight.libcurl && holds_libcurl(&elf);
        elf_close(&elf);
    }
    if (reach->is_go) {
        reach_none(reach,
                   "it is a Go program: Go makes its system calls without libc, where no preload library "
                   "stands; a proxy can be put in front of it");
        return;
    }
    judge_curl(reach, &sight, REACH_EASY, CALL_EASY, "curl_easy_perform", library, is_running);
    judge_curl(reach, &sight, REACH_MULTI, CALL_MULTI, "curl_multi_perform", library, is_running);
    judge_connect(reach, &sight);
    if (sight.callers[CALL_CONFINE][0])
        reach_note(reach, "%s confines it by seccomp: what it calls after that is left alone",
                   sight.callers[CALL_CONFINE]);
    if (reach->has_own_libcurl)
        reach_note(
            reach,
            "a libcurl of its own is linked in: only connect() can be governed; use a build that links "
            "the system's libcurl");
    if (sight.resolver)
        reach_note(reach, "%s: write rules that match by address (10.0.0.0/8), or use a build without it",
                   sight.resolver);
}
