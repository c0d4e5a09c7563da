#include "agent/pages.h"

#include "agent/page.h"
#include "sys/clock.h"
#include "tool/exposition.h"
#include "tool/hosts.h"
#include "tool/json.h"
#include "tool/meter.h"

enum { FINE = 200, UNWELL = 503 };

static int write_look(const struct pages *pages, FILE *to, void (*write)(const struct pages *pages, FILE *to))
{
    if (reading_take(pages->reading, NULL) < 0) {
        fputs("the state cannot be read; the agent's log says why\n", to);
        return UNWELL;
    }
    write(pages, to);
    reading_drop(pages->reading);
    return FINE;
}

static void metrics(const struct pages *pages, FILE *to)
{
    struct exposition out;

    exposition_begin(&out, to, false);
    meter_write(&out, pages->reading);
    exposition_end(&out);
}

static int write_metrics(void *context, FILE *to)
{
    return write_look(context, to, metrics);
}

static void status(const struct pages *pages, FILE *to)
{
    hosts_write(to, pages->reading);
}

static int write_status(void *context, FILE *to)
{
    return write_look(context, to, status);
}

static const char *fault_of(const struct care *care)
{
    return care->fault[0]   ? care->fault
           : care->is_blind ? "health checks cannot be made: libcurl is not here"
           : care->is_stuck ? "what came of health checks cannot be remembered: the state cannot be opened"
                            : NULL;
}

static void overview(const struct pages *pages, FILE *to)
{
    const char *fault = fault_of(pages->care);
    char note[CARE_FAULT + 128];

    snprintf(note, sizeof note, "gusset %s, %u addresses checked, sharing: %s%s%s", GUSSET_VERSION,
             pages->care->ward.count, share_word(pages->share), fault ? "; " : "", fault ? fault : "");
    page_write(to, pages->reading, note);
}

static int write_overview(void *context, FILE *to)
{
    return write_look(context, to, overview);
}

/* Whether the agent itself does what it is there for. A Redis that is away is no fault: local state goes on.
 */
static int write_health(void *context, FILE *to)
{
    const struct pages *pages = context;
    const char *fault = fault_of(pages->care);
    struct json json = {.to = to};

    json_object(&json, NULL);
    json_text(&json, "status", fault ? "faulty" : "ok");
    if (fault)
        json_text(&json, "fault", fault);
    else
        json_null(&json, "fault");
    json_text(&json, "version", GUSSET_VERSION);
    json_number(&json, "uptime_s", (clock_now_us() - pages->started_us) / 1000000);
    json_number(&json, "addresses", pages->care->ward.count);
    json_text(&json, "sharing", share_word(pages->share));
    json_end_object(&json);
    fputc('\n', to);
    return fault ? UNWELL : FINE;
}

const struct serve_page pages_table[] = {
    {"/",        PAGE_TYPE,          write_overview},
    {"/metrics", EXPOSITION_TYPE,    write_metrics },
    {"/status",  "application/json", write_status  },
    {"/health",  "application/json", write_health  },
    {NULL,       NULL,               NULL          },
};
