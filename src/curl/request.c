#include "curl/request.h"

#include <stdio.h>

static const char nowhere[] = "gusset-refuses-this-call";

/* libcurl has its connection and is about to write the request: from here it may have been sent. */
static int about_to_send(void *data, char *remote, char *local, int remote_port, int local_port)
{
    struct call *call = data;
    const struct handle *handle = call->handle;
    curl_prereq_callback own = (curl_prereq_callback)handle->words[HANDLES_PREREQFUNCTION];

    call->sent = true;
    if (call->reply.phase == REPLY_HOLDING && !upload_is_long(call))
        deadline_sent(call);
    inject_check_origin(call);
    if (own)
        return own(handles_pointer(handle, HANDLES_PREREQDATA), remote, local, remote_port, local_port);
    return CURL_PREREQFUNC_OK;
}

static void dress_prereq(struct call *call)
{
    if (call->handle->is_dressed || !call->handle->libcurl->has_prereq)
        return;
    call_set(call, CURLOPT_PREREQFUNCTION, about_to_send);
    call_set(call, CURLOPT_PREREQDATA, call);
}

void request_dress(struct call *call)
{
    call->sent = !call->handle->libcurl->has_prereq; /* an older libcurl does not tell: assume the worst */
    dress_prereq(call);
    reply_attempt(call);
    upload_attempt(call);
    inject_attempt(call);
    deadline_attempt(call);
    call->handle->is_dressed = true;
}

void request_undress(struct handle *handle)
{
    struct call *call = handle->call;

    if (!handle->is_dressed)
        return;
    handle->is_dressed = false;
    deadline_restore(call);
    inject_restore(call);
    upload_restore(call);
    reply_restore(call);
    if (handle->libcurl->has_prereq) {
        call_set(call, CURLOPT_PREREQFUNCTION, handles_pointer(handle, HANDLES_PREREQFUNCTION));
        call_set(call, CURLOPT_PREREQDATA, handles_pointer(handle, HANDLES_PREREQDATA));
    }
}

/* Every borrowed option, as the table lists them; the streams' default is not NULL but stdin or stdout. */
void request_undress_copy(const struct handle *from, CURL *copy)
{
    static const CURLoption options[] = {
#define X(name) [HANDLES_##name] = CURLOPT_##name,
        HANDLES_BORROWED(X)
#undef X
    };

    for (int i = 0; i < HANDLES_BORROWED_COUNT; i++) {
        uint64_t word = from->words[i];
        if (!word && i == HANDLES_WRITEDATA)
            word = (uint64_t)(uintptr_t)stdout;
        if (!word && i == HANDLES_READDATA)
            word = (uint64_t)(uintptr_t)stdin;
        from->libcurl->easy_setopt(copy, options[i], word);
    }
}

CURLcode request_refuse(struct handle *handle)
{
    const struct libcurl *libcurl = handle->libcurl;
    const char *path = handle->texts[HANDLES_UNIX_SOCKET_PATH].bytes;
    const char *abstract = handle->texts[HANDLES_ABSTRACT_UNIX_SOCKET].bytes;

    libcurl->easy_setopt(handle->easy, CURLOPT_ABSTRACT_UNIX_SOCKET, nowhere);
    CURLcode code = libcurl->easy_perform(handle->easy);
    if (abstract)
        libcurl->easy_setopt(handle->easy, CURLOPT_ABSTRACT_UNIX_SOCKET, abstract);
    else /* resets both: they share one place in libcurl */
        libcurl->easy_setopt(handle->easy, CURLOPT_UNIX_SOCKET_PATH, path);
    return code;
}
