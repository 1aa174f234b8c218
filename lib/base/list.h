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

/* The body may remove and free `var`, but no other element. */
#define LIST_FOREACH(T, var, head, member)                                                         \
        for (ListLink *_link = (head)->next, *_next = _link->next;                                 \
             _link != (head) && (_next = _link->next, true); _link = _next)                        \
                for (T *var = CONTAINER_OF(_link, T, member); var; var = NULL)
