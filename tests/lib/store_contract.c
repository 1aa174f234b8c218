#include "tests/lib/store_contract.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/base/alloc.h"
#include "lib/base/clock.h"

/* Reads, transactions and limits; watches and leases are in store_contract_watch.c. */

#include "tests/lib/store_contract_internal.h"

const StoreFactory *contract_factory;
sd_event *contract_event;
Store *contract_store;

#define event contract_event
#define store contract_store

static void setup_kept(uint64_t keep) {
        ck_assert_int_ge(sd_event_new(&event), 0);
        store = contract_factory->open(event, keep);
        ck_assert_ptr_nonnull(store);
}

void contract_setup(void) {
        setup_kept(0);
}

void contract_setup_short(void) {
        setup_kept(5);
}

void contract_teardown(void) {
        store = store_free(store);
        event = sd_event_unref(event);
        contract_factory->clean();
}

int64_t contract_put(const char *key, const char *value) {
        StoreAnswer a = store_do_put(event, store, key, value, 0);

        ck_assert_msg(a.r == 0, "put %s: %s", key, a.error);
        return a.revision;
}

#define put contract_put

static StoreAnswer read_prefix(const char *prefix, int64_t revision) {
        return store_do_read(event, store, &(StoreRange){ .key = prefix, .prefix = true }, 1,
                             revision);
}

START_TEST(empty_store_is_empty) {
        StoreAnswer a = read_prefix("", 0);

        ck_assert_int_eq(a.r, 0);
        ck_assert_uint_eq(a.n, 0);
        ck_assert_int_ge(a.revision, 1);
}
END_TEST

START_TEST(range_and_prefix_in_byte_order) {
        StoreRange ranges[] = {
                { .key = "a", .prefix = true },
                { .key = "a" },
                { .key = "", .prefix = true },
                { .key = "a/", .prefix = true, .keys_only = true },
        };
        StoreAnswer a;

        (void) put("b", "5");
        (void) put("a/\xc3\xa4", "4");
        (void) put("a/x", "3");
        (void) put("a", "1");
        (void) put("a.x", "2");
        (void) put("A", "0");
        a = store_do_read(event, store, ranges, 4, 0);
        ck_assert_int_eq(a.r, 0);
        ck_assert_str_eq(a.ranges[0], "a=1 a.x=2 a/x=3 a/\xc3\xa4=4");
        ck_assert_str_eq(a.ranges[1], "a=1");
        ck_assert_str_eq(a.ranges[2], "A=0 a=1 a.x=2 a/x=3 a/\xc3\xa4=4 b=5");
        ck_assert_str_eq(a.ranges[3], "a/x= a/\xc3\xa4=");
}
END_TEST

START_TEST(prefix_of_high_bytes) {
        (void) put("\xff\xff", "1");
        (void) put("\xff\xff\xff", "2");
        (void) put("\xff", "0");
        ck_assert_str_eq(read_prefix("\xff\xff", 0).ranges[0], "\xff\xff=1 \xff\xff\xff=2");
}
END_TEST

START_TEST(old_revisions_can_be_read) {
        int64_t r1 = put("k", "1"), r2 = put("k", "2"), r3;

        (void) put("l", "x");
        r3 = store_do_delete(event, store, STORE_DELETE, "k").revision;
        ck_assert_int_eq(r2, r1 + 1);
        ck_assert_str_eq(read_prefix("", r1).ranges[0], "k=1");
        ck_assert_str_eq(read_prefix("", r2).ranges[0], "k=2");
        ck_assert_str_eq(read_prefix("", r3 - 1).ranges[0], "k=2 l=x");
        ck_assert_str_eq(read_prefix("", r3).ranges[0], "l=x");
        ck_assert_int_eq(read_prefix("", r1).revision, r1);
        ck_assert_str_eq(read_prefix("k", r1 - 1).ranges[0], "");
        ck_assert_int_lt(read_prefix("", r3 + 1).r, 0);
}
END_TEST

START_TEST(compacted_revisions_are_refused) {
        int64_t first = put("k", "1"), last = 0;
        StoreAnswer a;

        for (int i = 0; i < 200; i++)
                last = put("k", "2");
        a = read_prefix("", first);
        ck_assert_int_eq(a.r, -ESTALE);
        ck_assert_ptr_nonnull(strstr(a.error, "compacted"));
        ck_assert_str_eq(read_prefix("", last).ranges[0], "k=2");
        ck_assert_str_eq(read_prefix("", last - 3).ranges[0], "k=2");
}
END_TEST

