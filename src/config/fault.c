#include "config/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/value.h"

static struct fault *make_room(struct fault_list *list)
{
    if (list->count == FAULT_MOST)
        return NULL;
    if (list->count == list->room) {
        uint32_t room = list->room ? list->room * 2 : 16;
        struct fault *items = realloc(list->items, room * sizeof *items);
        if (!items)
            return NULL;
        list->items = items;
        list->room = room;
    }
    return &list->items[list->count];
}

static void add(struct fault_list *list, const char *file, uint32_t line, bool is_warning, const char *format,
                va_list arguments)
{
    char text[FAULT_TEXT_MOST];
    list->errors += !is_warning;
    struct fault *fault = make_room(list);
    if (!fault)
        return;
    vsnprintf(text, sizeof text, format, arguments);
    *fault = (struct fault){strdup(file), line, is_warning, strdup(text)};
    if (fault->file && fault->text) {
        list->count++;
        return;
    }
    free((char *)fault->file);
    free(fault->text);
}

void fault_add(struct fault_list *list, const char *file, uint32_t line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(list, file, line, false, format, arguments);
    va_end(arguments);
}

void fault_warn(struct fault_list *list, const char *file, uint32_t line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(list, file, line, true, format, arguments);
    va_end(arguments);
}

/* By insertion, because it is stable and the list nearly sorted. */
void fault_sort(struct fault_list *list)
{
    for (uint32_t i = 1; i < list->count; i++) {
        struct fault fault = list->items[i];
        uint32_t j = i;
        for (; j > 0; j--) {
            const struct fault *before = &list->items[j - 1];
            if (strcmp(before->file, fault.file) != 0 || before->line <= fault.line)
                break;
            list->items[j] = *before;
        }
        list->items[j] = fault;
    }
}

size_t fault_print(const struct fault *fault, char *text, size_t size)
{
    struct value_text out = {text, size, 0};
    value_put(&out, fault->file);
    if (fault->line > 0) {
        value_put(&out, ":");
        value_put_decimal(&out, fault->line, 0, 0);
    }
    value_put(&out, fault->file[0] ? ": " : "");
    value_put(&out, fault->is_warning ? "warning: " : "");
    value_put(&out, fault->text);
    return out.length;
}

size_t fault_summary(const struct fault_list *list, char *text, size_t size)
{
    struct value_text out = {text, size, 0};
    text[0] = 0;
    if (list->errors == 0)
        return 0;
    uint32_t first = 0;
    while (first < list->count && list->items[first].is_warning)
        first++;
    if (first == list->count) {
        value_put(&out, "out of memory while the configuration was read");
        return out.length;
    }
    out.length = fault_print(&list->items[first], text, size);
    if (list->errors > 1) {
        value_put(&out, " (and ");
        value_put_decimal(&out, list->errors - 1, 0, 0);
        value_put(&out, " more; `gusset check` names them)");
    }
    return out.length;
}

void fault_clear(struct fault_list *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        free((char *)list->items[i].file);
        free(list->items[i].text);
    }
    free(list->items);
    *list = (struct fault_list){0};
}
