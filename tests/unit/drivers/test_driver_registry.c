#include "drivers/driver_registry.h"

#include "drivers/fake/fake_driver.h"
#include "lib/base/str.h"
#include "tests/lib/suite.h"

static UnitFile *unit_file(const char *text) {
        UnitFile *file = NULL;

        ck_assert_int_eq(unit_file_parse(text, strlen(text), &file, NULL), 0);
        return file;
}

#define SERVICE "[Service]\nExecStart=/usr/bin/bash -c true\n"

static int choose(const char *text, const char *configured, const char *available,
                  const DriverType **ret, Error *why) {
        _cleanup_(unit_file_freep) UnitFile *file = unit_file(text);
        _cleanup_(strv_done) Strv names = STRV_INIT;

        ck_assert_int_eq(strv_split(&names, available, " "), 0);
        return driver_choose("x.service", file, configured, &names, ret, why);
}

START_TEST(fake_is_no_driver_of_this_build) {
        for (size_t i = 0; driver_types()[i]; i++) {
                ck_assert_str_ne(driver_types()[i]->name, "fake");
                ck_assert_ptr_eq(driver_type_get(driver_types()[i]->name), driver_types()[i]);
        }
        ck_assert_ptr_null(driver_type_get("fake"));
        ck_assert_ptr_null(driver_type_get("nonsense"));
}
END_TEST

START_TEST(fake_is_chosen_where_a_test_has_it) {
        static const struct {
                const char *text, *configured;
        } cases[] = { { SERVICE, "auto" },
                      { SERVICE, NULL },
                      { SERVICE, "" },
                      { SERVICE, "fake" },
                      { SERVICE "[X-Fleet]\nDriver=fake\n", "auto" },
                      { SERVICE "[X-Fleet]\nDriver=docker\nDriver= fake \n", "docker" },
                      { SERVICE "[X-Fleet]\nDriver=auto\n", "docker" } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                const DriverType *type = NULL;

                ck_assert_msg(choose(cases[i].text, cases[i].configured, "fake", &type, NULL) == 0,
                              "%zu", i);
                ck_assert_ptr_eq(type, &fake_driver_type);
        }
}
END_TEST

START_TEST(fake_is_not_chosen_elsewhere) {
        const DriverType *type = NULL;
        _cleanup_error_ Error why = ERROR_INIT;

        ck_assert_int_eq(choose(SERVICE "[X-Fleet]\nDriver=fake\n", "auto", "", &type, &why),
                         -EINVAL);
        ck_assert_str_eq(error_text(&why), "Driver=: there is no driver 'fake'");
        ck_assert_uint_eq(why.line, 4);
        ck_assert_int_eq(choose(SERVICE, "fake", "", &type, &why), -EINVAL);
        ck_assert_str_eq(error_text(&why), "driver: there is no driver 'fake'");
}
END_TEST

START_TEST(nobody_can_says_why) {
        const DriverType *type = NULL;
        _cleanup_error_ Error why = ERROR_INIT;

        ck_assert_int_eq(choose(SERVICE, "auto", "", &type, &why), -ENOENT);
        ck_assert_ptr_nonnull(strstr(error_text(&why), "driver on this machine"));
        ck_assert_int_eq(choose(SERVICE "[X-Fleet]\nDriver=rkt\n", "auto", "", &type, &why),
                         -ENOENT);
        ck_assert_str_eq(error_text(&why), "no rkt driver on this machine");
}
END_TEST