START_TEST(compaction_keeps_what_is_live) {
        (void) put("still", "here");
        (void) put("gone", "x");
        (void) store_do_delete(event, store, STORE_DELETE, "gone");
        for (int i = 0; i < 50; i++)
                (void) put("busy", i % 2 ? "1" : "2");
        ck_assert_str_eq(read_prefix("", 0).ranges[0], "busy=1 still=here");
}
END_TEST

typedef struct KvCheck {
        bool done;
        StoreKv kv;
} KvCheck;

static void take_kv(int r, const StoreRangeResult *results, size_t n, int64_t revision _unused_,
                    const Error *error _unused_, void *userdata) {
        KvCheck *c = userdata;

        ck_assert_int_eq(r, 0);
        ck_assert_uint_eq(n, 1);
        ck_assert_uint_eq(results[0].n, 1);
        c->kv = results[0].kvs[0];
        c->kv.value = mem_dup(c->kv.value, c->kv.value_size);
        c->done = true;
}

static StoreKv get_kv(const char *key) {
        _cleanup_(store_call_freep) StoreCall *call = NULL;
        KvCheck c = { 0 };

        ck_assert_int_eq(
                store_read(store, &(StoreRange){ .key = key }, 1, 0, take_kv, &c, &call, NULL), 0);
        suite_wait(event, &c.done);
        return c.kv;
}

START_TEST(revisions_and_versions_of_a_key) {
        int64_t r1 = put("k", "1"), r2 = put("k", "2"), r3;
        StoreKv kv = get_kv("k");

        ck_assert_int_eq(kv.create_revision, r1);
        ck_assert_int_eq(kv.mod_revision, r2);
        ck_assert_int_eq(kv.version, 2);
        ck_assert_int_eq(kv.lease, 0);
        mem_free((char *) kv.value);

        (void) store_do_delete(event, store, STORE_DELETE, "k");
        r3 = put("k", "3");
        kv = get_kv("k");
        ck_assert_int_eq(kv.create_revision, r3);
        ck_assert_int_eq(kv.version, 1);
        mem_free((char *) kv.value);
}
END_TEST

static int compare(StoreCompareTarget target, StoreCompareOp op, const char *key, int64_t number,
                   const char *value) {
        StoreCompare c = { key, target, op, number, value };
        StoreOp o = { STORE_PUT, "done", "1", 1, 0 };

        return store_do_txn(event, store, &(StoreTxn){ &c, 1, &o, 1 }).r;
}

