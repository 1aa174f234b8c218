#include "agent/api/listing.h"

#include "agent/api/request.h"
#include "lib/base/alloc.h"
#include "lib/base/list.h"
#include "lib/base/str.h"
#include "lib/event/event.h"
#include "specs/api_doc.h"

/* A list as it was at one revision. */
typedef struct Listing {
        ListLink kept; /* oldest first */
        char *key;     /* which list, and how it was filtered */
        RegistrySnapshot *snapshot;
        size_t *entries; /* those that match */
        size_t n;
        uint64_t since_usec; /* on the loop's clock */
} Listing;

struct Listings {
        sd_event *event;
        ListLink kept;
        size_t n_kept;
        sd_event_source *expire;
};

/* A request for a page. */
typedef struct Page {
        const ListingType *type;
        PageToken token;
        char *machine_id, *unit_name;
        char *key;
} Page;

static void *page_free(void *p) {
        Page *page = p;

        if (!page)
                return NULL;
        page->machine_id = mem_free(page->machine_id);
        page->unit_name = mem_free(page->unit_name);
        page->key = mem_free(page->key);
        return mem_free(page);
}

static Listing *listing_free(Listing *l) {
        if (!l)
                return NULL;
        list_remove(&l->kept);
        l->snapshot = registry_snapshot_free(l->snapshot);
        l->entries = mem_free(l->entries);
        l->key = mem_free(l->key);
        return mem_free(l);
}
DEFINE_CLEANUP(Listing, listing_free);

/* ---- keeping --------------------------------------------------------------------------------- */

static uint64_t now_usec(sd_event *event) {
        uint64_t now = 0;

        (void) sd_event_now(event, CLOCK_BOOTTIME, &now);
        return now;
}

static void drop(Listings *ls, Listing *l) {
        listing_free(l);
        ls->n_kept--;
}

static void on_expire(void *userdata) {
        Listings *ls = userdata;
        uint64_t now = now_usec(ls->event), oldest = now;

        LIST_FOREACH (Listing, l, &ls->kept, kept) {
                if (l->since_usec + LISTING_KEEP_USEC <= now)
                        drop(ls, l);
                else
                        oldest = MIN(oldest, l->since_usec);
        }
        if (ls->n_kept > 0)
                (void) event_timer_arm(ls->expire, oldest + LISTING_KEEP_USEC - now);
}

int listings_new(sd_event *event, Listings **ret) {
        Listings *ls = mem_new(Listings);
        int r;

        if (!ls)
                return -ENOMEM;
        ls->event = event;
        list_init(&ls->kept);
        r = event_timer_new(event, "listing-expire", on_expire, ls, &ls->expire);
        if (r < 0) {
                listings_free(ls);
                return r;
        }
        *ret = ls;
        return 0;
}

Listings *listings_free(Listings *ls) {
        if (!ls)
                return NULL;
        LIST_FOREACH (Listing, l, &ls->kept, kept)
                drop(ls, l);
        ls->expire = event_drop(ls->expire);
        return mem_free(ls);
}

static Listing *find(Listings *ls, const char *key) {
        LIST_FOREACH (Listing, l, &ls->kept, kept)
                if (str_eq(l->key, key))
                        return l;
        return NULL;
}

/* Takes l. The one of the same list goes, else the oldest if there are too many. */
static void keep(Listings *ls, Listing *l) {
        Listing *old = find(ls, l->key);

        if (old)
                drop(ls, old);
        else if (ls->n_kept >= LISTINGS_KEPT_MAX)
                drop(ls, CONTAINER_OF(ls->kept.next, Listing, kept));
        l->since_usec = now_usec(ls->event);
        list_append(&ls->kept, &l->kept);
        ls->n_kept++;
        if (!event_timer_is_armed(ls->expire))
                (void) event_timer_arm(ls->expire, LISTING_KEEP_USEC);
}

/* ---- cutting --------------------------------------------------------------------------------- */

static bool is_last_page(const Listing *l, const PageToken *t) {
        return (size_t) t->page * t->limit > l->n || t->page == UINT16_MAX;
}

