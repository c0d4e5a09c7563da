#include "config/expand.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/value.h"
#include "sys/raw.h"

enum { NAME_MOST = 255, PATH_LONGEST = 4095 };

/* ${…}, taken apart. */
struct reference {
    const char *name; /* the variable, or the path of a file */
    size_t name_length;
    const char *fallback; /* what follows ":-"; NULL: none */
    size_t fallback_length;
    bool is_file;
    const char *behind; /* the text after the closing brace */
};

struct output {
    char *text;
    size_t size;
    size_t length;
};

/* The effective user's number: a name would have to be looked up, which may allocate and connect. */
static const char *own_user(void)
{
    static _Thread_local char digits[12] __attribute__((tls_model("initial-exec")));
    char *at = digits + sizeof digits - 1;
    unsigned left = sys_geteuid();

    do {
        *--at = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    return at;
}

const char *expand_environment(const char *name)
{
    if (strcmp(name, "program") == 0)
        return program_invocation_short_name;
    if (strcmp(name, "user") == 0)
        return own_user();
    if (strncmp(name, "HTTP_", 5) == 0 && getenv("GATEWAY_INTERFACE"))
        return NULL;
    return getenv(name);
}

bool expand_is_template(const char *text)
{
    return strstr(text, "${") != NULL;
}

static bool is_name(const char *name, size_t length)
{
    if (length == 0 || length > NAME_MOST || (name[0] >= '0' && name[0] <= '9'))
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        if (!(c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9')))
            return false;
    }
    return true;
}

static enum expand_error judge(const struct reference *reference)
{
    if (reference->is_file)
        return reference->name[0] == '/' && reference->name_length <= PATH_LONGEST ? EXPAND_FINE
                                                                                   : EXPAND_FILE_PATH;
    if (!is_name(reference->name, reference->name_length))
        return EXPAND_BAD_NAME;
    for (size_t i = 0; i + 1 < reference->fallback_length; i++)
        if (reference->fallback[i] == '$' && reference->fallback[i + 1] == '{')
            return EXPAND_NESTED;
    return EXPAND_FINE;
}

/* text stands on "${". */
static bool read_reference(const char *text, struct reference *out, struct expand_fault *fault)
{
    const char *inside = text + 2;
    const char *end = strchr(inside, '}');

    *out = (struct reference){0};
    if (!end) {
        *fault = (struct expand_fault){EXPAND_UNCLOSED, inside, strlen(inside)};
        return false;
    }
    size_t length = (size_t)(end - inside);
    out->behind = end + 1;
    out->is_file = length >= 5 && memcmp(inside, "file:", 5) == 0;
    out->name = inside + (out->is_file ? 5 : 0);
    out->name_length = (size_t)(end - out->name);
    for (size_t i = 0; !out->is_file && i + 1 < length; i++)
        if (inside[i] == ':' && inside[i + 1] == '-') {
            out->name_length = i;
            out->fallback = inside + i + 2;
            out->fallback_length = length - i - 2;
            break;
        }
    *fault = (struct expand_fault){judge(out), out->name, out->name_length};
    return fault->error == EXPAND_FINE;
}

static bool put(struct output *out, const char *bytes, size_t length)
{
    if (length >= out->size - out->length)
        return false;
    memcpy(out->text + out->length, bytes, length);
    out->length += length;
    return true;
}

/* The first line, without its end, behind what the output holds. A longer file was refused already. */
static enum expand_error read_line(int fd, struct output *out)
{
    size_t start = out->length;
    for (;;) {
        size_t room = out->size - out->length;
        if (room <= 1)
            return EXPAND_TOO_LONG;
        long got = sys_read(fd, out->text + out->length, room - 1);
        if (got == -EINTR)
            continue;
        if (got < 0)
            return EXPAND_FILE_READ;
        const char *end = got > 0 ? memchr(out->text + out->length, '\n', (size_t)got) : NULL;
        out->length = end ? (size_t)(end - out->text) : out->length + (size_t)got;
        if (end || got == 0)
            break;
    }
    if (out->length > start && out->text[out->length - 1] == '\r')
        out->length--;
    return memchr(out->text + start, 0, out->length - start) ? EXPAND_FILE_NUL : EXPAND_FINE;
}

static enum expand_error put_file(struct output *out, const struct reference *reference)
{
    char path[PATH_LONGEST + 1];
    struct stat file;

    memcpy(path, reference->name, reference->name_length);
    path[reference->name_length] = 0;
    /* O_NONBLOCK: a fifo that nobody writes to must not hold the program; it is refused below. */
    int fd = sys_openat(AT_FDCWD, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return EXPAND_FILE_READ;
    const int kept = errno;
    enum expand_error error = EXPAND_FILE_KIND;
    if (sys_fstat(fd, &file) == 0 && S_ISREG(file.st_mode))
        error = file.st_size > EXPAND_FILE_MOST ? EXPAND_FILE_SIZE : read_line(fd, out);
    errno = kept;
    sys_close(fd);
    return error;
}

static enum expand_error put_variable(struct output *out, const struct reference *reference,
                                      expand_lookup *lookup)
{
    char name[NAME_MOST + 1];

    memcpy(name, reference->name, reference->name_length);
    name[reference->name_length] = 0;
    const char *value = lookup(name);
    if (reference->fallback && (!value || !value[0])) /* ":-" as the shell means it: unset or empty */
        return put(out, reference->fallback, reference->fallback_length) ? EXPAND_FINE : EXPAND_TOO_LONG;
    if (!value)
        return EXPAND_UNSET;
    return put(out, value, strlen(value)) ? EXPAND_FINE : EXPAND_TOO_LONG;
}

bool expand_is_sound(const char *text, struct expand_fault *fault)
{
    struct reference reference;
    *fault = (struct expand_fault){0};
    for (const char *at = strstr(text, "${"); at; at = strstr(reference.behind, "${"))
        if (!read_reference(at, &reference, fault))
            return false;
    return true;
}

long expand_text(const char *text, char *out, size_t size, expand_lookup *lookup, struct expand_fault *fault)
{
    struct output output = {out, size, 0};
    struct reference reference;

    *fault = (struct expand_fault){0};
    for (const char *at = text; *at;) {
        const char *next = strstr(at, "${");
        size_t literal = next ? (size_t)(next - at) : strlen(at);
        if (!put(&output, at, literal)) {
            fault->error = EXPAND_TOO_LONG;
            return -1;
        }
        if (!next)
            break;
        if (!read_reference(next, &reference, fault))
            return -1;
        fault->error =
            reference.is_file ? put_file(&output, &reference) : put_variable(&output, &reference, lookup);
        if (fault->error != EXPAND_FINE)
            return -1;
        at = reference.behind;
    }
    out[output.length] = 0;
    return (long)output.length;
}

size_t expand_explain(const struct expand_fault *fault, char *text, size_t size)
{
    static const struct {
        const char *before, *after;
    } sentences[] = {
        [EXPAND_FINE] = {"",                           ""                                                                     },
        [EXPAND_UNCLOSED] = {"${",                         " is not closed; expected ${NAME}"                                     },
        [EXPAND_BAD_NAME] = {"${",                         "} is no variable; expected ${NAME}, ${NAME:-default} or ${file:/path}"},
        [EXPAND_NESTED] = {"the default of ${",          "} holds another ${; expected plain text"                              },
        [EXPAND_UNSET] = {"the variable ",              " is not set and has no default"                                       },
        [EXPAND_FILE_PATH] = {"${file:",                    "} is not an absolute path"                                            },
        [EXPAND_FILE_READ] = {"the file ",                  " cannot be read"                                                      },
        [EXPAND_FILE_KIND] = {"",                           " is not a regular file"                                               },
        [EXPAND_FILE_SIZE] = {"the file ",                  " is larger than 64 KiB"                                               },
        [EXPAND_FILE_NUL] = {"the first line of ",         " holds a NUL byte"                                                    },
        [EXPAND_TOO_LONG] = {"the text is too long with ", ""                                                                     },
    };
    struct value_text out = {text, size, 0};
    text[0] = 0;
    value_put(&out, sentences[fault->error].before);
    if (fault->name)
        value_put_bytes(&out, fault->name, fault->name_length);
    value_put(&out, sentences[fault->error].after);
    return out.length;
}

static bool is_called(const struct reference *reference, const char *name)
{
    return reference->name_length == strlen(name) && memcmp(reference->name, name, strlen(name)) == 0;
}

bool expand_next(const char **at, struct expand_use *use)
{
    struct reference reference;
    struct expand_fault fault;
    const char *next = strstr(*at, "${");

    if (!next || !read_reference(next, &reference, &fault))
        return false;
    *at = reference.behind;
    *use = (struct expand_use){
        .name = reference.name,
        .name_length = reference.name_length,
        .fallback = reference.fallback,
        .fallback_length = reference.fallback_length,
        .is_file = reference.is_file,
        .is_own = !reference.is_file && (is_called(&reference, "program") || is_called(&reference, "user")),
    };
    return true;
}
