/*
 * Listing: lists in pages that fit together. Page 1 is read afresh; the pages behind it are cut from what
 * page 1 was cut from, so that no entry is skipped or shown twice when others come and go meanwhile.
 *
 * What page 1 was cut from is kept for a short time, and only for few lists at once; a page asked for
 * later is cut from a fresh one, as the original did.
 */
#pragma once

#include <systemd/sd-event.h>

#include "lib/base/base.h"
#include "lib/json/json.h"
#include "scheduler/registry.h"

#define LISTING_LIMIT_MAX 2000 /* entries of a page that a client may ask for */
#define LISTINGS_KEPT_MAX 4
#define LISTING_ENTRIES_KEPT_MAX 100000
#define LISTING_KEEP_USEC (10 * USEC_PER_SEC)

typedef struct Listings Listings;
typedef struct ApiRequest ApiRequest;

/* What is asked for; NULL = any. Only for lists that say so. */
typedef struct ListingFilter {
        const char *machine_id;
        const char *unit_name;
} ListingFilter;

typedef struct ListingType {
        const char *resource; /* the key in the document, "units" */
        unsigned mask;        /* what is read for it */
        size_t (*count)(const RegistrySnapshot *s);
        /* NULL = every entry is shown. */
        bool (*matches)(const RegistrySnapshot *s, size_t i, const ListingFilter *filter);
        int (*render)(const RegistrySnapshot *s, size_t i, json_t **ret);
} ListingType;

int listings_new(sd_event *event, Listings **ret);
Listings *listings_free(Listings *l); /* accepts NULL, returns NULL */

/* Answers the request with the page it asks for; `type` is static, filter strings are copied. */
void listing_serve(ApiRequest *q, const ListingType *type, const ListingFilter *filter);
