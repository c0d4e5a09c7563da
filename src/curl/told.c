#include "curl/told.h"

#include <stdlib.h>
#include <string.h>

#include "curl/handles.h"

/* libcurl below 8.5 names schemes in capitals. */
static const char *secure_name(const char *plain)
{
    return plain && plain[0] == 'H' ? "HTTPS" : "https";
}

CURLcode told_info(const struct handle *handle, CURLINFO info, void *out)
{
    const struct told *told = handle->told;
    CURLcode code = handle->libcurl->easy_getinfo(handle->easy, info, out);

    if (code != CURLE_OK || !out)
        return code;
    switch ((int)info) {
    case CURLINFO_EFFECTIVE_URL:
        if (told->url)
            *(char **)out = told->url;
        break;
    case CURLINFO_SCHEME:
        if (told->is_https)
            *(const char **)out = secure_name(*(const char **)out);
        break;
    case CURLINFO_PROTOCOL:
        if (told->is_https)
            *(long *)out = CURLPROTO_HTTPS;
        break;
    }
    return code;
}

/* The URL as libcurl itself writes it, once it has read it. */
static char *effective_url(const struct handle *handle)
{
    const struct libcurl *libcurl = handle->libcurl;
    const char *text = handle->texts[HANDLES_URL].bytes,
               *scheme = handle->texts[HANDLES_DEFAULT_PROTOCOL].bytes;
    CURLU *own = handles_pointer(handle, HANDLES_CURLU), *parts = own ? own : libcurl->url();
    char *url = NULL;

    if (!parts)
        return NULL;
    bool is_read = own || libcurl->url_set(parts, CURLUPART_URL, text,
                                           CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) == CURLUE_OK;
    if (is_read && !own && scheme && !strstr(text, "://"))
        libcurl->url_set(parts, CURLUPART_SCHEME, scheme, 0);
    if (is_read)
        libcurl->url_get(parts, CURLUPART_URL, &url, 0);
    if (!own)
        libcurl->url_cleanup(parts);
    return url;
}

void told_pretend(struct handle *handle)
{
    told_forget(handle);
    struct told *told = calloc(1, sizeof *told);

    if (!told)
        return;
    told->url = effective_url(handle);
    told->is_https = handle->target.scheme == TARGET_HTTPS;
    handle->told = told;
}

void told_forget(struct handle *handle)
{
    if (!handle->told)
        return;
    if (handle->told->url)
        handle->libcurl->free(handle->told->url);
    free(handle->told);
    handle->told = NULL;
}
