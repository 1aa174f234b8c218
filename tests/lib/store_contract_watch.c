#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/buf.h"
#include "tests/lib/store_contract_internal.h"

/* The contract of watches and leases. */

#define event contract_event
#define store contract_store
#define put contract_put

typedef struct Seen {
        Buf text; /* "k=v@+1 " per event, revisions counted from `base`; "| " ends a call */
        int64_t base;
        size_t n;
        size_t want;
        bool enough; /* n >= want, or lost */
        int lost;
        StoreWatch *free_in_callback;
} Seen;

static void on_changed(StoreWatch *w _unused_, const StoreEvent *events, size_t n, int64_t revision,
                       void *userdata) {
        Seen *seen = userdata;

        ck_assert_uint_gt(n, 0);
        for (size_t i = 0; i < n; i++) {
                const StoreKv *kv = &events[i].kv;

                ck_assert(!events[i].deleted || (kv->version == 0 && kv->value_size == 0));
                ck_assert_int_le(kv->mod_revision, revision);
                (void) buf_printf(&seen->text, "%s%s%s@%+d ", events[i].deleted ? "-" : "", kv->key,
                                  events[i].deleted ? "" : "=",
                                  (int) (kv->mod_revision - seen->base));
        }
        (void) buf_append_str(&seen->text, "| ");
        seen->n += n;
        seen->enough = seen->n >= seen->want;
        if (seen->free_in_callback)
                seen->free_in_callback = store_watch_free(seen->free_in_callback);
}

static void on_lost(StoreWatch *w _unused_, int r, const Error *error, void *userdata) {
        Seen *seen = userdata;

        ck_assert_ptr_nonnull(error);
        seen->lost = r;
        seen->enough = true;
}

static const StoreWatchHandler handler = { .changed = on_changed, .lost = on_lost };

static StoreWatch *watch(const char *prefix, int64_t after, Seen *seen) {
        StoreWatch *w = NULL;

        ck_assert_int_eq(store_watch(store, prefix, after, &handler, seen, &w, NULL), 0);
        return w;
}

static void wait_events(Seen *seen, size_t want) {
        seen->want = want;
        seen->enough = seen->n >= want || seen->lost;
        suite_wait(event, &seen->enough);
}

START_TEST(watch_from_now) {
        int64_t now = put("a/1", "old");
        Seen seen = { .base = now };
        _cleanup_(store_watch_freep) StoreWatch *w = watch("a/", now, &seen);

        suite_settle(event);
        ck_assert_uint_eq(seen.n, 0);
        (void) put("a/1", "new");
        (void) put("b", "elsewhere");
        (void) store_do_delete(event, store, STORE_DELETE, "a/1");
        wait_events(&seen, 2);
        ck_assert_ptr_nonnull(strstr(buf_str(&seen.text), "a/1=@+1 "));
        ck_assert_ptr_nonnull(strstr(buf_str(&seen.text), "-a/1@+3 "));
        buf_done(&seen.text);
}
END_TEST

START_TEST(watch_from_the_past) {
        StoreOp ops[] = { { .type = STORE_DELETE, .key = "k" },
                          { .type = STORE_DELETE_PREFIX, .key = "x" } };
        int64_t then = put("x", "0");
        Seen seen = { .base = then };
        _cleanup_(store_watch_freep) StoreWatch *w = NULL;

        (void) put("k", "1");
        (void) put("k", "2");
        (void) store_do_txn(event, store, &(StoreTxn){ .ops = ops, .n_ops = 2 });
        w = watch("", then, &seen);
        wait_events(&seen, 4);
        ck_assert_str_eq(buf_str(&seen.text), "k=@+1 k=@+2 -k@+3 -x@+3 | ");
        buf_done(&seen.text);
}
END_TEST

START_TEST(watch_from_the_future_waits) {
        int64_t now = put("k", "0");
        Seen seen = { .base = now };
        _cleanup_(store_watch_freep) StoreWatch *w = watch("", now + 2, &seen);

        (void) put("k", "1");
        (void) put("k", "2");
        (void) put("k", "3");
        wait_events(&seen, 1);
        ck_assert_str_eq(buf_str(&seen.text), "k=@+3 | ");
        buf_done(&seen.text);
}
END_TEST

static void ignore_txn(int r, int64_t revision _unused_, const Error *error _unused_,
                       void *userdata _unused_) {
        ck_assert_int_eq(r, 0);
}

