/* connect/names: which name was looked up to get this address. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "connect/names.h"
#include "connect/peer.h"

static struct sockaddr_in address_of(const char *text)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
    return in;
}

static void look_up(const char *name, const char *text)
{
    struct sockaddr_in in = address_of(text);
    struct addrinfo found = {.ai_addr = (struct sockaddr *)&in, .ai_addrlen = sizeof in};
    names_remember(name, &found);
}

static bool is_certain;

/* The name that a connect to the address means; "-" for none. */
static const char *meant(const char *text)
{
    static _Thread_local struct place named;
    struct sockaddr_in in = address_of(text);
    struct place place;
    bool certain;

    in.sin_port = htons(443);
    assert_true(peer_of(&place, (struct sockaddr *)&in, sizeof in));
    if (!names_find(&place, &named, &certain))
        return "-";
    is_certain = certain;
    assert_int_equal(named.port, 443);
    assert_int_equal(named.name_length, strlen(named.name));
    return named.name;
}

static void names_are_found_in_the_form_that_rules_have(void **state)
{
    (void)state;
    assert_string_equal(meant("192.0.2.1"), "-");
    look_up("One.Example.COM.", "192.0.2.1");
    assert_string_equal(meant("192.0.2.1"), "one.example.com");
    assert_true(is_certain);
    assert_string_equal(meant("192.0.2.1"), "one.example.com");
    assert_string_equal(meant("192.0.2.2"), "-");
}

static void literal_addresses_and_names_too_long_are_not_remembered(void **state)
{
    char longer[200];

    (void)state;
    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    look_up("192.0.2.10", "192.0.2.10");
    look_up("::1", "192.0.2.10");
    look_up("", "192.0.2.10");
    look_up(longer, "192.0.2.10");
    assert_string_equal(meant("192.0.2.10"), "-");
}

static void mapped_address_is_the_same_address(void **state)
{
    struct sockaddr_in6 mapped = {.sin6_family = AF_INET6};
    struct addrinfo found = {.ai_addr = (struct sockaddr *)&mapped, .ai_addrlen = sizeof mapped};

    (void)state;
    inet_pton(AF_INET6, "::ffff:192.0.2.20", &mapped.sin6_addr);
    names_remember("mapped.example", &found);
    assert_string_equal(meant("192.0.2.20"), "mapped.example");
}

static void look_ups_are_used_in_their_order(void **state)
{
    (void)state;
    look_up("a.example", "192.0.2.30");
    look_up("b.example", "192.0.2.30");
    look_up("c.example", "192.0.2.30");
    assert_string_equal(meant("192.0.2.30"), "a.example");
    assert_string_equal(meant("192.0.2.30"), "b.example");
    assert_string_equal(meant("192.0.2.30"), "c.example");
    assert_string_equal(meant("192.0.2.30"), "c.example"); /* none is left: the last */
    assert_false(is_certain);
    look_up("a.example", "192.0.2.30");
    assert_string_equal(meant("192.0.2.30"), "a.example");
    assert_true(is_certain);
}

static void *look_up_first(void *nothing)
{
    look_up("theirs.example", "192.0.2.40");
    return nothing;
}

static void own_look_up_comes_before_that_of_another_thread(void **state)
{
    pthread_t thread;

    (void)state;
    pthread_create(&thread, NULL, look_up_first, NULL);
    pthread_join(thread, NULL);
    look_up("ours.example", "192.0.2.40");
    assert_string_equal(meant("192.0.2.40"), "ours.example");
    assert_string_equal(meant("192.0.2.40"), "theirs.example");
}

static void neighbouring_addresses_do_not_push_each_other_out(void **state)
{
    char name[32], text[32];

    (void)state;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        snprintf(text, sizeof text, "10.0.%d.%d", i / 250, i % 250);
        look_up(name, text);
    }
    int known = 0;
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "n%d.example", i);
        snprintf(text, sizeof text, "10.0.%d.%d", i / 250, i % 250);
        known += strcmp(meant(text), name) == 0;
    }
    assert_true(known >= 995);
}

static atomic_bool is_over;

static void *look_up_on(void *number)
{
    char name[80];

    for (unsigned i = 0; !is_over; i++) {
        int length = snprintf(name, sizeof name, "w%d-", (int)(intptr_t)number);
        memset(name + length, 'a' + (int)(i % 26), 40);
        memcpy(name + length + 40, ".example", 9);
        look_up(name, "192.0.2.50");
    }
    return NULL;
}

static void no_name_is_ever_half_another(void **state)
{
    pthread_t threads[3];

    (void)state;
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, look_up_on, (void *)(intptr_t)i);
    for (int i = 0; i < 20000; i++) {
        const char *name = meant("192.0.2.50"), *letters = strchr(name, '-');
        if (strcmp(name, "-") == 0)
            continue;
        for (int c = 2; c <= 40; c++)
            assert_int_equal(letters[c], letters[1]);
        assert_string_equal(letters + 41, ".example");
    }
    is_over = true;
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_found_in_the_form_that_rules_have),
        cmocka_unit_test(literal_addresses_and_names_too_long_are_not_remembered),
        cmocka_unit_test(mapped_address_is_the_same_address),
        cmocka_unit_test(look_ups_are_used_in_their_order),
        cmocka_unit_test(own_look_up_comes_before_that_of_another_thread),
        cmocka_unit_test(neighbouring_addresses_do_not_push_each_other_out),
        cmocka_unit_test(no_name_is_ever_half_another),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
