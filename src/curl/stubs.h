/*
 * How a hook is exported: a stub a flavour, so that the loader tells us by the symbol's version which
 * libcurl was meant. `hook_X` serves `curl_X`; it gets the flavour first, then the arguments given here.
 */
#ifndef GUSSET_CURL_STUBS_H
#define GUSSET_CURL_STUBS_H

#include "sys/libcurl.h"

#define STUBS_VERSION_openssl "CURL_OPENSSL_4"
#define STUBS_VERSION_gnutls  "CURL_GNUTLS_3"
#define STUBS_VERSION_nss     "CURL_NSS_3"
#define STUBS_VERSION_plain   "" /* a hidden base: taken by unversioned references only */

#define STUBS_CALLER __builtin_return_address(0)

/* The hooks that are come through most often are written out in each flavour's stub. */
#define STUBS_INLINE static inline __attribute__((always_inline))

/* `give` is return, or nothing for a function that returns nothing. */
#define STUBS_DEFINE(flavour, give, result, name, parameters, ...)                                           \
    __attribute__((visibility("default"))) result name##__##flavour parameters;                              \
    __attribute__((visibility("default"))) result name##__##flavour parameters                               \
    {                                                                                                        \
        give hook_##name(LIBCURL_##flavour, __VA_ARGS__);                                                    \
    }                                                                                                        \
    __asm__(".symver " #name "__" #flavour ",curl_" #name "@" STUBS_VERSION_##flavour);

/* A call that libcurl makes to itself, or on a handle that it made for itself, is none of ours. */
static inline bool stubs_is_inner(const struct libcurl *libcurl, const void *caller)
{
    return libcurl_holds(libcurl, caller);
}

#endif