START_TEST(whole_revisions_in_order) {
        int64_t now = put("x", "0");
        Seen seen = { .base = now };
        _cleanup_(store_watch_freep) StoreWatch *w = watch("k", now, &seen);
        StoreCall *calls[20];

        for (int i = 0; i < 20; i++) {
                char a[16], b[16];
                StoreOp ops[2];

                (void) snprintf(a, sizeof(a), "k%d", i);
                (void) snprintf(b, sizeof(b), "k%d'", i);
                ops[0] = (StoreOp){ STORE_PUT, a, "", 0, 0 };
                ops[1] = (StoreOp){ STORE_PUT, b, "", 0, 0 };
                ck_assert_int_eq(store_txn(store, &(StoreTxn){ .ops = ops, .n_ops = 2 }, ignore_txn,
                                           NULL, &calls[i], NULL),
                                 0);
        }
        wait_events(&seen, 40);
        for (int i = 0; i < 20; i++) {
                char want[40];

                (void) snprintf(want, sizeof(want), "k%d=@%+d k%d'=@%+d ", i, i + 1, i, i + 1);
                ck_assert_ptr_nonnull(strstr(buf_str(&seen.text), want));
                store_call_free(calls[i]);
        }
        buf_done(&seen.text);
}
END_TEST

START_TEST(watch_of_many_changes) {
        int64_t now = put("x", "0");
        Seen seen = { .base = now };
        _cleanup_(store_watch_freep) StoreWatch *w = NULL;

        for (int i = 0; i < 120; i++) {
                StoreOp ops[100];
                char keys[100][16];

                for (int j = 0; j < 100; j++) {
                        (void) snprintf(keys[j], sizeof(keys[j]), "k%d", j);
                        ops[j] = (StoreOp){ STORE_PUT, keys[j], "", 0, 0 };
                }
                ck_assert_int_eq(
                        store_do_txn(event, store, &(StoreTxn){ .ops = ops, .n_ops = 100 }).r, 0);
        }
        w = watch("k", now, &seen);
        wait_events(&seen, 12000);
        ck_assert_uint_eq(seen.n, 12000);
        buf_done(&seen.text);
}
END_TEST

START_TEST(compacted_watch_is_lost) {
        int64_t then = put("k", "0");
        Seen seen = { .base = then };
        _cleanup_(store_watch_freep) StoreWatch *w = NULL;

        for (int i = 0; i < 200; i++)
                (void) put("k", "1");
        w = watch("", then, &seen);
        ck_assert_int_eq(seen.lost, 0);
        wait_events(&seen, 1);
        ck_assert_int_eq(seen.lost, -ESTALE);
        (void) put("k", "2");
        suite_settle(event);
        ck_assert_uint_eq(seen.n, 0);
}
END_TEST

START_TEST(freed_watch_is_silent) {
        int64_t now = put("k", "0");
        Seen silent = { .base = now }, once = { .base = now }, other = { .base = now };
        StoreWatch *a = watch("", now, &silent), *b = watch("", now, &once),
                   *c = watch("", now, &other);

        once.free_in_callback = b;
        (void) put("k", "1");
        store_watch_free(a);
        wait_events(&other, 1);
        (void) put("k", "2");
        wait_events(&other, 2);
        ck_assert_uint_eq(silent.n, 0);
        ck_assert_uint_eq(once.n, 1);
        store_watch_free(c);
        buf_done(&once.text);
        buf_done(&other.text);
}
END_TEST

START_TEST(watch_outlives_the_store) {
        Seen seen = { 0 };
        StoreWatch *w = watch("", put("k", "0"), &seen);

        store = store_free(store);
        suite_settle(event);
        store_watch_free(w);
}
END_TEST

/* ---- leases ---- */

START_TEST(revoked_lease_takes_its_keys) {
        StoreAnswer lease = store_do_grant(event, store, 60 * USEC_PER_SEC);
        int64_t now;
        Seen seen;

        ck_assert_int_eq(lease.r, 0);
        ck_assert_int_gt(lease.lease, 0);
        ck_assert_uint_ge(lease.ttl_usec, 60 * USEC_PER_SEC);
        (void) store_do_put(event, store, "l/a", "1", lease.lease);
        (void) store_do_put(event, store, "l/b", "1", lease.lease);
        (void) store_do_put(event, store, "l/freed", "1", lease.lease);
        (void) put("l/free", "1");
        now = put("l/freed", "2");
        seen = (Seen){ .base = now };
        StoreWatch *w = watch("l/", now, &seen);

        ck_assert_int_eq(store_do_revoke(event, store, lease.lease).r, 0);
        wait_events(&seen, 2);
        ck_assert_str_eq(buf_str(&seen.text), "-l/a@+1 -l/b@+1 | ");
        ck_assert_str_eq(store_do_get(event, store, "l/freed"), "2");
        ck_assert_int_eq(store_do_revoke(event, store, lease.lease).r, -ENOKEY);
        ck_assert_int_eq(store_do_renew(event, store, lease.lease).r, -ENOKEY);
        store_watch_free(w);
        buf_done(&seen.text);
}
END_TEST

