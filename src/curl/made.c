#include "curl/made.h"

#include <stdlib.h>
#include <string.h>

#include "curl/deliver.h"
#include "curl/request.h"
#include "curl/told.h"
#include "sys/paired.h"
#include "sys/raw.h"

enum { CHUNK = 16 * 1024 };

struct made {
    enum made_for who;
    enum made_end end;
    int ours;     /* our end of the connection; -1: it was closed, to reset the connection */
    int theirs;   /* libcurl's; -1: it has it */
    bool is_once; /* what was said of it is not kept */
    int file;
    uint64_t file_offset; /* of the body in it */
    uint64_t file_said;
    size_t said; /* of bytes */
    size_t length;
    char bytes[]; /* head and body */
};

/* A name that nobody has, of as many labels as CURLOPT_AWS_SIGV4 reads something into. */
static const char nowhere[] = "http://made.by.gusset.invalid/";

/* ---- the other end ---- */

/* False: the socket takes no more just now. */
static bool say_bytes(struct made *made)
{
    while (made->said < made->length) {
        long taken = sys_send(made->ours, made->bytes + made->said, made->length - made->said);
        if (taken < 0)
            return false;
        made->said += (size_t)taken;
    }
    return true;
}

static bool say_file(struct made *made)
{
    char chunk[CHUNK];

    while (made->file >= 0) {
        long size =
            sys_pread(made->file, chunk, sizeof chunk, (int64_t)(made->file_offset + made->file_said));
        if (size <= 0)
            break;
        long taken = sys_send(made->ours, chunk, (size_t)size);
        if (taken < 0)
            return false;
        made->file_said += (uint64_t)taken;
    }
    return true;
}

static void say(struct made *made)
{
    if (say_bytes(made) && say_file(made) && made->end == MADE_ENDS)
        sys_shutdown(made->ours, SHUT_WR); /* once more does no harm */
}

size_t made_say(struct call *call, const char *bytes, size_t size)
{
    struct made *made = call->made;
    long taken = made && say_bytes(made) ? sys_send(made->ours, bytes, size) : 0;

    return taken > 0 ? (size_t)taken : 0;
}

void made_close(struct call *call)
{
    if (!call->made)
        return;
    call->made->end = MADE_ENDS;
    say(call->made);
}

/* What libcurl sends is read by nobody, but must not fill the socket: a body may be long. */
static void listen_to(const struct made *made)
{
    char chunk[CHUNK];

    while (sys_receive(made->ours, chunk, sizeof chunk) > 0)
        ;
}

/* The kernel resets a connection that is closed before all was read. */
static void reset(struct made *made)
{
    struct pollfd one = {.fd = made->ours, .events = POLLIN};

    if (made->ours < 0 || sys_poll_now(&one, 1) <= 0)
        return;
    sys_close(made->ours);
    made->ours = -1;
}

void made_serve(struct call *call)
{
    if (call->made->end == MADE_RESETS) {
        reset(call->made);
        return;
    }
    listen_to(call->made);
    say(call->made);
}

/* ---- libcurl's callbacks ---- */

static bool connect_anew(struct made *made)
{
    int ends[2];

    if (sys_socketpair(ends) < 0)
        return false;
    if (made->ours >= 0)
        sys_close(made->ours);
    made->ours = ends[0];
    made->theirs = ends[1];
    made->said = 0;
    made->file_said = 0;
    say(made);
    return true;
}

/* Some replies make libcurl ask once more (a success to Digest's first, empty POST; 417), and they are said
 * again. */
static curl_socket_t give_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
    struct made *made = ((struct call *)data)->made;

    (void)purpose;
    (void)address;
    if (made->theirs < 0 && (made->is_once || !connect_anew(made)))
        return CURL_SOCKET_BAD;
    int given = made->theirs;
    made->theirs = -1;
    return given;
}

static int is_connected(void *unused, curl_socket_t socket, curlsocktype purpose)
{
    (void)unused;
    (void)socket;
    (void)purpose;
    return CURL_SOCKOPT_ALREADY_CONNECTED; /* 7.88 calls connect(2) all the same: sys/paired.h */
}

/* On its way to the program; where libcurl has read, there is room for more. */
static size_t body_bytes(char *bytes, size_t one, size_t count, void *data)
{
    struct call *call = data;
    const struct handle *handle = call->handle;
    size_t taken = deliver_by((curl_write_callback)handle->words[HANDLES_WRITEFUNCTION],
                              handles_pointer(handle, HANDLES_WRITEDATA), bytes, one * count);

    if (taken == one * count)
        made_serve(call);
    return taken;
}

