#include "agent/care.h"

#include <string.h>

#include "report/log.h"
#include "sys/clock.h"
#include "tool/compiled.h"
#include "tool/output.h"

enum { LOOK_MS = 1000, LOOK_AT_FAULTY_MS = 5000 };

/* ---- the configuration ---- */

int care_begin(struct care *care, const struct open_state *state)
{
    if (setup_rules(&care->setup, &care->rules) < 0)
        return -1;
    care->ward.state = *state;
    care->ward.waits_for_none = true;
    care->looked_ms = clock_now_us() / 1000;
    ward_fill(&care->ward, care->rules, &care->none);
    return 0;
}

void care_end(struct care *care)
{
    ward_clear(&care->ward);
    if (care->rules)
        rules_close(care->rules);
    care->rules = NULL;
}

/* Told once, not each time that it is looked at. */
static void refuse(struct care *care, const char *reason)
{
    struct log_line line;

    if (strcmp(care->fault, reason) == 0)
        return;
    snprintf(care->fault, sizeof care->fault, "%s", reason);
    log_begin(&line, LOG_ERROR, "refused", "the changed configuration is faulty, the one before holds");
    log_text(&line, "reason", output_clean(care->fault));
    log_end(&line);
}

bool care_reread(struct care *care)
{
    struct source_request request;
    struct source_paths paths;
    const struct rules *rules = NULL;
    char reason[CARE_FAULT];
    struct log_line line;

    if (setup_request(&care->setup, &request, &paths) < 0)
        return false;
    if (compiled_rules(&rules, &request, reason, sizeof reason) < 0) {
        refuse(care, reason);
        return false;
    }
    care->fault[0] = '\0';
    care->is_blind = false;
    if (!rules && !care->rules)
        return false;
    care_end(care);
    care->rules = rules;
    ward_fill(&care->ward, rules, &care->none);
    log_begin(&line, LOG_INFO, "reloaded", "another configuration holds");
    log_number(&line, "addresses", care->ward.count);
    log_end(&line);
    return true;
}

static bool look_after_files(struct care *care)
{
    uint64_t now_ms = clock_now_us() / 1000;

    if (now_ms - care->looked_ms < (care->fault[0] ? LOOK_AT_FAULTY_MS : LOOK_MS))
        return false;
    care->looked_ms = now_ms;
    if (care->rules && rules_are_fresh(care->rules)) {
        care->fault[0] = '\0'; /* what was faulty has been taken back */
        return false;
    }
    return care_reread(care);
}

/* ---- checks ---- */

static void tell(const struct target *target)
{
    bool is_well = target->vitals.state == VITALS_HEALTHY;
    struct log_line line;

    log_begin(&line, is_well ? LOG_INFO : LOG_WARN, "health",
              is_well ? "the checks of an address go well" : "a check of an address failed");
    log_text(&line, "service", target->service->name);
    log_text(&line, "address", target->address);
    log_text(&line, "state", vitals_state_name(target->vitals.state));
    if (!is_well) {
        log_text(&line, "error", outcome_type_name(target->probe.outcome.type));
        log_text(&line, "reason", target->probe.text);
        log_number(&line, "failures", target->vitals.failures);
    }
    log_end(&line);
}

/* The state is open only while outcomes are put into it: the file may be replaced meanwhile. */
static void take_up(struct care *care)
{
    enum vitals_state before;
    struct target *target;

    if (!probe_has_ended())
        return;
    care->is_stuck = open_or_create(&care->ward.state) < 0;
    if (care->is_stuck)
        return;
    while ((target = ward_take(&care->ward, &before)))
        if (target->vitals.state != before)
            tell(target);
    map_close(&care->ward.state.map);
}

static void follow_names(struct care *care)
{
    struct log_line line;

    if (!ward_follow(&care->ward))
        return;
    log_begin(&line, LOG_INFO, "found", "the DNS names other addresses of services");
    log_number(&line, "addresses", care->ward.count);
    log_end(&line);
}

bool care_turn(struct care *care)
{
    bool is_new = look_after_files(care);

    follow_names(care);
    if (!care->is_blind)
        care->is_blind = ward_begin(&care->ward) < 0; /* it has said so, once */
    take_up(care);
    return is_new;
}

uint32_t care_pause_ms(const struct care *care)
{
    uint32_t ms = care->ward.count ? ward_until_next_ms(&care->ward) : LOOK_MS;
    return ms < LOOK_MS && !care->is_blind && !care->is_stuck ? ms : LOOK_MS;
}
