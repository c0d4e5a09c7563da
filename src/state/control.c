#include "state/control.h"

#include "state/slots.h"

/* The name of a host's switch: its hash, whose last bits make room for where it stands. */
static uint64_t name_of(const char *host, size_t length)
{
    return slots_key(host, length, "", 0) & ~(uint64_t)CONTROL_SWITCH;
}

static size_t without_port(const char *host, size_t length)
{
    for (size_t i = length; i > 0; i--)
        if (host[i - 1] == ':')
            return i - 1;
    return length;
}

void control_set_switch(struct layout_header *header, unsigned to)
{
    uint64_t old = control_word(header), next;
    do {
        next = (old & ~(uint64_t)CONTROL_SWITCH) | to;
    } while (!atomic_compare_exchange_weak(&header->control, &old, next));
}

void control_change(struct layout_header *header)
{
    atomic_fetch_add(&header->control, CONTROL_CHANGE);
}

bool control_set_host(struct layout_header *header, const char *host, size_t length, unsigned to)
{
    uint64_t name = name_of(host, length);
    bool is_set = to == CONTROL_AS_CONFIGURED, has_hosts = false;

    for (unsigned i = 0; i < LAYOUT_HOST_MODES; i++) { /* what it had before */
        uint64_t old = atomic_load(&header->host_modes[i]);
        if (old && (old & ~(uint64_t)CONTROL_SWITCH) == name) {
            atomic_compare_exchange_strong(&header->host_modes[i], &old, is_set ? 0 : name | to);
            is_set = true;
        }
    }
    for (unsigned i = 0; i < LAYOUT_HOST_MODES && !is_set; i++) {
        uint64_t none = 0;
        is_set = atomic_compare_exchange_strong(&header->host_modes[i], &none, name | to);
    }
    for (unsigned i = 0; i < LAYOUT_HOST_MODES; i++)
        has_hosts |= atomic_load(&header->host_modes[i]) != 0;
    if (has_hosts)
        atomic_fetch_or(&header->control, CONTROL_HAS_HOSTS);
    control_change(header);
    return is_set;
}

unsigned control_hosts(const struct layout_header *header)
{
    unsigned count = 0;

    for (unsigned i = 0; i < LAYOUT_HOST_MODES; i++)
        count += atomic_load_explicit(&header->host_modes[i], memory_order_relaxed) != 0;
    return count;
}

void control_forget_hosts(struct layout_header *header)
{
    for (unsigned i = 0; i < LAYOUT_HOST_MODES; i++)
        atomic_store(&header->host_modes[i], 0);
    control_change(header);
}

static unsigned find(const struct layout_header *header, const char *host, size_t length)
{
    uint64_t name = name_of(host, length);

    for (unsigned i = 0; i < LAYOUT_HOST_MODES; i++) {
        uint64_t word = atomic_load_explicit(&header->host_modes[i], memory_order_relaxed);
        if (word && (word & ~(uint64_t)CONTROL_SWITCH) == name)
            return control_switch(word);
    }
    return CONTROL_AS_CONFIGURED;
}

unsigned control_host_switch(const struct layout_header *header, const char *host, size_t length)
{
    if (!(control_word(header) & CONTROL_HAS_HOSTS))
        return CONTROL_AS_CONFIGURED;
    unsigned own = find(header, host, length);
    return own ? own : find(header, host, without_port(host, length));
}
