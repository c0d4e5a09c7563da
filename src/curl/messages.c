#include "curl/messages.h"

#include <stdlib.h>

static void append(struct messages *messages, struct seat_message *slot, const CURLMsg *message)
{
    slot->message = *message;
    slot->next = NULL;
    slot->is_queued = true;
    if (messages->last)
        messages->last->next = slot;
    else
        messages->first = slot;
    messages->last = slot;
    messages->count++;
}

void messages_put(struct messages *messages, struct seat_message *slot, const CURLMsg *message)
{
    if (!slot->is_queued)
        append(messages, slot, message);
}

bool messages_have_spare(struct messages *messages)
{
    if (!messages->spare)
        messages->spare = calloc(1, sizeof *messages->spare);
    return messages->spare;
}

void messages_put_stranger(struct messages *messages, const CURLMsg *message)
{
    struct messages_stranger *stranger = messages->spare;

    messages->spare = NULL;
    stranger->next = messages->strangers;
    messages->strangers = stranger;
    append(messages, &stranger->slot, message);
}

CURLMsg *messages_take(struct messages *messages)
{
    struct seat_message *slot = messages->first;

    if (!slot)
        return NULL;
    messages->first = slot->next;
    if (!messages->first)
        messages->last = NULL;
    messages->count--;
    slot->is_queued = false;
    return &slot->message;
}

static void free_strangers(struct messages *messages, const CURL *easy)
{
    for (struct messages_stranger **at = &messages->strangers; *at;) {
        struct messages_stranger *stranger = *at;
        if (easy && stranger->slot.message.easy_handle != easy) {
            at = &stranger->next;
            continue;
        }
        *at = stranger->next;
        free(stranger);
    }
}

void messages_drop(struct messages *messages, CURL *easy)
{
    struct seat_message *before = NULL;

    for (struct seat_message **at = &messages->first; *at;) {
        struct seat_message *slot = *at;
        if (slot->message.easy_handle != easy) {
            before = slot;
            at = &slot->next;
            continue;
        }
        *at = slot->next;
        slot->is_queued = false;
        messages->count--;
        if (messages->last == slot)
            messages->last = before;
    }
    free_strangers(messages, easy);
}

void messages_clear(struct messages *messages)
{
    free_strangers(messages, NULL);
    free(messages->spare);
}