START_TEST(compares_of_numbers) {
        int64_t created = put("k", "m"), changed = put("k", "n");
        struct {
                StoreCompareTarget target;
                int64_t is;
        } targets[] = {
                { STORE_COMPARE_CREATE_REVISION, created },
                { STORE_COMPARE_MOD_REVISION, changed },
                { STORE_COMPARE_LEASE, 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(targets); i++)
                for (int64_t d = -1; d <= 1; d++) {
                        StoreCompareTarget t = targets[i].target;
                        int64_t than = targets[i].is + d;

                        if (than < 0)
                                continue;
                        ck_assert_int_eq(compare(t, STORE_EQUAL, "k", than, NULL), d != 0);
                        ck_assert_int_eq(compare(t, STORE_NOT_EQUAL, "k", than, NULL), d == 0);
                        ck_assert_int_eq(compare(t, STORE_GREATER, "k", than, NULL), d >= 0);
                        ck_assert_int_eq(compare(t, STORE_LESS, "k", than, NULL), d <= 0);
                }
        ck_assert_int_eq(compare(STORE_COMPARE_CREATE_REVISION, STORE_EQUAL, "none", 0, NULL), 0);
        ck_assert_int_eq(compare(STORE_COMPARE_CREATE_REVISION, STORE_EQUAL, "k", 0, NULL), 1);
        ck_assert_int_eq(compare(STORE_COMPARE_MOD_REVISION, STORE_EQUAL, "none", 0, NULL), 0);
}
END_TEST

START_TEST(compares_of_values) {
        (void) put("k", "mm");
        ck_assert_int_eq(compare(STORE_COMPARE_VALUE, STORE_EQUAL, "k", 0, "mm"), 0);
        ck_assert_int_eq(compare(STORE_COMPARE_VALUE, STORE_EQUAL, "k", 0, "m"), 1);
        ck_assert_int_eq(compare(STORE_COMPARE_VALUE, STORE_NOT_EQUAL, "k", 0, "m"), 0);
        ck_assert_int_eq(compare(STORE_COMPARE_VALUE, STORE_GREATER, "k", 0, "m"), 0);
        ck_assert_int_eq(compare(STORE_COMPARE_VALUE, STORE_GREATER, "k", 0, "mn"), 1);
        ck_assert_int_eq(compare(STORE_COMPARE_VALUE, STORE_LESS, "k", 0, "mn"), 0);
        ck_assert_int_eq(compare(STORE_COMPARE_VALUE, STORE_LESS, "k", 0, "mm"), 1);
        ck_assert_int_eq(compare(STORE_COMPARE_VALUE, STORE_EQUAL, "none", 0, ""), 1);
}
END_TEST

START_TEST(failed_compare_changes_nothing) {
        int64_t before = put("k", "1");
        StoreCompare c[] = {
                { "k", STORE_COMPARE_VALUE, STORE_EQUAL, 0, "1" },
                { "k", STORE_COMPARE_VALUE, STORE_EQUAL, 0, "2" },
        };
        StoreOp o = { STORE_PUT, "other", "x", 1, 0 };
        StoreAnswer a = store_do_txn(event, store, &(StoreTxn){ c, 2, &o, 1 });

        ck_assert_int_eq(a.r, STORE_COMPARE_FAILED);
        ck_assert_int_eq(a.revision, before);
        ck_assert_str_eq(read_prefix("", 0).ranges[0], "k=1");
}
END_TEST

START_TEST(txn_is_one_revision) {
        StoreOp ops[] = {
                { STORE_PUT, "a", "2", 1, 0 },
                { STORE_DELETE, "b", NULL, 0, 0 },
                { STORE_DELETE_PREFIX, "c/", NULL, 0, 0 },
                { STORE_PUT, "d", "", 0, 0 },
                { STORE_DELETE, "not there", NULL, 0, 0 },
        };
        int64_t before;
        StoreAnswer a;

        (void) put("a", "1");
        (void) put("b", "1");
        (void) put("c/1", "1");
        (void) put("c/2", "1");
        before = put("c", "1");
        a = store_do_txn(event, store, &(StoreTxn){ .ops = ops, .n_ops = 5 });
        ck_assert_int_eq(a.r, 0);
        ck_assert_int_eq(a.revision, before + 1);
        ck_assert_str_eq(read_prefix("", 0).ranges[0], "a=2 c=1 d=");
        ck_assert_str_eq(read_prefix("", before).ranges[0], "a=1 b=1 c=1 c/1=1 c/2=1");
}
END_TEST

START_TEST(nothing_changed_is_no_revision) {
        int64_t before = put("k", "1");
        StoreOp ops[] = {
                { STORE_DELETE, "a", NULL, 0, 0 },
                { STORE_DELETE_PREFIX, "b", NULL, 0, 0 },
        };

        ck_assert_int_eq(store_do_txn(event, store, &(StoreTxn){ .ops = ops, .n_ops = 2 }).revision,
                         before);
        ck_assert_int_eq(store_do_txn(event, store, &(StoreTxn){ 0 }).revision, before);
        ck_assert_int_eq(put("k", "1"), before + 1); /* the same value again is a change */
}
END_TEST

START_TEST(same_key_twice_is_refused) {
        StoreOp ops[][2] = {
                { { STORE_PUT, "a", "2", 1, 0 }, { STORE_PUT, "a", "3", 1, 0 } },
                { { STORE_PUT, "a", "2", 1, 0 }, { STORE_DELETE, "a", NULL, 0, 0 } },
                { { STORE_DELETE_PREFIX, "a", NULL, 0, 0 }, { STORE_PUT, "ab", "3", 1, 0 } },
                { { STORE_PUT, "ab", "3", 1, 0 }, { STORE_DELETE_PREFIX, "a", NULL, 0, 0 } },
        };

        for (size_t i = 0; i < ELEMENTSOF(ops); i++) {
                StoreAnswer a = store_do_txn(event, store,
                                             &(StoreTxn){ .ops = ops[i], .n_ops = 2 });

                ck_assert_int_eq(a.r, -EINVAL);
                ck_assert_ptr_nonnull(strstr(a.error, "twice"));
        }
}
END_TEST

START_TEST(limits_are_errors) {
        static char key[STORE_KEY_MAX + 2];
        StoreOp ops[STORE_TXN_OPS_MAX + 1] = { 0 };
        char names[STORE_TXN_OPS_MAX + 1][16];
        char *big = mem_alloc(STORE_VALUE_MAX + 1);
        StoreOp op = { STORE_PUT, "k", big, STORE_VALUE_MAX, 0 };
        StoreTxn txn = { .ops = &op, .n_ops = 1 };

        memset(big, 'x', STORE_VALUE_MAX + 1);
        ck_assert_int_eq(store_do_txn(event, store, &txn).r, 0);
        op.value_size++;
        ck_assert_int_eq(store_do_txn(event, store, &txn).r, -EFBIG);
        mem_free(big);

        memset(key, 'k', STORE_KEY_MAX + 1);
        ck_assert_int_eq(store_do_put(event, store, key, "", 0).r, -E2BIG);
        key[STORE_KEY_MAX] = '\0';
        ck_assert_int_eq(store_do_put(event, store, key, "v", 0).r, 0);
        ck_assert_uint_eq(read_prefix(key, 0).n, 1);
        ck_assert_int_eq(store_do_put(event, store, "", "", 0).r, -EINVAL);

        for (size_t i = 0; i < ELEMENTSOF(ops); i++) {
                (void) snprintf(names[i], sizeof(names[i]), "n/%zu", i);
                ops[i] = (StoreOp){ STORE_PUT, names[i], "", 0, 0 };
        }
        txn = (StoreTxn){ .ops = ops, .n_ops = STORE_TXN_OPS_MAX + 1 };
        ck_assert_int_eq(store_do_txn(event, store, &txn).r, -E2BIG);
        txn.n_ops--;
        ck_assert_int_eq(store_do_txn(event, store, &txn).r, 0);
        ck_assert_uint_eq(read_prefix("n/", 0).n, STORE_TXN_OPS_MAX);
}
END_TEST

START_TEST(values_are_any_bytes) {
        static const char value[] = "a\0b\xff\xfe\n\0";
        StoreOp op = { STORE_PUT, "k", value, sizeof(value), 0 };
        StoreKv kv;

        ck_assert_int_eq(store_do_txn(event, store, &(StoreTxn){ .ops = &op, .n_ops = 1 }).r, 0);
        kv = get_kv("k");
        ck_assert_uint_eq(kv.value_size, sizeof(value));
        ck_assert_int_eq(memcmp(kv.value, value, sizeof(value)), 0);
        mem_free((char *) kv.value);
}
END_TEST

START_TEST(ten_thousand_keys) {
        for (int i = 0; i < 10000;) {
                char names[100][16];
                StoreOp ops[100];

                for (int j = 0; j < 100; j++, i++) {
                        (void) snprintf(names[j], sizeof(names[j]), "k/%05d", i);
                        ops[j] = (StoreOp){ STORE_PUT, names[j], "v", 1, 0 };
                }
                ck_assert_int_eq(
                        store_do_txn(event, store, &(StoreTxn){ .ops = ops, .n_ops = 100 }).r, 0);
        }
        ck_assert_uint_eq(read_prefix("k/", 0).n, 10000);
        ck_assert_uint_eq(read_prefix("k/012", 0).n, 100);
        ck_assert_int_eq(store_do_delete(event, store, STORE_DELETE_PREFIX, "k/").r, 0);
        ck_assert_uint_eq(read_prefix("k/", 0).n, 0);
}
END_TEST

typedef struct Order {
        int n;
        int seen[8];
} Order;

typedef struct OrderSlot {
        Order *order;
        int number;
} OrderSlot;

static void note_txn(int r, int64_t revision _unused_, const Error *error _unused_,
                     void *userdata) {
        OrderSlot *slot = userdata;

        ck_assert_int_ge(r, 0);
        slot->order->seen[slot->order->n++] = slot->number;
}

static void note_read(int r, const StoreRangeResult *results, size_t n _unused_,
                      int64_t revision _unused_, const Error *error _unused_, void *userdata) {
        OrderSlot *slot = userdata;

        ck_assert_int_eq(r, 0);
        ck_assert_uint_eq(results[0].n, (unsigned) slot->number / 2);
        slot->order->seen[slot->order->n++] = slot->number;
}

START_TEST(answers_come_in_order) {
        StoreRange all = { .key = "", .prefix = true };
        StoreCall *calls[6] = { 0 };
        Order order = { 0 };
        OrderSlot slots[6];
        char key[2] = "a";

        for (int i = 0; i < 6; i++) {
                StoreOp op = { STORE_PUT, key, "", 0, 0 };

                slots[i] = (OrderSlot){ &order, i };
                if (i % 2 == 0)
                        ck_assert_int_eq(store_read(store, &all, 1, 0, note_read, &slots[i],
                                                    &calls[i], NULL),
                                         0);
                else
                        ck_assert_int_eq(store_txn(store, &(StoreTxn){ .ops = &op, .n_ops = 1 },
                                                   note_txn, &slots[i], &calls[i], NULL),
                                         0);
                key[0]++;
        }
        ck_assert_int_eq(order.n, 0);
        while (order.n < 6)
                ck_assert_int_ge(sd_event_run(event, USEC_PER_SEC), 0);
        for (int i = 0; i < 6; i++) {
                ck_assert_int_eq(order.seen[i], i);
                store_call_free(calls[i]);
        }
}
END_TEST

START_TEST(cancelled_call_is_done_but_silent) {
        StoreOp op = { STORE_PUT, "k", "1", 1, 0 };
        StoreCall *call;

        ck_assert_int_eq(store_txn(store, &(StoreTxn){ .ops = &op, .n_ops = 1 }, note_txn, NULL,
                                   &call, NULL),
                         0);
        store_call_free(call);
        ck_assert_int_eq(store_read(store, &(StoreRange){ .key = "k" }, 1, 0, note_read, NULL,
                                    &call, NULL),
                         0);
        store_call_free(call);
        ck_assert_str_eq(store_do_get(event, store, "k"), "1");
}
END_TEST

START_TEST(calls_outlive_the_store) {
        StoreOp op = { STORE_PUT, "k", "1", 1, 0 };
        StoreCall *calls[2];

        ck_assert_int_eq(store_txn(store, &(StoreTxn){ .ops = &op, .n_ops = 1 }, note_txn, NULL,
                                   &calls[0], NULL),
                         0);
        ck_assert_int_eq(store_read(store, &(StoreRange){ .key = "k" }, 1, 0, note_read, NULL,
                                    &calls[1], NULL),
                         0);
        store = store_free(store);
        suite_settle(event);
        store_call_free(calls[0]);
        store_call_free(calls[1]);
}
END_TEST

static void free_store(int r, int64_t revision _unused_, const Error *error _unused_,
                       void *userdata _unused_) {
        ck_assert_int_eq(r, 0);
        store = store_free(store);
}

START_TEST(store_freed_in_an_answer) {
        StoreOp op = { STORE_PUT, "k", "1", 1, 0 };
        StoreCall *calls[2];

        for (int i = 0; i < 2; i++)
                ck_assert_int_eq(store_txn(store, &(StoreTxn){ .ops = &op, .n_ops = 1 }, free_store,
                                           NULL, &calls[i], NULL),
                                 0);
        suite_settle(event);
        ck_assert_ptr_null(store);
        store_call_free(calls[0]);
        store_call_free(calls[1]);
}
END_TEST

static void on_contact(bool in_contact, const Error *why_not, void *userdata) {
        bool *seen = userdata;

        ck_assert(in_contact);
        ck_assert_ptr_null(why_not);
        *seen = true;
}

START_TEST(contact_is_told_from_the_loop) {
        bool seen = false;

        store_on_contact(store, on_contact, &seen);
        ck_assert(!seen);
        suite_wait(event, &seen);
        store_on_contact(store, NULL, NULL);
}
END_TEST

Suite *store_contract_suite(const StoreFactory *factory) {
        Suite *s = suite_create(factory->name);
        TCase *t = tcase_create("keys"), *c = tcase_create("compaction");

        contract_factory = factory;
        tcase_set_timeout(t, 60);
        tcase_add_checked_fixture(t, contract_setup, contract_teardown);
        tcase_add_test(t, empty_store_is_empty);
        tcase_add_test(t, range_and_prefix_in_byte_order);
        tcase_add_test(t, prefix_of_high_bytes);
        tcase_add_test(t, old_revisions_can_be_read);
        tcase_add_test(t, revisions_and_versions_of_a_key);
        tcase_add_test(t, compares_of_numbers);
        tcase_add_test(t, compares_of_values);
        tcase_add_test(t, failed_compare_changes_nothing);
        tcase_add_test(t, txn_is_one_revision);
        tcase_add_test(t, nothing_changed_is_no_revision);
        tcase_add_test(t, same_key_twice_is_refused);
        tcase_add_test(t, limits_are_errors);
        tcase_add_test(t, values_are_any_bytes);
        tcase_add_test(t, ten_thousand_keys);
        tcase_add_test(t, answers_come_in_order);
        tcase_add_test(t, cancelled_call_is_done_but_silent);
        tcase_add_test(t, calls_outlive_the_store);
        tcase_add_test(t, store_freed_in_an_answer);
        tcase_add_test(t, contact_is_told_from_the_loop);
        suite_add_tcase(s, t);

        tcase_add_checked_fixture(c, contract_setup_short, contract_teardown);
        tcase_add_test(c, compacted_revisions_are_refused);
        tcase_add_test(c, compaction_keeps_what_is_live);
        suite_add_tcase(s, c);
        store_contract_add_watches(s);
        return s;
}