START_TEST(mistakes_are_refused) {
        static const char bad[] = "[Service]\nExecStrat=/x\n";
        static const char unknown[] = SERVICE "[X-Fleet]\nMetadata=a=b\nDriver=dokcer\n";
        _cleanup_(unit_file_freep) UnitFile *good_file = unit_file(SERVICE);
        _cleanup_(unit_file_freep) UnitFile *bad_file = unit_file(bad);
        _cleanup_(unit_file_freep) UnitFile *unknown_file = unit_file(unknown);
        const DriverType *type = NULL;
        _cleanup_error_ Error why = ERROR_INIT;

        ck_assert_int_eq(choose(bad, "auto", "fake", &type, &why), -EINVAL);
        ck_assert_uint_eq(why.line, 2);
        ck_assert_int_eq(choose(bad, "fake", "fake", &type, &why), -EINVAL);
        ck_assert_int_eq(choose(unknown, "auto", "fake", &type, &why), -EINVAL);
        ck_assert_str_eq(error_text(&why), "Driver=: there is no driver 'dokcer'");
        ck_assert_uint_eq(why.line, 5);

        ck_assert_int_eq(driver_validate("x.service", good_file, "fake", &why), 0);
        ck_assert_int_eq(driver_validate("x.service", bad_file, "fake", &why), -EINVAL);
        ck_assert_uint_eq(why.line, 2);
        ck_assert_int_eq(driver_validate("x.service", unknown_file, "auto", &why), -EINVAL);
        ck_assert_uint_eq(why.line, 5);
}
END_TEST

#define CONTAINER "[Service]\nExecStart=/usr/bin/docker run --name x busybox true\n"

START_TEST(docker_takes_what_it_claims) {
        const DriverType *type = NULL;
        _cleanup_error_ Error why = ERROR_INIT;

        ck_assert_int_eq(choose(CONTAINER, "auto", "docker", &type, NULL), 0);
        ck_assert_str_eq(type->name, "docker");
        ck_assert_ptr_eq(driver_type_get("docker"), type);
        ck_assert_int_eq(
                choose(CONTAINER "[X-Fleet]\nDriver=docker\n", "rkt", "docker", &type, NULL), 0);
        ck_assert_str_eq(type->name, "docker");

        ck_assert_int_eq(choose(CONTAINER, "auto", "", &type, &why), -ENOENT);
        ck_assert_ptr_nonnull(
                str_after_prefix(error_text(&why), "docker: it is not available on this machine"));
        ck_assert_int_eq(choose(CONTAINER, "docker", "", &type, &why), -ENOENT);
        ck_assert_str_eq(error_text(&why), "docker: it is not available on this machine");
        ck_assert_int_eq(choose(CONTAINER "[X-Fleet]\nDriver=docker\n", "auto", "", &type, &why),
                         -ENOENT);
}
END_TEST

START_TEST(what_docker_does_not_claim_has_reasons) {
        _cleanup_(unit_file_freep) UnitFile *file = unit_file(SERVICE "[X-Fleet]\nDriver=docker\n");
        const DriverType *type = NULL;
        _cleanup_error_ Error why = ERROR_INIT;

        ck_assert_int_eq(choose(SERVICE, "auto", "docker", &type, &why), -ENOENT);
        ck_assert_ptr_nonnull(str_after_prefix(error_text(&why), "docker: "));
        ck_assert_ptr_nonnull(strstr(error_text(&why), "(line 2)"));
        ck_assert_ptr_nonnull(strstr(error_text(&why), "; no "));
        ck_assert_int_eq(choose(SERVICE, "docker", "docker", &type, &why), -ENOENT);
        ck_assert_ptr_nonnull(str_after_prefix(error_text(&why), "docker: "));

        /* Forced, it is wrong wherever it goes. */
        ck_assert_int_eq(choose(SERVICE "[X-Fleet]\nDriver=docker\n", "auto", "docker", &type,
                                &why),
                         -EINVAL);
        ck_assert_ptr_nonnull(str_after_prefix(error_text(&why), "Driver=docker: "));
        ck_assert_uint_gt(why.line, 0);
        ck_assert_int_eq(driver_validate("x.service", file, "auto", &why), -EINVAL);
}
END_TEST

/* Where a unit will run is not known at submit: that this machine has no driver for it is no mistake. */
START_TEST(validating_does_not_ask_for_a_place) {
        _cleanup_(unit_file_freep) UnitFile *file = unit_file(SERVICE "[X-Fleet]\nDriver=rkt\n");

        ck_assert_int_eq(driver_validate("x.service", file, "auto", NULL), 0);
}
END_TEST

TEST_MAIN("driver registry", fake_is_no_driver_of_this_build, fake_is_chosen_where_a_test_has_it,
          fake_is_not_chosen_elsewhere, nobody_can_says_why, mistakes_are_refused,
          docker_takes_what_it_claims, what_docker_does_not_claim_has_reasons,
          validating_does_not_ask_for_a_place);
