#include "curl/request.h"

#include "curl/hedge.h"
#include "curl/made.h"
#include "curl/options.h"
#include "curl/progress.h"
#include "curl/told.h"

/* A path behind something that is no folder: connecting fails with ENOTDIR, and nobody can ever listen there.
 */
static const char nowhere[] = "/dev/null/refused-by-gusset";

static void note_sending(struct call *call)
{
    call->sent = call->hop_sent = call->was_sent = true;
    if (call->reply.phase == REPLY_HOLDING)
        deadline_sends(call);
    if (call->reply.was_redirected)
        inject_check_origin(call);
}

static __attribute__((noinline)) int ask_program(struct call *call, char *remote, char *local,
                                                 int remote_port, int local_port)
{
    const struct handle *handle = call->handle;
    curl_prereq_callback own = (curl_prereq_callback)handle->words[HANDLES_PREREQFUNCTION];

    note_sending(call);
    return own(handles_pointer(handle, HANDLES_PREREQDATA), remote, local, remote_port, local_port);
}

/* libcurl has its connection and is about to write the request: from here it may have been sent. */
static int about_to_send(void *data, char *remote, char *local, int remote_port, int local_port)
{
    struct call *call = data;

    if (call->handle->words[HANDLES_PREREQFUNCTION])
        return ask_program(call, remote, local, remote_port, local_port);
    note_sending(call);
    return CURL_PREREQFUNC_OK;
}

static void dress_prereq(struct call *call)
{
    const struct handle *handle = call->handle;
    const struct libcurl *libcurl = handle->libcurl;

    if (handle->is_dressed || !libcurl->has_prereq)
        return;
    libcurl->easy_setopt(handle->easy, CURLOPT_PREREQFUNCTION, about_to_send);
    libcurl->easy_setopt(handle->easy, CURLOPT_PREREQDATA, call);
}

static __attribute__((noinline)) void watch(struct call *call)
{
    bool was_watched = call->is_watched;

    hedge_attempt(call);
    resume_attempt(call);
    if (call->gate.attempt == 1)
        keep_call(call);
    call->is_watched = call->resume || call->keep;
    if (call->is_watched != was_watched)
        reply_program_set(call);
}

bool request_dress(struct call *call)
{
    struct handle *handle = call->handle;
    bool is_first = call->gate.attempt == 1;

    if ((!is_first || call->gate.has_waited) && !call_is_unchanged(call))
        return false;
    if (!is_first && !resume_is_on(call))
        told_forget(handle); /* of an attempt that was made up */
    if (call->is_watched || call->gate.policy->is_watched)
        watch(call);

    call->sent = call->hop_sent =
        !handle->libcurl->has_prereq; /* an older libcurl does not tell: assume the worst */
    handle->is_settled &= is_first;
    dress_prereq(call);
    if (call->redirect)
        redirect_attempt(call);
    reply_attempt(call);
    bool can_send = upload_attempt(call);
    inject_attempt(call);
    deadline_attempt(call);
    handle->is_dressed = true;
    handle->is_settled = is_first;
    return can_send;
}

void request_undress(struct handle *handle)
{
    struct call *call = handle->call;

    pool_leave(handle);
    made_end(handle);
    if (!handle->is_dressed)
        return;
    handle->is_dressed = handle->is_settled = false;
    redirect_restore(call);
    deadline_restore(call);
    inject_restore(call);
    upload_restore(call);
    resume_restore(call);
    reply_restore(call);
    if (handle->libcurl->has_prereq) {
        call_set(call, CURLOPT_PREREQFUNCTION, handles_pointer(handle, HANDLES_PREREQFUNCTION));
        call_set(call, CURLOPT_PREREQDATA, handles_pointer(handle, HANDLES_PREREQDATA));
    }
}

/* Whether the option holds gusset's value just now, so that libcurl must not hear what the program sets. */
static bool has_borrowed(const struct handle *handle, CURLoption option)
{
    const struct call *call = handle->call;

    if (call->made && made_has_borrowed(call, option))
        return true;
    if (made_is_last_word(call))
        return false;
    if (pool_has_borrowed(handle, option) || redirect_has_borrowed(call, option) ||
        progress_has_borrowed(call, option))
        return true;
    switch ((int)option) {
    case CURLOPT_WRITEFUNCTION:
    case CURLOPT_WRITEDATA:
    case CURLOPT_HEADERFUNCTION:
    case CURLOPT_HEADERDATA:
        return call->reply.is_dressed;
    case CURLOPT_HEADER:
        return call->reply.header_is_off;
    case CURLOPT_READFUNCTION:
    case CURLOPT_READDATA:
    case CURLOPT_SEEKFUNCTION:
    case CURLOPT_SEEKDATA:
        return call->upload.is_dressed;
    case CURLOPT_HTTPHEADER:
        return call->inject.is_dressed;
    case CURLOPT_PREREQFUNCTION:
    case CURLOPT_PREREQDATA:
        return handle->libcurl->has_prereq;
    case CURLOPT_TIMEOUT:
    case CURLOPT_TIMEOUT_MS:
        return true;
    case CURLOPT_CONNECTTIMEOUT:
    case CURLOPT_CONNECTTIMEOUT_MS:
        return call->deadline.connect_ms != 0;
    case CURLOPT_LOW_SPEED_LIMIT:
    case CURLOPT_LOW_SPEED_TIME:
        return call->deadline.idle_is_ours;
    case CURLOPT_RANGE:
        return call->resume && call->resume->is_worn;
    case CURLOPT_QUICK_EXIT:
        return call->deadline.quick_exit_is_worn;
    }
    return false;
}