START_TEST(expired_lease_takes_its_keys) {
        StoreAnswer lease = store_do_grant(event, store, contract_factory->lease_ttl_min_usec);
        int64_t now = store_do_put(event, store, "a", "1", lease.lease).revision;
        Seen seen = { .base = now - 1 };
        _cleanup_(store_watch_freep) StoreWatch *w = watch("", now, &seen);

        wait_events(&seen, 1);
        ck_assert_str_eq(buf_str(&seen.text), "-a@+2 | ");
        ck_assert_int_eq(store_do_renew(event, store, lease.lease).r, -ENOKEY);
        buf_done(&seen.text);
}
END_TEST

START_TEST(renewed_lease_lives) {
        StoreAnswer kept = store_do_grant(event, store, contract_factory->lease_ttl_min_usec * 3);
        int64_t now;
        Seen seen;

        (void) store_do_put(event, store, "kept", "1", kept.lease);
        for (int i = 0; i < 4; i++) {
                StoreAnswer other = store_do_grant(event, store,
                                                   contract_factory->lease_ttl_min_usec);

                now = store_do_put(event, store, "other", "1", other.lease).revision;
                seen = (Seen){ .base = now };
                StoreWatch *w = watch("other", now, &seen);

                wait_events(&seen, 1); /* one TTL has gone by */
                store_watch_free(w);
                buf_done(&seen.text);
                ck_assert_int_eq(store_do_renew(event, store, kept.lease).r, 0);
        }
        ck_assert_str_eq(store_do_get(event, store, "kept"), "1");
}
END_TEST

START_TEST(unknown_lease_fails_the_txn) {
        StoreOp ops[] = {
                { STORE_PUT, "a", "1", 1, 0 },
                { STORE_PUT, "b", "1", 1, 4711 },
        };
        int64_t before = put("k", "1");
        StoreAnswer a = store_do_txn(event, store, &(StoreTxn){ .ops = ops, .n_ops = 2 });

        ck_assert_int_eq(a.r, -ENOKEY);
        ck_assert_str_ne(a.error, "");
        ck_assert_str_eq(store_do_get(event, store, "a"), "(none)");
        ck_assert_int_eq(put("k", "2"), before + 1);
        ck_assert_int_eq(store_do_grant(event, store, 0).r, -EINVAL);
}
END_TEST

START_TEST(compare_of_a_lease) {
        int64_t lease = store_do_grant(event, store, 60 * USEC_PER_SEC).lease;
        StoreCompare c = { "k", STORE_COMPARE_LEASE, STORE_EQUAL, lease, NULL };
        StoreOp op = { STORE_PUT, "k", "2", 1, 0 };

        (void) store_do_put(event, store, "k", "1", lease);
        ck_assert_int_eq(store_do_txn(event, store, &(StoreTxn){ &c, 1, &op, 1 }).r, 0);
        ck_assert_int_eq(store_do_txn(event, store, &(StoreTxn){ &c, 1, &op, 1 }).r,
                         STORE_COMPARE_FAILED);
}
END_TEST

void store_contract_add_watches(Suite *s) {
        TCase *w = tcase_create("watches"), *c = tcase_create("compacted watches"),
              *l = tcase_create("leases");

        tcase_set_timeout(w, 60);
        tcase_add_checked_fixture(w, contract_setup, contract_teardown);
        tcase_add_test(w, watch_from_now);
        tcase_add_test(w, watch_from_the_past);
        tcase_add_test(w, watch_from_the_future_waits);
        tcase_add_test(w, whole_revisions_in_order);
        tcase_add_test(w, watch_of_many_changes);
        tcase_add_test(w, watch_of_many_changes);
        tcase_add_test(w, freed_watch_is_silent);
        tcase_add_test(w, watch_outlives_the_store);
        suite_add_tcase(s, w);

        tcase_add_checked_fixture(c, contract_setup_short, contract_teardown);
        tcase_add_test(c, compacted_watch_is_lost);
        suite_add_tcase(s, c);

        tcase_set_timeout(l, 60);
        tcase_add_checked_fixture(l, contract_setup, contract_teardown);
        tcase_add_test(l, revoked_lease_takes_its_keys);
        tcase_add_test(l, expired_lease_takes_its_keys);
        tcase_add_test(l, renewed_lease_lives);
        tcase_add_test(l, unknown_lease_fails_the_txn);
        tcase_add_test(l, compare_of_a_lease);
        suite_add_tcase(s, l);
}
