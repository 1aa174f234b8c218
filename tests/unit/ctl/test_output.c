#include "ctl/output.h"

#include <stdlib.h>

#include "lib/base/str.h"
#include "tests/lib/suite.h"

/* Both streams into memory. */
typedef struct Memory {
        char *out, *err;
        size_t out_size, err_size;
        FILE *out_file, *err_file;
        Output o;
} Memory;

static void setup(Memory *m) {
        *m = (Memory){ 0 };
        m->out_file = open_memstream(&m->out, &m->out_size);
        m->err_file = open_memstream(&m->err, &m->err_size);
        ck_assert(m->out_file && m->err_file);
        output_init(&m->o, m->out_file, m->err_file);
}

static void teardown(Memory *m) {
        fclose(m->out_file);
        fclose(m->err_file);
        free(m->out); /* open_memstream(3) took it from the C library */
        free(m->err);
}

START_TEST(test_lines) {
        Memory m;

        setup(&m);
        out_line(&m.o, "a %d", 1);
        err_line(&m.o, "b %s", "2");
        out_data(&m.o, "c", 1);
        output_progress(&m.o, "not on a terminal");
        ck_assert_int_eq(output_finish(&m.o, 3), 3);
        ck_assert_str_eq(m.out, "a 1\nc");
        ck_assert_str_eq(m.err, "b 2\n");
        teardown(&m);
}
END_TEST

START_TEST(test_progress) {
        Memory m;

        setup(&m);
        m.o.err_terminal = true;
        output_progress(&m.o, "one");
        output_progress(&m.o, "two");
        out_line(&m.o, "result");
        output_progress(&m.o, "12345678901234567890123456789012345678901234567890123456789012345678"
                              "9012345678öx");
        ck_assert_int_eq(output_finish(&m.o, 0), 0);
        ck_assert_str_eq(m.out, "result\n");
        /* Cut to one column less than there are, and removed before anything else is printed. */
        ck_assert_str_eq(m.err,
                         "\r\033[Kone\r\033[Ktwo\r\033[K\r\033[K1234567890123456789012345678901234"
                         "56789012345678901234567890123456789012345678ö\r\033[K");
        teardown(&m);
}
END_TEST

START_TEST(test_write_error) {
        FILE *full = fopen("/dev/full", "w");
        char *err = NULL;
        size_t size;
        FILE *err_file = open_memstream(&err, &size);
        Output o;

        ck_assert_ptr_nonnull(full);
        output_init(&o, full, err_file);
        out_line(&o, "lost");
        ck_assert(!out_is_closed(&o));
        ck_assert_int_eq(output_finish(&o, 0), 1);
        ck_assert(out_is_closed(&o));
        ck_assert_str_eq(err, "Error writing output: No space left on device\n");
        fclose(full);
        fclose(err_file);
        free(err);
}
END_TEST

START_TEST(test_no_terminal_no_colour) {
        Memory m;

        setup(&m);
        ck_assert(!m.o.out_terminal && !m.o.err_terminal && !m.o.colour);
        teardown(&m);
}
END_TEST

TEST_MAIN("output", test_lines, test_progress, test_write_error, test_no_terminal_no_colour);