/* Times and amounts are libcurl's to judge; it hears them, and then ours again. */
static bool is_judged(CURLoption option)
{
    switch ((int)option) {
    case CURLOPT_TIMEOUT:
    case CURLOPT_TIMEOUT_MS:
    case CURLOPT_CONNECTTIMEOUT:
    case CURLOPT_CONNECTTIMEOUT_MS:
    case CURLOPT_LOW_SPEED_LIMIT:
    case CURLOPT_LOW_SPEED_TIME:
        return true;
    }
    return false;
}

/* The program sets a borrowed option from a callback of its transfer. */
static CURLcode program_sets(struct handle *handle, CURLoption option, uint64_t word)
{
    struct call *call = handle->call;

    if (call->made && made_has_borrowed(call, option)) {
        options_note(handle, option, word); /* put on when the made reply has been given */
        return CURLE_OK;
    }
    if (pool_has_borrowed(handle, option))
        return pool_program_sets(handle, option, word);
    if (is_judged(option)) {
        CURLcode code = handle->libcurl->easy_setopt(handle->easy, option, word);
        if (code != CURLE_OK)
            return code;
    }
    options_note(handle, option, word);
    if (redirect_has_borrowed(call,
                              option)) /* of the next transfer's concern, for which it will be put back */
        return CURLE_OK;
    if (is_judged(option))
        deadline_program_set(call);
    else if (option == CURLOPT_HTTPHEADER)
        inject_program_set(call);
    else
        reply_program_set(call);
    return CURLE_OK;
}

static inline CURLcode set(struct handle *handle, CURLoption option, uint64_t word)
{
    CURLcode code = handle->libcurl->easy_setopt(handle->easy, option, word);

    if (code == CURLE_OK)
        options_note(handle, option, word);
    return code;
}

static __attribute__((noinline)) CURLcode set_dressed(struct handle *handle, CURLoption option, uint64_t word)
{
    if (has_borrowed(handle, option)) {
        if (handle->is_performing)
            return program_sets(handle, option, word);
        request_undress(handle);
    }
    return set(handle, option, word);
}

CURLcode request_setopt(struct handle *handle, CURLoption option, uint64_t word)
{
    return handle->is_dressed ? set_dressed(handle, option, word) : set(handle, option, word);
}

/* It may hand bytes over before it returns, and whoever takes them may pause again. */
CURLcode request_pause(struct handle *handle, int which)
{
    struct call *call = handle->call;
    if (made_is_last_word(call))
        return handle->libcurl->easy_pause(handle->easy, which);
    bool is_paused = which & CURLPAUSE_RECV,
         is_parked = handle->seat.multi && handle->seat.place == SEAT_PARKED;

    if (!is_paused)
        deadline_goes_on(call);
    CURLcode code = is_parked ? CURLE_OK : handle->libcurl->easy_pause(handle->easy, which);
    if (is_paused && code == CURLE_OK)
        deadline_pauses(call);
    call->reply.owes_pause = is_parked && is_paused;
    return code;
}

/* Every option that may be borrowed, as the table lists them, and the one that refuses. */
void request_undress_copy(const struct handle *from, CURL *copy)
{
    static const CURLoption options[] = {
#define X(name) [HANDLES_##name] = CURLOPT_##name,
        HANDLES_BORROWED(X)
#undef X
    };

    if (from->is_refused)
        from->libcurl->easy_setopt(copy, CURLOPT_UNIX_SOCKET_PATH,
                                   from->texts[HANDLES_UNIX_SOCKET_PATH].bytes);
    if (from->call && from->call->resume && from->call->resume->is_worn)
        from->libcurl->easy_setopt(copy, CURLOPT_RANGE, from->texts[HANDLES_RANGE].bytes);
    for (int i = 0; i < HANDLES_BORROWED_COUNT && from->is_dressed && !made_is_last_word(from->call); i++)
        if (has_borrowed(from, options[i]))
            from->libcurl->easy_setopt(copy, options[i], from->words[i]);
    progress_undress_copy(from, copy);
    if (from->call && from->call->made)
        made_undress_copy(from, copy);
    if (from->is_dressed && redirect_is_worn(from->call))
        from->libcurl->easy_setopt(copy, CURLOPT_URL, from->texts[HANDLES_URL].bytes);
    if (from->is_dressed && redirect_is_past_proxy(from->call))
        from->libcurl->easy_setopt(copy, CURLOPT_NOPROXY, from->texts[HANDLES_NOPROXY].bytes);
}

/* A path and an abstract name share one place in libcurl: setting the one, or no path, clears the other. */
void request_refuse(struct handle *handle)
{
    handle->is_refused = true;
    handle->libcurl->easy_setopt(handle->easy, CURLOPT_UNIX_SOCKET_PATH, nowhere);
}

void request_refused(struct handle *handle)
{
    const char *path = handle->texts[HANDLES_UNIX_SOCKET_PATH].bytes;

    handle->is_refused = false;
    handle->libcurl->easy_setopt(handle->easy, CURLOPT_UNIX_SOCKET_PATH, path);
}
