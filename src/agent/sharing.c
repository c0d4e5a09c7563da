#include "agent/sharing.h"

#include <stddef.h>
#include <string.h>

#include "agent/notice.h"
#include "core/breaker.h"
#include "core/siphash.h"
#include "tool/vitals.h"

static bool is_local_name(const char *name)
{
    static const char local[] = "localhost";
    size_t length = strlen(name), own = sizeof local - 1;

    return length >= own && strcmp(name + length - own, local) == 0 &&
           (length == own || name[length - own - 1] == '.');
}

/* Loopback, link-local or nobody's. */
static bool is_local(const struct place *place)
{
    static const uint8_t six_local[16] = {[15] = 1}, six_any[16] = {0};
    const uint8_t *address = place->address;

    switch ((enum place_family)place->family) {
    case PLACE_NAME:
        return is_local_name(place->name);
    case PLACE_IPV4:
        return address[0] == 127 || address[0] == 0 || (address[0] == 169 && address[1] == 254);
    case PLACE_IPV6:
        return memcmp(address, six_local, 16) == 0 || memcmp(address, six_any, 16) == 0 ||
               (address[0] == 0xfe && (address[1] & 0xc0) == 0x80);
    case PLACE_UNIX:
        break;
    }
    return true;
}

static bool runs_here(const struct rules_service *service)
{
    for (uint32_t i = 0; i < service->url_count; i++)
        if (is_local(&service->urls[i].place))
            return true;
    return false;
}

bool sharing_is_meant(const struct snapshot *host, const struct rules *rules)
{
    struct address address;

    if (host->is_shadow || host->is_bucket || !notice_can_say(host->host, host->policy) ||
        address_parse(&address, host->host) || is_local(&address.place))
        return false;
    const struct rules_service *service =
        rules ? rules_service(rules, address.place.name, strlen(address.place.name)) : NULL;
    return !service || !runs_here(service);
}

/* An unhealthy address, or the service of an unhealthy one. */
static bool is_unhealthy(const struct snapshot *host, const struct reading *reading)
{
    size_t length = strcspn(host->host, ":");
    struct vitals vitals;

    for (unsigned i = 0; i < reading->buckets.count; i++) {
        const struct snapshot *bucket = &reading->buckets.items[i];
        if (!vitals_of(bucket, &vitals) || vitals.state != VITALS_UNHEALTHY)
            continue;
        if (strcmp(bucket->host, host->host) == 0 ||
            (strncmp(bucket->policy + 1, host->host, length) == 0 && bucket->policy[1 + length] == '\0'))
            return true;
    }
    return false;
}

bool sharing_is_by_hand(const struct snapshot *host, const struct reading *reading)
{
    return breaker_is_by_hand(host->circuit) && !is_unhealthy(host, reading);
}

bool sharing_goes_well(const struct snapshot *host, struct reading *reading)
{
    uint32_t window_ms = reading_window_ms(reading, host);
    struct window_sum sum = {0};

    if (window_ms == 0)
        return false; /* not known here: nothing speaks against the other machine */
    uint64_t slice = window_slice(reading->now_us / 1000, window_ms);
    for (uint64_t back = 0; back < 2; back++) {
        struct window_sum slot = window_read(host->outcomes[window_index(slice - back)], slice - back);
        sum.all += slot.all;
        sum.marked += slot.marked;
    }
    return sum.all > 0 && sum.marked == 0;
}

/* The boot's number is nobody else's business: it is the key. */
uint64_t sharing_memory(const struct reading *reading)
{
    const struct layout_header *header = reading->state.map.header;
    uint64_t key[2];

    if (!header)
        return 0;
    memcpy(key, header->boot_id, sizeof key);
    uint64_t number = siphash(key, header, offsetof(struct layout_header, control));
    return number ? number : 1;
}
