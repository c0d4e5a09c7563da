/*
 * The rules as a running program sees them: a compiled image (config/image.h), mapped read-only and
 * searched by hash, so that finding a rule does not depend on how many there are. What the image keeps
 * as templates (${…}) is expanded here, once a policy, at its first use in this process; that uses no
 * malloc (an own arena), so it is safe wherever connect(2) is.
 */
#ifndef GUSSET_CONFIG_RULES_H
#define GUSSET_CONFIG_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "config/settings.h"
#include "config/source.h"
#include "core/endpoint.h"
#include "core/place.h"
#include "core/policy.h"

struct rules; /* an open image */

struct rules_header {
    const char *line;     /* "Name: value", expanded, checked for CR, LF and NUL */
    uint32_t name_length; /* of the part before the colon */
    bool override;        /* replaces the program's own header of that name */
};

/* A policy made ready for this process. Borrowed from the rules, constant as long as they live. */
struct rules_policy {
    const struct policy *settings;
    const char *name;
    const struct rules_header *headers;
    uint32_t header_count;
    uint32_t propagate;    /* bits of enum policy_propagate */
    bool is_watched;       /* whole replies are looked at: retry.resume, stale */
    uint64_t limit_apart;  /* not 0: its limit is another than that of others of its name; a number of its */
    const char *limit_key; /* expanded, "" where none; so are those that follow */
    const char *fallback_type;
    const char *fallback_body;
    const char *fallback_file;
    const char *deadline_header; /* the name of the header that tells what time is left */
};

/* A service of the registry, made ready for this process; likewise borrowed. */
struct rules_service {
    const char *name; /* in small letters */
    const struct settings_service *settings;
    bool has_health;
    const char *health_path;     /* expanded */
    const struct endpoint *urls; /* expanded, in the order of the file; those that are unfit are left out */
    uint32_t url_count;
};

struct rules_query {
    const struct place *place;
    uint32_t method;  /* one bit of core/method.h; 0: the connect door */
    const char *path; /* "/v1/x" without query; NULL: the connect door */
    size_t path_length;
};

struct rules_match {
    const struct rules_policy *policy;
    enum policy_mode mode; /* of the rule, else of the file; the environment's and the switch come on top */
    uint32_t rule;         /* index, for reports */
    bool is_moving;        /* a variant whose share still grows: the next call may be under another policy */
};

struct rules_globals {
    enum policy_mode mode;
    bool faults;        /* fault groups act */
    bool locked;        /* the administrator's file in /etc holds, alone */
    uint32_t log_level; /* enum log_level */
    uint32_t log_format;
    const char *log_target; /* "stderr", "syslog" or a path; expanded */
    const char *state_path; /* expanded; "" for the default place */
    uint32_t state_hosts;
    const char *request_id; /* the three of context, expanded; "" where empty or not fit for a header */
    const char *tenant_id;
    const char *project_id;
};

/*
 * Opens the rules that hold for this process: those that the environment's GUSSET_CONFIG, GUSSET_POLICY and
 * GUSSET_SET and the usual places name (interface.md). Where the image is missing, stale or damaged it is
 * compiled first if may_compile (this loads libconfig and allocates); else the result is -ESTALE. program is
 * the program's name, against which `programs` filters are held. Returns 0 and *out (NULL when there is no
 * configuration at all: nothing is to be wrapped); -errno otherwise, with a sentence "file:line: …" for the
 * log in text (NUL-terminated, cut).
 */
int rules_open(const struct rules **out, const char *program, bool may_compile, char *text, size_t size);

/*
 * As rules_open gave those before: for the program and by the wishes that held then, since a program may
 * change its environment.
 */
int rules_open_again(const struct rules **out, const struct rules *before, bool may_compile, char *text,
                     size_t size);

/* The same as rules_open for a request of the caller's making (the command's --config, tests); program NULL:
 * unknown. */
int rules_open_for(const struct rules **out, const struct source_request *request, const char *program,
                   bool may_compile, char *text, size_t size);

/* Ends rules and all that was made ready of them, policies included: nobody may hold one any more. */
void rules_close(const struct rules *rules);

/*
 * Whether the files that the rules were made of are still the same: a stat(2) of each, no allocation, errno
 * kept. When they are not, rules_open_again gives new rules; the old ones stay valid.
 */
bool rules_are_fresh(const struct rules *rules);

/* How large those files are together now, in bytes: what a running program may still compile by itself is
 * small. */
uint64_t rules_source_bytes(const struct rules *rules);

/*
 * Where a sentence goes when a template turns out unfit in this process: the setting takes its default, a
 * header is left out. Set it before rules_open. It is called once a policy, wherever a call may be made,
 * so it must neither allocate nor use stdio; no value is in the sentence.
 */
typedef void rules_listener(const char *sentence);
void rules_listen(rules_listener *listener);

/*
 * The most specific rule that matches; for a service that no rule means, a policy that applies nothing.
 * Returns false when there is neither.
 */
bool rules_find(const struct rules *rules, const struct rules_query *query, struct rules_match *match);

/*
 * The service of a name, in small letters; NULL when there is none, at the cost of a comparison where no
 * services are configured. What is returned for one name is one pointer.
 */
const struct rules_service *rules_service(const struct rules *rules, const char *name, size_t length);

/* How many services there are, and the index-th, as it stands in the file; NULL when memory failed. */
uint32_t rules_service_count(const struct rules *rules);
const struct rules_service *rules_service_at(const struct rules *rules, uint32_t index);

/* Whether any rule could match a unix socket / the place whatever its method and path: a cheap first look. */
bool rules_has_unix(const struct rules *rules);

const struct rules_globals *rules_globals(const struct rules *rules);

#endif