/* HEADERDATA alone sends header lines to the write function, which would be ours. */
static size_t header_line(char *line, size_t one, size_t count, void *data)
{
    const struct handle *handle = ((struct call *)data)->handle;

    return deliver_by((curl_write_callback)handle->words[HANDLES_WRITEFUNCTION],
                      handles_pointer(handle, HANDLES_HEADERDATA), line, one * count);
}

/* ---- dressing ---- */

/* What is put on over the program's values, and where those are kept. */
static const struct {
    CURLoption option;
    enum handles_word word;
} worn_words[] = {
    {CURLOPT_CURLU,               HANDLES_CURLU              },
    {CURLOPT_OPENSOCKETFUNCTION,  HANDLES_OPENSOCKETFUNCTION },
    {CURLOPT_OPENSOCKETDATA,      HANDLES_OPENSOCKETDATA     },
    {CURLOPT_CLOSESOCKETFUNCTION, HANDLES_CLOSESOCKETFUNCTION},
    {CURLOPT_SOCKOPTFUNCTION,     HANDLES_SOCKOPTFUNCTION    },
    {CURLOPT_FORBID_REUSE,        HANDLES_FORBID_REUSE       },
    {CURLOPT_FRESH_CONNECT,       HANDLES_FRESH_CONNECT      },
    {CURLOPT_HTTP_VERSION,        HANDLES_HTTP_VERSION       },
    {CURLOPT_IPRESOLVE,           HANDLES_IPRESOLVE          },
};
static const struct {
    CURLoption option;
    enum handles_text text;
} worn_texts[] = {
    {CURLOPT_URL,              HANDLES_URL             },
    {CURLOPT_UNIX_SOCKET_PATH, HANDLES_UNIX_SOCKET_PATH},
    {CURLOPT_NOPROXY,          HANDLES_NOPROXY         },
};
/* These only where the reply is the program's; otherwise the attempt wears its own. */
static const struct {
    CURLoption option;
    enum handles_word word;
} worn_writers[] = {
    {CURLOPT_WRITEFUNCTION,  HANDLES_WRITEFUNCTION },
    {CURLOPT_WRITEDATA,      HANDLES_WRITEDATA     },
    {CURLOPT_HEADERFUNCTION, HANDLES_HEADERFUNCTION},
    {CURLOPT_HEADERDATA,     HANDLES_HEADERDATA    },
};
#define COUNT(table) (sizeof(table) / sizeof(table)[0])

/* 2 and 3 without being asked for by an upgrade are not what the other end speaks. */
static bool insists_on_version(const struct handle *handle)
{
    uint64_t version = handle->words[HANDLES_HTTP_VERSION];
    return version == CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE || version >= CURL_HTTP_VERSION_3;
}

static bool has_protocols(const struct handle *handle)
{
    return handle->words[HANDLES_PROTOCOLS] || handle->texts[HANDLES_PROTOCOLS_STR].bytes;
}

static void put_on_writers(struct call *call)
{
    const struct handle *handle = call->handle;

    call_set(call, CURLOPT_WRITEFUNCTION, body_bytes);
    call_set(call, CURLOPT_WRITEDATA, call);
    if (handle->words[HANDLES_HEADERFUNCTION] || !handle->words[HANDLES_HEADERDATA])
        return;
    call_set(call, CURLOPT_HEADERFUNCTION, header_line);
    call_set(call, CURLOPT_HEADERDATA, call);
}

