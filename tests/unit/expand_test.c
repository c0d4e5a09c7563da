#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/expand.h"

static const char *lookup(const char *name)
{
    if (strcmp(name, "HOST") == 0)
        return "db.internal";
    if (strcmp(name, "EMPTY") == 0)
        return "";
    if (strcmp(name, "DOLLAR") == 0)
        return "${HOST}";
    return NULL;
}

static char out[EXPAND_FILE_MOST + 64];
static struct expand_fault fault;

static const char *expand(const char *text)
{
    return expand_text(text, out, sizeof out, lookup, &fault) < 0 ? NULL : out;
}

static void refuses(const char *text, enum expand_error error, const char *sentence)
{
    char reason[256];
    assert_null(expand(text));
    assert_int_equal(fault.error, error);
    expand_explain(&fault, reason, sizeof reason);
    assert_string_equal(reason, sentence);
}

static void variables_take_the_place_of_their_names(void **state)
{
    (void)state;
    assert_string_equal(expand("${HOST}"), "db.internal");
    assert_string_equal(expand("a${HOST}b${HOST}c"), "adb.internalbdb.internalc");
    assert_string_equal(expand("plain"), "plain");
    assert_string_equal(expand(""), "");
    assert_string_equal(expand("${EMPTY}"), "");
}

static void defaults_stand_in_for_the_unset_and_the_empty(void **state)
{
    (void)state;
    assert_string_equal(expand("${NONE:-x}"), "x");
    assert_string_equal(expand("${NONE:-}"), "");
    assert_string_equal(expand("${EMPTY:-x}"), "x");
    assert_string_equal(expand("${HOST:-x}"), "db.internal");
    assert_string_equal(expand("${NONE:-a:-b}"), "a:-b");
}

static void a_dollar_without_brace_stays_and_values_are_not_expanded_again(void **state)
{
    (void)state;
    assert_string_equal(expand("$HOST $ $$ {HOST}"), "$HOST $ $$ {HOST}");
    assert_string_equal(expand("$${HOST}"), "$db.internal");
    assert_string_equal(expand("${DOLLAR}"), "${HOST}");
    assert_false(expand_is_template("$HOST"));
    assert_true(expand_is_template("x${"));
}

static void faults_name_the_variable(void **state)
{
    (void)state;
    refuses("${NONE}", EXPAND_UNSET, "the variable NONE is not set and has no default");
    refuses("x${HOST", EXPAND_UNCLOSED, "${HOST is not closed; expected ${NAME}");
    refuses("${}", EXPAND_BAD_NAME,
            "${} is no variable; expected ${NAME}, ${NAME:-default} or ${file:/path}");
    refuses("${1A}", EXPAND_BAD_NAME,
            "${1A} is no variable; expected ${NAME}, ${NAME:-default} or ${file:/path}");
    refuses("${A B}", EXPAND_BAD_NAME,
            "${A B} is no variable; expected ${NAME}, ${NAME:-default} or ${file:/path}");
    refuses("${A:-${HOST}}", EXPAND_NESTED, "the default of ${A} holds another ${; expected plain text");
    refuses("${file:relative}", EXPAND_FILE_PATH, "${file:relative} is not an absolute path");
    assert_false(expand_is_sound("fine ${HOST} ${", &fault));
    assert_true(expand_is_sound("fine ${NONE}", &fault));
}

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    char small[8];
    assert_int_equal(expand_text("1234567", small, sizeof small, lookup, &fault), 7);
    assert_int_equal(expand_text("12345678", small, sizeof small, lookup, &fault), -1);
    assert_int_equal(fault.error, EXPAND_TOO_LONG);
    assert_int_equal(expand_text("${HOST}", small, sizeof small, lookup, &fault), -1);
    assert_int_equal(expand_text("${NONE:-12345678}", small, sizeof small, lookup, &fault), -1);
}

static void write_file(const char *path, const char *bytes, size_t length)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fwrite(bytes, 1, length, file);
    fclose(file);
}

static void the_first_line_of_a_file_is_taken(void **state)
{
    (void)state;
    char folder[] = "/tmp/gusset-expand-XXXXXX", path[64], text[96];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/key", folder);
    snprintf(text, sizeof text, "<${file:%s}>", path);

    write_file(path, "secret\nsecond\n", 14);
    assert_string_equal(expand(text), "<secret>");
    write_file(path, "secret\r\n", 8);
    assert_string_equal(expand(text), "<secret>");
    write_file(path, "secret", 6);
    assert_string_equal(expand(text), "<secret>");
    write_file(path, "", 0);
    assert_string_equal(expand(text), "<>");
    write_file(path, "a\0b\n", 4);
    assert_null(expand(text));
    assert_int_equal(fault.error, EXPAND_FILE_NUL);

    static char big[EXPAND_FILE_MOST + 1];
    memset(big, 'x', sizeof big);
    write_file(path, big, sizeof big);
    assert_null(expand(text));
    assert_int_equal(fault.error, EXPAND_FILE_SIZE);
    write_file(path, big, sizeof big - 1);
    assert_non_null(expand(text));
    assert_int_equal(strlen(out), EXPAND_FILE_MOST + 2);

    unlink(path);
    errno = EXDEV;
    assert_null(expand(text));
    assert_int_equal(fault.error, EXPAND_FILE_READ);
    assert_int_equal(errno, EXDEV);
    assert_return_code(mkfifo(path, 0600), 0); /* nobody writes to it: must not hang */
    assert_null(expand(text));
    assert_int_equal(fault.error, EXPAND_FILE_KIND);
    unlink(path);
    assert_return_code(mkdir(path, 0700), 0);
    assert_null(expand(text));
    assert_int_equal(fault.error, EXPAND_FILE_KIND);
    rmdir(path);
    rmdir(folder);
}

static void under_cgi_no_http_variable_is_seen(void **state)
{
    (void)state;
    setenv("HTTP_PROXY", "http://evil.example", 1);
    unsetenv("GATEWAY_INTERFACE");
    assert_string_equal(expand_environment("HTTP_PROXY"), "http://evil.example");
    setenv("GATEWAY_INTERFACE", "CGI/1.1", 1);
    assert_null(expand_environment("HTTP_PROXY"));
    assert_non_null(expand_environment("GATEWAY_INTERFACE"));
    assert_int_equal(expand_text("${HTTP_PROXY:-none}", out, sizeof out, expand_environment, &fault), 4);
    assert_string_equal(out, "none");
    unsetenv("GATEWAY_INTERFACE");
    unsetenv("HTTP_PROXY");
}

static void program_and_user_are_those_of_the_process(void **state)
{
    char wanted[64];
    (void)state;
    snprintf(wanted, sizeof wanted, "%s/%u", program_invocation_short_name, geteuid());
    setenv("program", "somebody's own", 1);
    assert_true(expand_text("${program}/${user}", out, sizeof out, expand_environment, &fault) > 0);
    assert_string_equal(out, wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_take_the_place_of_their_names),
        cmocka_unit_test(defaults_stand_in_for_the_unset_and_the_empty),
        cmocka_unit_test(a_dollar_without_brace_stays_and_values_are_not_expanded_again),
        cmocka_unit_test(faults_name_the_variable),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(the_first_line_of_a_file_is_taken),
        cmocka_unit_test(under_cgi_no_http_variable_is_seen),
        cmocka_unit_test(program_and_user_are_those_of_the_process),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
