#include "agent/complaint.h"

#include <string.h>

#include "report/log.h"
#include "sys/clock.h"
#include "tool/output.h"

enum { QUIET_MS = 60000 };

static void tell(enum output_style style, const char *sentence)
{
    static char last[OUTPUT_SENTENCE];
    static uint64_t told_ms;
    uint64_t now_ms = clock_now_us() / 1000;
    struct log_line line;

    if (strcmp(sentence, last) == 0 && now_ms - told_ms < QUIET_MS)
        return;
    strcpy(last, sentence);
    told_ms = now_ms;
    log_begin(&line, style == OUTPUT_BAD ? LOG_ERROR : LOG_WARN, "trouble",
              "something cannot be done just now");
    log_text(&line, "reason", sentence);
    log_end(&line);
}

void complaint_to_log(void)
{
    output_divert(tell);
}
