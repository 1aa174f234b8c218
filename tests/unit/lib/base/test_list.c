#include "lib/base/list.h"

#include "lib/base/alloc.h"
#include "tests/lib/suite.h"

typedef struct Item {
        int n;
        ListLink items;
} Item;

static void add(ListLink *head, int n) {
        Item *i = mem_new(Item);

        i->n = n;
        list_append(head, &i->items);
}

static int sum(ListLink *head) {
        int total = 0;

        LIST_FOREACH (Item, i, head, items)
                total = total * 10 + i->n;
        return total;
}

static void drop(Item *i) {
        list_remove(&i->items);
        mem_free(i);
}

START_TEST(test_order_and_removal) {
        Item loose = { 0 };
        ListLink head;

        list_init(&head);
        ck_assert(list_is_empty(&head));
        ck_assert_int_eq(sum(&head), 0);
        for (int n = 1; n <= 4; n++)
                add(&head, n);
        ck_assert_int_eq(sum(&head), 1234);

        LIST_FOREACH (Item, i, &head, items)
                if (i->n % 2 == 0)
                        drop(i);
        ck_assert_int_eq(sum(&head), 13);

        list_remove(&loose.items);
        list_append(&head, &loose.items);
        list_remove(&loose.items);
        list_remove(&loose.items);
        ck_assert_int_eq(sum(&head), 13);
        LIST_FOREACH (Item, i, &head, items)
                drop(i);
        ck_assert(list_is_empty(&head));
}
END_TEST

START_TEST(test_break_and_nesting) {
        int seen = 0, pairs = 0;
        ListLink head;

        list_init(&head);
        for (int n = 1; n <= 4; n++)
                add(&head, n);

        LIST_FOREACH (Item, i, &head, items) {
                if (i->n == 2)
                        continue;
                if (i->n == 4)
                        break;
                seen = seen * 10 + i->n;
        }
        ck_assert_int_eq(seen, 13);

        LIST_FOREACH (Item, i, &head, items)
                LIST_FOREACH (Item, j, &head, items)
                        pairs += i->n < j->n;
        ck_assert_int_eq(pairs, 6);
        LIST_FOREACH (Item, i, &head, items)
                drop(i);
}
END_TEST

TEST_MAIN("list", test_order_and_removal, test_break_and_nesting);
