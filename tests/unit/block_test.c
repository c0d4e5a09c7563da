/* curl/block: a reply's header lines. `make fuzz` holds it against libcurl; what that found stands here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "curl/block.h"

static bool feed(struct block *block, const char *line)
{
    return block_read(block, line, strlen(line));
}

static int status_of(const char *line)
{
    struct block block;

    block_init(&block);
    feed(&block, line);
    return block.status;
}

static void a_block_begins_with_its_status_and_ends_with_a_blank_line(void **state)
{
    (void)state;
    struct block block;

    block_init(&block);
    assert_false(feed(&block, "HTTP/1.1 503 Busy\r\n"));
    assert_false(feed(&block, "Retry-After: 3\r\n"));
    assert_false(feed(&block, "content-length:  12 \r\n"));
    assert_false(feed(&block, "Location: /x\r\n"));
    assert_true(feed(&block, "\r\n"));
    assert_int_equal(block.status, 503);
    assert_int_equal(block.retry_after_ms, 3000);
    assert_int_equal(block.content_length, 12);
    assert_true(block.has_location);
}

static void the_next_block_forgets_the_last(void **state)
{
    (void)state;
    struct block block;

    block_init(&block);
    feed(&block, "HTTP/1.1 301 Moved\r\n");
    feed(&block, "Location: /x\r\n");
    assert_true(feed(&block, "\r\n"));
    feed(&block, "HTTP/2 404\r\n");
    assert_int_equal(block.status, 404);
    assert_false(block.has_location);
    assert_int_equal(block.retry_after_ms, -1);
    assert_true(feed(&block, "\n"));
}

static void trailers_begin_no_block(void **state)
{
    (void)state;
    struct block block;

    block_init(&block);
    feed(&block, "HTTP/1.1 200 OK\r\n");
    assert_true(feed(&block, "\r\n"));
    assert_false(feed(&block, "X-Checksum: 1\r\n"));
    assert_false(feed(&block, "\r\n"));
    assert_int_equal(block.status, 200);
}

static void a_number_that_is_none_is_unknown(void **state)
{
    (void)state;
    static const char *const lines[] = {"Content-Length: \r\n", "Content-Length: -1\r\n",
                                        "Content-Length: 1x\r\n", "Content-Length: 9999999999999999\r\n",
                                        "Content-Length\r\n"};

    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct block block;
        block_init(&block);
        feed(&block, "HTTP/1.1 500 No\r\n");
        feed(&block, lines[i]);
        assert_int_equal(block.content_length, -1);
    }
}

/*
 * Found by block_fuzz: libcurl (until 8.1, by sscanf) takes more blanks than one before the status, and
 * servers send them; read as no status at all, such a 503 was handed over at the first try.
 */
static void a_status_is_read_as_libcurl_reads_it(void **state)
{
    (void)state;

    assert_int_equal(status_of("HTTP/1.1 200 OK\r\n"), 200);
    assert_int_equal(status_of("HTTP/1.0 404\r\n"), 404);
    assert_int_equal(status_of("HTTP/2 503 \r\n"), 503);
    assert_int_equal(status_of("HTTP/3 429\r\n"), 429);
    assert_int_equal(status_of("HTTP/1.1  503  two blanks\r\n"), 503);
    assert_int_equal(status_of("Server: x 200\r\n"), 0);
    assert_int_equal(status_of("HTTP/1.1 \r\n"), 0);
    assert_int_equal(status_of("HTTP/1.1 \200\201\202\r\n"), 0);
}

/* Found by block_fuzz: libcurl looks at the first byte alone; a block that it held for ended was not for us.
 */
static void a_line_that_begins_with_cr_ends_a_block(void **state)
{
    (void)state;
    struct block block;

    block_init(&block);
    feed(&block, "HTTP/1.1 100 Continue\r\n");
    assert_true(feed(&block, "\rx\n"));
    feed(&block, "HTTP/1.1 503 Busy\r\n");
    assert_int_equal(block.status, 503);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_block_begins_with_its_status_and_ends_with_a_blank_line),
        cmocka_unit_test(the_next_block_forgets_the_last),
        cmocka_unit_test(trailers_begin_no_block),
        cmocka_unit_test(a_number_that_is_none_is_unknown),
        cmocka_unit_test(a_line_that_begins_with_cr_ends_a_block),
        cmocka_unit_test(a_status_is_read_as_libcurl_reads_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
