/*
 * The rules' word on a place, or on a policy that is asked for by name: who wins, which policy and service
 * that means, and where each value comes from. `gusset explain` asks, and prints it for people or as JSON.
 */
#ifndef GUSSET_TOOL_RULING_H
#define GUSSET_TOOL_RULING_H

#include "config/explain.h"
#include "tool/address.h"
#include "tool/registry.h"
#include "tool/standing.h"

enum { RULING_TARGET = REGISTRY_TEXT + ADDRESS_PATH_MOST };

struct ruling {
    const char *asked_policy; /* NULL: a place is asked for */
    const char *program;      /* NULL: any */
    bool is_assumed;          /* there is no configuration: what `gusset run` would take */
    struct address address;
    char place[PLACE_TEXT_MAX];
    struct rules_query query;
    struct model model;
    const struct model_rule *winner; /* NULL: none */
    uint32_t policy;                 /* MODEL_NONE: none */
    uint32_t service;                /* MODEL_NONE: the place names none */
    struct standing standing;
};

/* Finds what follows from the model and the question; all but that is the caller's to fill. */
void ruling_find(struct ruling *ruling);

const char *ruling_policy_name(const struct ruling *ruling, uint32_t policy);
const char *ruling_match(const struct ruling *ruling, const struct model_rule *rule);

/* A variant of a rule, and the share that it has now. */
struct ruling_share {
    const struct variant *variant;
    const char *policy;
    char now[32]; /* "9.5" */
};
struct ruling_share ruling_share(const struct ruling *ruling, const struct model_rule *rule, uint32_t index);

/* Where a rule stands: "/etc/gusset/gusset.cfg:12", or who assumed it. text: of EXPLAIN_TEXT_MOST bytes. */
void ruling_origin(const struct ruling *ruling, const struct model_rule *rule, char *text, size_t size);

/* Where a setting of the policy comes from; text, of EXPLAIN_TEXT_MOST bytes, may hold the answer. */
const char *ruling_setting_origin(const struct ruling *ruling, const struct explain_setting *setting,
                                  char *text, size_t size);

/* Where the call would go by an address of the service; false, with the reason in text, when it would not. */
bool ruling_leads(const struct ruling *ruling, const struct registry_url *url, char text[RULING_TARGET]);

#endif
