#include "curl/progress.h"

#include "curl/call.h"

/* libcurl asks the newer function where there are both. */
static int ask(const struct handle *handle, curl_off_t total, curl_off_t now, curl_off_t up_total,
               curl_off_t up_now)
{
    curl_xferinfo_callback xferinfo = (curl_xferinfo_callback)handle->words[HANDLES_XFERINFOFUNCTION];
    curl_progress_callback progress = (curl_progress_callback)handle->words[HANDLES_PROGRESSFUNCTION];
    void *data = handles_pointer(handle, HANDLES_XFERINFODATA);

    if (xferinfo)
        return xferinfo(data, total, now, up_total, up_now);
    return progress ? progress(data, (double)total, (double)now, (double)up_total, (double)up_now) : 0;
}

/* Of the whole body; libcurl says 0 for a length that it does not know. */
static int ask_of_whole(const struct call *call, curl_off_t up_total, curl_off_t up_now)
{
    const struct resume *resume = call->resume;
    return ask(call->handle, resume->promised > 0 ? resume->promised : 0, (curl_off_t)resume->delivered,
               up_total, up_now);
}

static int on_xferinfo(void *data, curl_off_t total, curl_off_t now, curl_off_t up_total, curl_off_t up_now)
{
    (void)total;
    (void)now;
    return ask_of_whole(data, up_total, up_now);
}

static int on_progress(void *data, double total, double now, double up_total, double up_now)
{
    (void)total;
    (void)now;
    return ask_of_whole(data, (curl_off_t)up_total, (curl_off_t)up_now);
}

void progress_attempt(struct call *call)
{
    const uint64_t *words = call->handle->words;

    if (call->resume->wears_progress || !(words[HANDLES_XFERINFOFUNCTION] || words[HANDLES_PROGRESSFUNCTION]))
        return;
    call->resume->wears_progress = true;
    if (words[HANDLES_XFERINFOFUNCTION])
        call_set(call, CURLOPT_XFERINFOFUNCTION, on_xferinfo);
    if (words[HANDLES_PROGRESSFUNCTION])
        call_set(call, CURLOPT_PROGRESSFUNCTION, on_progress);
    call_set(call, CURLOPT_XFERINFODATA, call);
}

static const struct {
    CURLoption option;
    enum handles_word word;
} worn[] = {
    {CURLOPT_XFERINFOFUNCTION, HANDLES_XFERINFOFUNCTION},
    {CURLOPT_PROGRESSFUNCTION, HANDLES_PROGRESSFUNCTION},
    {CURLOPT_XFERINFODATA,     HANDLES_XFERINFODATA    },
};
enum { WORN = sizeof worn / sizeof *worn };

static bool is_worn(const struct call *call)
{
    return call && call->resume && call->resume->wears_progress;
}

static void put_back(const struct handle *handle, CURL *easy)
{
    for (unsigned i = 0; i < WORN; i++)
        handle->libcurl->easy_setopt(easy, worn[i].option, handle->words[worn[i].word]);
}

void progress_restore(struct call *call)
{
    if (!is_worn(call))
        return;
    call->resume->wears_progress = false;
    put_back(call->handle, call->handle->easy);
}

void progress_undress_copy(const struct handle *from, CURL *copy)
{
    if (is_worn(from->call))
        put_back(from, copy);
}

bool progress_has_borrowed(const struct call *call, CURLoption option)
{
    for (unsigned i = 0; i < WORN && is_worn(call); i++)
        if (worn[i].option == option)
            return true;
    return false;
}

bool progress_stops(const struct handle *handle)
{
    if (handle->words[HANDLES_NOPROGRESS])
        return false;
    int stop = handle->call && resume_is_on(handle->call) ? ask_of_whole(handle->call, 0, 0)
                                                          : ask(handle, 0, 0, 0, 0);
    return stop && stop != CURL_PROGRESSFUNC_CONTINUE;
}