static void put_on(struct call *call, const struct made_reply *reply)
{
    const struct handle *handle = call->handle;

    if (reply->was_secure &&
        handle->words[HANDLES_SHARE]) /* its HSTS would have TLS spoken to the other end */
        call_set(call, CURLOPT_SHARE, NULL);
    call_set(call, CURLOPT_CURLU, NULL);
    call_set(call, CURLOPT_URL, reply->url ? reply->url : nowhere);
    call_set(call, CURLOPT_UNIX_SOCKET_PATH, PAIRED_PATH);
    call_set(call, CURLOPT_NOPROXY, "*");
    call_set(call, CURLOPT_OPENSOCKETFUNCTION, give_socket);
    call_set(call, CURLOPT_OPENSOCKETDATA, call);
    call_set(call, CURLOPT_SOCKOPTFUNCTION, is_connected);
    call_set(call, CURLOPT_CLOSESOCKETFUNCTION, NULL);
    call_set(call, CURLOPT_FORBID_REUSE, 1L);
    call_set(call, CURLOPT_FRESH_CONNECT, 1L);
    if (handle->words[HANDLES_IPRESOLVE]) /* no unix socket is of that family */
        call_set(call, CURLOPT_IPRESOLVE, (long)CURL_IPRESOLVE_WHATEVER);
    if (insists_on_version(handle))
        call_set(call, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    if (has_protocols(handle))
        call_set(call, CURLOPT_PROTOCOLS, (long)CURLPROTO_HTTP);
}

/* The program's own, on its handle or on a copy of it. */
static void put_back(const struct handle *handle, CURL *easy, enum made_for who)
{
    const struct libcurl *libcurl = handle->libcurl;

    for (unsigned i = 0; i < COUNT(worn_words); i++)
        if (worn_words[i].option != CURLOPT_HTTP_VERSION || insists_on_version(handle))
            libcurl->easy_setopt(easy, worn_words[i].option, handle->words[worn_words[i].word]);
    if (handle->words[HANDLES_SHARE] && who == MADE_FOR_ATTEMPT && easy == handle->easy) /* a copy has none */
        libcurl->easy_setopt(easy, CURLOPT_SHARE, handle->words[HANDLES_SHARE]);
    for (unsigned i = 0; i < COUNT(worn_texts); i++)
        libcurl->easy_setopt(easy, worn_texts[i].option, handle->texts[worn_texts[i].text].bytes);
    for (unsigned i = 0; i < COUNT(worn_writers) && who == MADE_FOR_PROGRAM; i++)
        libcurl->easy_setopt(easy, worn_writers[i].option, handle->words[worn_writers[i].word]);
    if (handle->texts[HANDLES_PROTOCOLS_STR].bytes)
        libcurl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, handle->texts[HANDLES_PROTOCOLS_STR].bytes);
    else if (handle->words[HANDLES_PROTOCOLS])
        libcurl->easy_setopt(easy, CURLOPT_PROTOCOLS, handle->words[HANDLES_PROTOCOLS]);
}

bool made_has_borrowed(const struct call *call, CURLoption option)
{
    for (unsigned i = 0; i < COUNT(worn_words); i++)
        if (worn_words[i].option == option)
            return true;
    for (unsigned i = 0; i < COUNT(worn_texts); i++)
        if (worn_texts[i].option == option)
            return true;
    for (unsigned i = 0; i < COUNT(worn_writers) && made_is_last_word(call); i++)
        if (worn_writers[i].option == option)
            return true;
    return option == CURLOPT_PROTOCOLS || option == CURLOPT_PROTOCOLS_STR || option == CURLOPT_SHARE;
}

/* ---- a reply's course ---- */

static struct made *make(const struct made_reply *reply, enum made_for who)
{
    size_t length = reply->head_length + reply->body_length;
    struct made *made = malloc(sizeof *made + length);
    int ends[2];

    if (!made || sys_socketpair(ends) < 0) {
        free(made);
        return NULL;
    }
    *made = (struct made){.who = who,
                          .end = reply->end,
                          .ours = ends[0],
                          .theirs = ends[1],
                          .is_once = reply->end == MADE_GOES_ON,
                          .file = reply->file,
                          .file_offset = reply->file_offset,
                          .length = length};
    memcpy(made->bytes, reply->head, reply->head_length);
    if (reply->body_length)
        memcpy(made->bytes + reply->head_length, reply->body, reply->body_length);
    return made;
}

bool made_begin(struct call *call, const struct made_reply *reply, enum made_for who)
{
    struct handle *handle = call->handle;
    struct made *made = make(reply, who);

    if (!made) {
        if (reply->file >= 0)
            sys_close(reply->file);
        return false;
    }
    if (who == MADE_FOR_PROGRAM)
        request_undress(handle);
    else {
        pool_leave(handle);
        redirect_restore(call); /* its URL would be put back on over the program's */
    }
    say(made);
    call->made = made;
    call->deadline.patience_ms = 0; /* each wait of libcurl's is heard of */
    told_pretend(handle);
    put_on(call, reply);
    if (who == MADE_FOR_PROGRAM)
        put_on_writers(call);
    handle->is_dressed = true;
    handle->is_settled = false;
    return true;
}

bool made_is_last_word(const struct call *call)
{
    return call->made && call->made->who == MADE_FOR_PROGRAM;
}

void made_end(struct handle *handle)
{
    struct call *call = handle->call;

    if (!call || !call->made)
        return;
    enum made_for who = call->made->who;
    made_drop(call);
    handle->is_dressed = who == MADE_FOR_ATTEMPT;
    put_back(handle, handle->easy, who);
}

void made_drop(struct call *call)
{
    struct made *made = call->made;

    if (!made)
        return;
    call->made = NULL;
    if (made->ours >= 0)
        sys_close(made->ours);
    if (made->theirs >= 0)
        sys_close(made->theirs);
    if (made->file >= 0)
        sys_close(made->file);
    free(made);
}

void made_undress_copy(const struct handle *from, CURL *copy)
{
    put_back(from, copy, from->call->made->who);
}
