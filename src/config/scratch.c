#include "config/scratch.h"

#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

#include "config/field.h"
#include "config/print.h"
#include "config/value.h"
#include "sys/raw.h"

enum { SENTENCE_MOST = 512 };

static _Atomic(scratch_listener *) listener;

void scratch_listen(scratch_listener *to)
{
    atomic_store(&listener, to);
}

void scratch_say(const char *subject, const char *reason)
{
    char sentence[SENTENCE_MOST];
    struct value_text out = {sentence, sizeof sentence, 0};
    scratch_listener *to = atomic_load(&listener);
    if (!to)
        return;
    value_put(&out, subject);
    value_put(&out, reason);
    to(sentence);
}

enum { SCRATCH_SIZE = EXPAND_FILE_MOST + 4096 };

bool scratch_open(struct scratch *scratch)
{
    void *text = mmap(NULL, SCRATCH_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    scratch->text = text == MAP_FAILED ? NULL : text;
    return scratch->text != NULL;
}

void scratch_close(struct scratch *scratch)
{
    munmap(scratch->text, SCRATCH_SIZE);
}

const char *scratch_expand(struct scratch *scratch, const char *template, const char *subject)
{
    char reason[SENTENCE_MOST];
    if (expand_text(template, scratch->text, SCRATCH_SIZE, expand_environment, &scratch->fault) >= 0)
        return scratch->text;
    expand_explain(&scratch->fault, reason, sizeof reason);
    scratch_say(subject, reason);
    return NULL;
}

static void patch_one(struct scratch *scratch, const struct image *image, const struct image_patch *patch,
                      enum settings_place place, void *base)
{
    char subject[128];
    struct value_text out = {subject, sizeof subject, 0};
    if (patch->setting >= settings_count() || settings_at(patch->setting)->place != place)
        return;
    const struct settings_entry *entry = settings_at(patch->setting);
    value_put(&out, entry->key);
    value_put(&out, " keeps its default: ");
    const char *text = scratch_expand(scratch, image_string(image, patch->text), subject);
    if (!text || field_parse(entry, base, text, strlen(text)))
        return;
    char reason[SENTENCE_MOST] = "its ${…} does not expand to ";
    print_expected(entry, reason + strlen(reason), sizeof reason - strlen(reason));
    scratch_say(subject, reason);
}

void scratch_patch(struct scratch *scratch, const struct image *image, uint32_t first, uint32_t count,
                   enum settings_place place, void *base)
{
    const struct image_patch *patch;

    for (uint32_t i = 0; i < count && (patch = image_patch(image, first + i)); i++)
        patch_one(scratch, image, patch, place, base);
}
