/* What the agent shows over HTTP: /, /metrics, /status, /health. All of it can only be read. */
#ifndef GUSSET_AGENT_PAGES_H
#define GUSSET_AGENT_PAGES_H

#include "agent/care.h"
#include "agent/share.h"
#include "tool/reading.h"
#include "tool/serve.h"

struct pages {
    struct reading *reading; /* between two looks */
    const struct care *care;
    const struct share *share;
    uint64_t started_us; /* monotonic */
};

/* For struct serve, whose context is a struct pages. */
extern const struct serve_page pages_table[];

#endif