static int cut_items(const Listing *l, const Page *page, size_t start, json_t *items) {
        size_t end = MIN(start + page->token.limit, l->n);
        json_t *item;
        int r;

        for (size_t i = start; i < end; i++) {
                r = page->type->render(l->snapshot, l->entries[i], &item);
                if (r < 0)
                        return r;
                if (json_array_append_new(items, item) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static int cut(const Listing *l, const Page *page, json_t **ret) {
        size_t start = (size_t) (page->token.page - 1) * page->token.limit;
        const PageToken next = { .limit = page->token.limit,
                                 .page = (uint16_t) (page->token.page + 1) };
        _cleanup_json_ json_t *document = json_object(), *items = json_array();
        int r;

        if (!document || !items)
                return -ENOMEM;
        r = cut_items(l, page, start, items);
        if (r < 0)
                return r;
        if (json_array_size(items) > 0 &&
            json_object_set(document, page->type->resource, items) < 0)
                return -ENOMEM;
        if (start < l->n && !is_last_page(l, &page->token)) {
                _cleanup_free_ char *token = page_token_format(&next);

                if (!token || json_set_string(document, "nextPageToken", token) < 0)
                        return -ENOMEM;
        }
        *ret = TAKE_PTR(document);
        return 0;
}

static void serve_from(ApiRequest *q, const Listing *l) {
        _cleanup_json_ json_t *document = NULL;
        int r;

        r = cut(l, q->data, &document);
        if (r < 0)
                request_fail(q, r, NULL);
        else
                request_reply_json(q, 200, document);
}

/* Takes the snapshot. */
static int listing_new(const Page *page, RegistrySnapshot *snapshot, Listing **ret) {
        const ListingFilter filter = { .machine_id = page->machine_id,
                                       .unit_name = page->unit_name };
        size_t n = page->type->count(snapshot);
        _cleanup_(listing_freep) Listing *l = mem_new(Listing);

        if (!l)
                return -ENOMEM;
        l->key = str_dup(page->key);
        l->entries = mem_new_array(size_t, n + 1);
        if (!l->key || !l->entries)
                return -ENOMEM;
        for (size_t i = 0; i < n; i++)
                if (!page->type->matches || page->type->matches(snapshot, i, &filter))
                        l->entries[l->n++] = i;
        l->snapshot = snapshot;
        *ret = TAKE_PTR(l);
        return 0;
}

static void on_read(int r, RegistrySnapshot *snapshot, const Error *error, void *userdata) {
        _cleanup_(registry_snapshot_freep) RegistrySnapshot *s = snapshot;
        _cleanup_(listing_freep) Listing *l = NULL;
        ApiRequest *q = userdata;
        Listings *ls = q->api->listings;
        const Page *page = q->data;
        bool first_of_many;

        if (r >= 0)
                r = listing_new(page, s, &l);
        if (r < 0) {
                request_fail(q, r, error);
                return;
        }
        s = NULL; /* the listing has it */
        first_of_many = page->token.page == 1 && !is_last_page(l, &page->token);
        serve_from(q, l);
        if (first_of_many && l->n <= LISTING_ENTRIES_KEPT_MAX)
                keep(ls, TAKE_PTR(l));
}

/* ---- asking ---------------------------------------------------------------------------------- */

/* Ours: `limit=N` asks for larger (or smaller) pages than fleet's token_limit; what is no number is ignored. */
static uint16_t page_limit(const ApiRequest *q) {
        _cleanup_(strv_done) Strv values = STRV_INIT;
        uint64_t limit = 0;

        if (request_arguments(q, "limit", &values) < 0 || values.n == 0 ||
            str_to_u64(values.items[0], &limit) < 0 || limit == 0)
                return q->api->options.token_limit;
        return (uint16_t) MIN(limit, (uint64_t) LISTING_LIMIT_MAX);
}

static int parse_token(ApiRequest *q, PageToken *ret, Error *reterr) {
        _cleanup_(strv_done) Strv values = STRV_INIT;
        uint16_t limit = page_limit(q);
        int r;

        r = request_arguments(q, "nextPageToken", &values);
        if (r < 0)
                return r;
        if (values.n > 1)
                return error_set(reterr, -EINVAL, "too many values for page token");
        *ret = (PageToken){ .limit = limit, .page = 1 };
        return values.n == 0 ? 0 : page_token_parse(values.items[0], limit, ret, reterr);
}

static Page *page_new(const ListingType *type, const ListingFilter *filter) {
        Page *page = mem_new(Page);

        if (!page)
                return NULL;
        page->type = type;
        if (filter && (str_replace(&page->machine_id, filter->machine_id) < 0 ||
                       str_replace(&page->unit_name, filter->unit_name) < 0))
                return page_free(page);
        page->key = str_printf("%s\n%s\n%s", type->resource, str_or(page->machine_id, ""),
                               str_or(page->unit_name, ""));
        return page->key ? page : page_free(page);
}

void listing_serve(ApiRequest *q, const ListingType *type, const ListingFilter *filter) {
        _cleanup_error_ Error error = ERROR_INIT;
        Page *page = page_new(type, filter);
        const Listing *kept;
        int r;

        if (!page) {
                request_fail(q, -ENOMEM, NULL);
                return;
        }
        request_set_data(q, page, page_free);
        r = parse_token(q, &page->token, &error);
        if (r < 0) {
                request_reply_error(q, 400, error_text(&error));
                return;
        }
        kept = page->token.page > 1 ? find(q->api->listings, page->key) : NULL;
        if (kept) {
                serve_from(q, kept);
                return;
        }
        r = registry_read(q->api->options.registry, type->mask, NULL, on_read, q, &q->call, &error);
        if (r < 0)
                request_fail(q, r, &error);
}
