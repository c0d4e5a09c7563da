#include "curl/upload.h"

#include <stdio.h> /* libcurl's default reader is fread(3) on the program's FILE */
#include <stdlib.h>
#include <string.h>

#include "curl/call.h"

enum { FIELDS_LONG = 64 * 1024 };

/* A body from the read function: an upload, or a POST without fields of its own. */
static bool has_reader(const struct handle *handle)
{
    return handle->request == HANDLES_PUT ||
           (handle->request == HANDLES_POST && !handle->words[HANDLES_POSTFIELDS]);
}

static size_t ask_program(struct call *call, char *bytes, size_t size)
{
    curl_read_callback reader = (curl_read_callback)call->handle->words[HANDLES_READFUNCTION];
    void *data = handles_pointer(call->handle, HANDLES_READDATA);

    call->upload.was_read = true;
    call->upload.is_rewound = false;
    if (reader)
        return reader(bytes, 1, size, data);
    return fread(bytes, 1, size, data);
}

static void keep(struct upload *upload, const char *bytes, size_t size)
{
    if (upload->overflown)
        return;
    if (upload->kept + size > upload->room) {
        size_t room = upload->room ? upload->room : 16384;
        while (room < upload->kept + size)
            room *= 2;
        char *grown = room <= UPLOAD_KEPT_MAX ? realloc(upload->buffer, room) : NULL;
        if (!grown) {
            upload->overflown = true;
            return;
        }
        upload->buffer = grown;
        upload->room = room;
    }
    memcpy(upload->buffer + upload->kept, bytes, size);
    upload->kept += size;
    upload->position = upload->kept;
}

static size_t read_body(char *bytes, size_t size, size_t count, void *data)
{
    struct call *call = data;
    struct upload *upload = &call->upload;
    size_t room = size * count;

    if (upload->position < upload->kept) {
        size_t again = upload->kept - upload->position < room ? upload->kept - upload->position : room;
        memcpy(bytes, upload->buffer + upload->position, again);
        upload->position += again;
        return again;
    }
    size_t got = upload->at_end ? 0 : ask_program(call, bytes, room);
    if (got == 0) {
        upload->at_end = true;
        if (call->reply.phase == REPLY_HOLDING)
            deadline_sent(call);
    } else if (got <= room) { /* else one of the signals: abort, pause */
        keep(upload, bytes, got);
    }
    return got;
}

static int ask_program_to_seek(struct call *call, curl_off_t offset, int origin)
{
    const struct handle *handle = call->handle;
    curl_seek_callback seek = (curl_seek_callback)handle->words[HANDLES_SEEKFUNCTION];
    curl_ioctl_callback control = (curl_ioctl_callback)handle->words[HANDLES_IOCTLFUNCTION];

    if (seek)
        return seek(handles_pointer(handle, HANDLES_SEEKDATA), offset, origin);
    if (control && offset == 0 && origin == SEEK_SET &&
        control(handle->easy, CURLIOCMD_RESTARTREAD, handles_pointer(handle, HANDLES_IOCTLDATA)) ==
            CURLIOE_OK)
        return CURL_SEEKFUNC_OK;
    if (!handle->words[HANDLES_READFUNCTION] && !control &&
        origin == SEEK_SET) /* libcurl's own way with a FILE */
        return fseeko(handles_pointer(handle, HANDLES_READDATA), offset, SEEK_SET) ? CURL_SEEKFUNC_CANTSEEK
                                                                                   : CURL_SEEKFUNC_OK;
    return CURL_SEEKFUNC_CANTSEEK;
}

/* Takes the program back to the start of its body, unless it is there. */
static bool rewind_program(struct call *call)
{
    struct upload *upload = &call->upload;

    if (!upload->is_rewound)
        upload->is_rewound = ask_program_to_seek(call, 0, SEEK_SET) == CURL_SEEKFUNC_OK;
    if (upload->is_rewound)
        upload->at_end = false;
    return upload->is_rewound;
}

