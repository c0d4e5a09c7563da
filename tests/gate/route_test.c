/* Which address of a service an attempt goes to. The clock and the dice are ours, as in gate_test. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/method.h"
#include "gate/choice.h"

/* Last: its names are those of parameters elsewhere. */
#include "gate/own_clock.h"

static struct place name(const char *host)
{
    struct place place;
    assert_true(place_from_host(&place, host, strlen(host), 80));
    return place;
}

static struct gate_call open_call(const char *host)
{
    struct place place = name(host);
    struct rules_query query = {.place = &place, .method = METHOD_GET, .path = "/", .path_length = 1};
    struct gate_call call = {0};

    assert_true(gate_open(&call, &query, true));
    return call;
}

/* The port of the address that the next attempt goes to; 0: none. */
static unsigned next(struct gate_call *call, const char *host, bool is_encrypted)
{
    struct place place = name(host);
    const struct choice_wish wish = {.port = 80, .is_encrypted = is_encrypted};
    struct route *route = route_of(call, &place);

    assert_non_null(route);
    assert_int_equal(gate_admit(call, true).kind, VERDICT_GO);
    const struct route_address *address = choice_make(call, route, &wish);
    return address ? address->place.port : 0;
}

static struct verdict end(struct gate_call *call, struct outcome outcome, bool sent)
{
    struct gate_attempt attempt = {
        .outcome = outcome, .method = METHOD_POST, .sent = sent, .replayable = true, .retry_after_ms = -1};
    return gate_ended(call, &attempt);
}

static unsigned one_call(const char *host, struct outcome outcome)
{
    struct gate_call call = open_call(host);
    unsigned port = next(&call, host, false);
    end(&call, outcome, true);
    gate_close(&call);
    gate_forget(&call);
    return port;
}

static const struct outcome refused = {.type = OUTCOME_CONNECT, .os_error = ECONNREFUSED};

static void the_first_address_is_taken_while_it_is_well(void **state)
{
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(one_call("calm", outcome_of_status(200)), 1);
    assert_int_equal(one_call("calm", outcome_of_status(404)), 1); /* which speaks of the request */
    assert_int_equal(one_call("calm", (struct outcome){.type = OUTCOME_ABORTED}), 1);
    assert_int_equal(one_call("calm", outcome_of_status(200)), 1);
}

static void what_could_not_connect_goes_on_to_each_address_once(void **state)
{
    struct gate_call call = open_call("refuses");
    (void)state;

    assert_int_equal(next(&call, "refuses", false), 1);
    struct verdict verdict = end(&call, refused, false);
    assert_int_equal(verdict.kind, VERDICT_AGAIN);
    assert_int_equal(verdict.wait_ms, 0);
    assert_int_equal(next(&call, "refuses", false), 2);
    assert_int_equal(end(&call, refused, false).kind, VERDICT_AGAIN);
    assert_int_equal(next(&call, "refuses", false), 3);
    assert_int_equal(end(&call, refused, false).kind, VERDICT_STOP);
    gate_close(&call);
    gate_forget(&call);
}

static void what_was_sent_is_not_repeated_elsewhere(void **state)
{
    struct gate_call call = open_call("sent");
    (void)state;

    next(&call, "sent", false);
    assert_int_equal(end(&call, outcome_of_status(503), true).kind, VERDICT_STOP);
    gate_close(&call);
    gate_forget(&call);
    assert_int_equal(one_call("sent", outcome_of_status(200)), 2); /* but the next call is spared it */
}

static void an_address_that_failed_is_passed_over_until_a_probe_finds_it_well(void **state)
{
    (void)state;
    assert_int_equal(one_call("heals", outcome_of_status(503)), 1);
    assert_int_equal(one_call("heals", outcome_of_status(200)), 2);
    now_us += 4900000;
    assert_int_equal(one_call("heals", outcome_of_status(200)), 2);
    now_us += 200000;
    assert_int_equal(one_call("heals", outcome_of_status(503)), 1); /* a probe, in vain */
    now_us += 5100000;
    assert_int_equal(one_call("heals", outcome_of_status(200)), 2); /* it takes longer now */
    now_us += 5100000;
    assert_int_equal(one_call("heals", outcome_of_status(200)), 1);
    assert_int_equal(one_call("heals", outcome_of_status(200)), 1);
}

static void a_probe_that_tells_nothing_gives_its_place_back(void **state)
{
    (void)state;
    one_call("silent", outcome_of_status(503));
    now_us += 5100000;
    assert_int_equal(one_call("silent", (struct outcome){.type = OUTCOME_LOCAL}), 1);
    assert_int_equal(one_call("silent", outcome_of_status(200)), 1);
}

