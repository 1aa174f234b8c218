/*
 * An intrusive doubly linked list: the link lives in the element, the head in its owner.
 *
 *   typedef struct Job { ListLink jobs; ... } Job;
 *   LIST_FOREACH(Job, j, &head, jobs) ...
 */
#pragma once

#include "lib/base/base.h"

typedef struct ListLink {
        struct ListLink *prev, *next;
} ListLink;

/* A head is a ListLink of its own, made by list_init(). */
static inline void list_init(ListLink *head) {
        head->prev = head->next = head;
}

static inline bool list_is_empty(const ListLink *head) {
        return head->next == head;
}

static inline void list_append(ListLink *head, ListLink *link) {
        link->prev = head->prev;
        link->next = head;
        head->prev->next = link;
        head->prev = link;
}

/* Harmless for a zeroed link that is in no list. */
static inline void list_remove(ListLink *link) {
        if (!link->next)
                return;
        link->prev->next = link->next;
        link->next->prev = link->prev;
        link->prev = link->next = NULL;
}

/* What LIST_FOREACH needs: the element whose link this is, NULL for the head. */
static inline void *list_item(ListLink *link, const ListLink *head, size_t offset) {
        return link == head ? NULL : (char *) link - offset;
}

static inline void *list_item_after(void *item, const ListLink *head, size_t offset) {
        ListLink *link;

        if (!item)
                return NULL;

        link = (ListLink *) (void *) ((char *) item + offset);
        return list_item(link->next, head, offset);
}

/* The body may remove and free `var`, but no other element; break and nesting work as usual. */
#define LIST_FOREACH(T, var, head, member)                                                         \
        for (T *var = list_item((head)->next, (head), offsetof(T, member)),                        \
               *var##_next = list_item_after(var, (head), offsetof(T, member));                    \
             var;                                                                                  \
             var = var##_next, var##_next = list_item_after(var, (head), offsetof(T, member)))