/* libcurl goes back by itself for a redirect or an authentication, and forward to resume. */
static int seek_body(void *data, curl_off_t offset, int origin)
{
    struct call *call = data;
    struct upload *upload = &call->upload;

    if (origin == SEEK_SET && !upload->overflown && offset >= 0 && (uint64_t)offset <= upload->kept) {
        upload->position = (size_t)offset;
        return CURL_SEEKFUNC_OK;
    }
    int answer = ask_program_to_seek(call, offset, origin);
    if (answer == CURL_SEEKFUNC_OK) {
        upload->overflown = true; /* what is kept is no longer where the program stands */
        upload->position = upload->kept;
        upload->at_end = false;
    }
    return answer;
}

void upload_call(struct call *call)
{
    struct upload *upload = &call->upload;

    upload->was_read = upload->at_end = upload->overflown = upload->is_rewound = false;
    upload->kept = upload->position = 0;
}

bool upload_attempt(struct call *call)
{
    struct upload *upload = &call->upload;

    if (call->handle->is_settled && !upload->is_dressed)
        return true;
    upload->position = upload->overflown ? upload->kept : 0;
    if (!call->is_http || !has_reader(call->handle)) {
        upload_restore(call);
        return true;
    }
    if (!upload->is_dressed) {
        upload->is_dressed = true;
        call_set(call, CURLOPT_READFUNCTION, read_body);
        call_set(call, CURLOPT_READDATA, call);
        call_set(call, CURLOPT_SEEKFUNCTION, seek_body);
        call_set(call, CURLOPT_SEEKDATA, call);
    }
    /* It may have been read on since it was taken back for the decision. */
    return !upload->overflown || rewind_program(call);
}

bool upload_can_replay(struct call *call)
{
    struct upload *upload = &call->upload;

    if (call->handle->request == HANDLES_FORM && call->is_http)
        return !call->sent; /* its parts may come from callbacks, which cannot be asked */
    if (upload->was_read && !upload->at_end && call->handle->words[HANDLES_KEEP_SENDING_ON_ERROR])
        return false; /* libcurl reads on: what it will still take may be more than can be had again */
    if (!upload->was_read || !upload->overflown)
        return call->is_http || !has_reader(call->handle) || !call->sent;
    return rewind_program(call);
}

/* Fields that are in memory and small leave at once. */
static bool has_long_fields(const struct handle *handle)
{
    const char *fields = handles_pointer(handle, HANDLES_POSTFIELDS);
    int64_t size = (int64_t)handle->words[HANDLES_POSTFIELDSIZE_LARGE];

    if (handle->request != HANDLES_POST || !fields)
        return false;
    return size < 0 ? strnlen(fields, FIELDS_LONG) == FIELDS_LONG : size >= FIELDS_LONG;
}

bool upload_is_long(const struct call *call)
{
    const struct handle *handle = call->handle;

    if (handle->request == HANDLES_GET || handle->request == HANDLES_HEAD)
        return false;
    return has_reader(handle) || handle->request == HANDLES_FORM || has_long_fields(handle);
}

bool upload_is_sent(const struct call *call)
{
    const struct libcurl *libcurl = call->handle->libcurl;
    curl_off_t sent = 0, size = -1;

    libcurl->easy_getinfo(call->handle->easy, CURLINFO_SIZE_UPLOAD_T, &sent);
    libcurl->easy_getinfo(call->handle->easy, CURLINFO_CONTENT_LENGTH_UPLOAD_T, &size);
    return size >= 0 && sent >= size;
}

void upload_restore(struct call *call)
{
    const struct handle *handle = call->handle;

    if (!call->upload.is_dressed)
        return;
    call_set(call, CURLOPT_READFUNCTION, handles_pointer(handle, HANDLES_READFUNCTION));
    call_set(call, CURLOPT_READDATA, handles_pointer(handle, HANDLES_READDATA));
    call_set(call, CURLOPT_SEEKFUNCTION, handles_pointer(handle, HANDLES_SEEKFUNCTION));
    call_set(call, CURLOPT_SEEKDATA, handles_pointer(handle, HANDLES_SEEKDATA));
    call->upload.is_dressed = false;
}

void upload_retire(struct upload *upload)
{
    upload->is_dressed = false;
    if (upload->room)
        upload_clear(upload);
}

void upload_clear(struct upload *upload)
{
    free(upload->buffer);
    upload->buffer = NULL;
    upload->room = 0;
}