static void where_all_have_failed_they_are_tried_in_turn(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 3; i++)
        assert_int_equal(one_call("dead", outcome_of_status(503)), i);
    struct gate_call call = open_call("dead");
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(next(&call, "dead", false), i);
        end(&call, refused, false);
    }
    gate_close(&call);
    gate_forget(&call);
}

static void https_goes_to_no_http(void **state)
{
    struct gate_call call = open_call("mixed");
    (void)state;

    assert_int_equal(next(&call, "mixed", true), 2);
    end(&call, refused, false);
    assert_int_equal(next(&call, "mixed", true), 3); /* tcp:// says nothing of what is spoken there */
    gate_close(&call);
    gate_forget(&call);
    call = open_call("calm");
    assert_int_equal(next(&call, "calm", true), 0);
    gate_close(&call);
    gate_forget(&call);
}

static void what_look_ups_led_to_is_known(void **state)
{
    static const uint8_t ipv4[4] = {10, 1, 2, 3}, ipv6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
    struct gate_call call = open_call("named");
    struct place place = name("named"), found, lead;
    struct route_address *addresses[ROUTE_MOST];
    (void)state;

    assert_int_equal(route_addresses(route_of(&call, &place), false, addresses), 1);
    assert_false(route_leads(addresses[0], PLACE_IPV4, &lead));
    for (int i = 0; i < 3; i++) {
        place_from_address(&found, PLACE_IPV4, ipv4, 0);
        route_learn(addresses[0], &found);
        place_from_address(&found, PLACE_IPV6, ipv6, 0);
        route_learn(addresses[0], &found);
    }
    assert_true(route_leads(addresses[0], PLACE_IPV6, &lead));
    assert_memory_equal(lead.address, ipv6, 16);
    assert_true(route_leads(addresses[0], PLACE_IPV4, &lead));
    assert_memory_equal(lead.address, ipv4, 4);
    const struct choice_wish there = {.port = 80, .at = &lead}, elsewhere = {.port = 80, .at = &place};
    assert_ptr_equal(choice_make(&call, route_of(&call, &place), &there), addresses[0]);
    assert_null(choice_make(&call, route_of(&call, &place), &elsewhere));
    gate_close(&call);
    gate_forget(&call);
}

static char folder[] = "/tmp/gusset-route-XXXXXX", path[64], config[64];

static int prepare(void **state)
{
    static const char *const services[] = {"calm", "refuses", "sent", "heals", "silent", "dead"};
    (void)state;

    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/state", folder);
    snprintf(config, sizeof config, "%s/gusset.cfg", folder);
    FILE *file = fopen(config, "w");
    fputs("services = (\n", file);
    for (size_t i = 0; i < sizeof services / sizeof *services; i++)
        fprintf(file,
                "{ name = \"%s\"; urls = [\"http://%s.x:1\", \"http://%s.x:2\", \"http://%s.x:3\"]; },\n",
                services[i], services[i], services[i], services[i]);
    fputs("{ name = \"mixed\"; urls = [\"http://m:1\", \"https://m:2\", \"tcp://m:3\"]; },\n"
          "{ name = \"named\"; url = \"http://n:1\"; } );\n",
          file);
    fclose(file);
    chmod(config, 0600);
    setenv("GUSSET_STATE", path, 1);
    setenv("GUSSET_CONFIG", config, 1);
    setenv("XDG_CONFIG_HOME", folder, 1);
    unsetenv("GUSSET_POLICY");
    unsetenv("GUSSET_SET");
    unsetenv("GUSSET_MODE");
    return 0;
}

static int tidy(void **state)
{
    (void)state;
    unlink(path);
    unlink(config);
    rmdir(folder);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_address_is_taken_while_it_is_well),
        cmocka_unit_test(what_could_not_connect_goes_on_to_each_address_once),
        cmocka_unit_test(what_was_sent_is_not_repeated_elsewhere),
        cmocka_unit_test(an_address_that_failed_is_passed_over_until_a_probe_finds_it_well),
        cmocka_unit_test(a_probe_that_tells_nothing_gives_its_place_back),
        cmocka_unit_test(where_all_have_failed_they_are_tried_in_turn),
        cmocka_unit_test(https_goes_to_no_http),
        cmocka_unit_test(what_look_ups_led_to_is_known),
    };
    return cmocka_run_group_tests(tests, prepare, tidy);
}
