/* The variants of a rule in hosts: a list of policies with weights, instead of one policy. */
#ifndef GUSSET_CONFIG_VARIANTS_H
#define GUSSET_CONFIG_VARIANTS_H

#include "config/reader.h"

/* What a process is told apart by; the first that it has, or the one that the rule names. */
enum variants_by { VARIANTS_BY_ANY, VARIANTS_BY_REQUEST, VARIANTS_BY_TENANT, VARIANTS_BY_PROCESS };

/* Reads `variants` and `by` of a rule, where it has them. Returns false after a fault. */
bool variants_read(struct reader *reader, const struct config_setting_t *group, struct model_rule *rule);

/* "any", "request", ... Static. */
const char *variants_by_name(uint32_t by);

#endif
