#include "lib/http/http_request.h"

#include <strings.h>

#include "lib/base/str.h"

#define CONNECT_TIMEOUT_USEC_DEFAULT (10 * USEC_PER_SEC)
#define RECEIVE_BUFFER_BYTES                                                                       \
        (4 * 1024L) /* held by each call under way, and most of ours wait long */

/* Sets one option; remembers the first failure. Numbers must be long or curl_off_t, as curl wants them. */
typedef struct Setter {
        const CurlLibrary *curl;
        CURL *easy;
        CURLcode code;
} Setter;

static void set_long(Setter *s, CURLoption option, long value) {
        if (s->code == CURLE_OK)
                s->code = s->curl->easy_setopt(s->easy, option, value);
}

static void set_string(Setter *s, CURLoption option, const char *value) {
        if (s->code == CURLE_OK && value)
                s->code = s->curl->easy_setopt(s->easy, option, value);
}

static bool is_token(const char *s) {
        static const char allowed[] =
                "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                "!#$%&'*+-.^_`|~";

        return *s && s[strspn(s, allowed)] == '\0';
}

static bool has_control(const char *s) {
        for (; *s; s++)
                if ((unsigned char) *s < 0x20 || *s == 0x7f)
                        return true;

        return false;
}

/* Nothing that came from a user may add a line to the request. */
static int check(const HttpRequest *request, Error *reterr) {
        const char *method = request->method;

        if (method && !is_token(method))
                return error_set(reterr, -EINVAL, "'%s' is not an HTTP method", method);
        if (!str_after_prefix(request->url, "http://") &&
            !str_after_prefix(request->url, "https://"))
                return error_set(reterr, -EINVAL, "'%s' is neither an http:// nor an https:// URL",
                                 request->url);
        if (has_control(request->url) || strchr(request->url, ' '))
                return error_set(reterr, -EINVAL, "the URL '%s' is not encoded", request->url);

        for (const char *const *h = request->headers; h && *h; h++)
                if (has_control(*h) || !strchr(*h, ':'))
                        return error_set(reterr, -EINVAL, "'%s' is not a header", *h);

        return 0;
}

static bool has_header(const HttpRequest *request, const char *name) {
        size_t n = strlen(name);

        for (const char *const *h = request->headers; h && *h; h++)
                if (strncasecmp(*h, name, n) == 0 && (*h)[n] == ':')
                        return true;

        return false;
}

static int add_header(const CurlLibrary *curl, struct curl_slist **headers, const char *line) {
        struct curl_slist *longer = curl->slist_append(*headers, line);

        if (!longer)
                return -ENOMEM;

        *headers = longer;
        return 0;
}

static int make_headers(const HttpRequest *request, const CurlLibrary *curl,
                        struct curl_slist **headers) {
        int r;

        /* A name without a value takes away what curl would send by itself; waiting for "100 Continue"
         * would cost a second with servers that do not know it. */
        r = add_header(curl, headers, "Expect:");
        if (r >= 0 && !has_header(request, "Content-Type"))
                r = add_header(curl, headers, "Content-Type:");
        for (const char *const *h = request->headers; r >= 0 && h && *h; h++)
                r = add_header(curl, headers, *h);

        return r;
}

static void set_method(Setter *s, const HttpRequest *request) {
        const char *method = request->method ? request->method : "GET";
        bool wants_body = str_eq(method, "POST") || str_eq(method, "PUT") ||
                          str_eq(method, "PATCH");

        if (request->body_fn)
                set_long(s, CURLOPT_UPLOAD, 1);
        else if (request->body || wants_body) {
                if (s->code == CURLE_OK)
                        s->code = s->curl->easy_setopt(s->easy, CURLOPT_POSTFIELDSIZE_LARGE,
                                                       (curl_off_t) request->body_size);
                set_string(s, CURLOPT_COPYPOSTFIELDS, request->body ? request->body : "");
        } else if (str_eq(method, "HEAD"))
                set_long(s, CURLOPT_NOBODY, 1);

        set_string(s, CURLOPT_CUSTOMREQUEST, method);
}

static void set_connection(Setter *s, const HttpRequest *request) {
        uint64_t usec = request->connect_timeout_usec;

        if (usec == 0)
                usec = CONNECT_TIMEOUT_USEC_DEFAULT;
        set_long(s, CURLOPT_CONNECTTIMEOUT_MS,
                 (long) MIN(usec / USEC_PER_MSEC + (usec % USEC_PER_MSEC > 0),
                            (uint64_t) INT32_MAX));

        if (request->unix_socket) {
                set_string(s, CURLOPT_UNIX_SOCKET_PATH, request->unix_socket);
                set_string(s, CURLOPT_PROXY, "");
                set_string(s, CURLOPT_NOPROXY, "*");
        }
        set_long(s, CURLOPT_BUFFERSIZE, RECEIVE_BUFFER_BYTES);
        set_long(s, CURLOPT_NOSIGNAL, 1);
        set_long(s, CURLOPT_TCP_NODELAY, 1);
        set_long(s, CURLOPT_TCP_KEEPALIVE, 1);
        set_long(s, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
        set_string(s, CURLOPT_PROTOCOLS_STR, "http,https");
        set_long(s, CURLOPT_PATH_AS_IS, 1);
        set_string(s, CURLOPT_USERAGENT, "flotilla/" VERSION);
}

static void set_identity(Setter *s, const HttpRequest *request) {
        set_string(s, CURLOPT_CAINFO, request->ca_file);
        set_string(s, CURLOPT_SSLCERT, request->cert_file);
        set_string(s, CURLOPT_SSLKEY, request->key_file);
        set_long(s, CURLOPT_SSL_VERIFYPEER, request->tls_insecure ? 0 : 1);
        set_long(s, CURLOPT_SSL_VERIFYHOST, request->tls_insecure ? 0 : 2);
        set_string(s, CURLOPT_USERNAME, request->username);
        set_string(s, CURLOPT_PASSWORD, request->password);
}

int http_request_apply(const HttpRequest *request, const CurlLibrary *curl, CURL *easy,
                       struct curl_slist **headers, Error *reterr) {
        Setter s = { .curl = curl, .easy = easy };
        int r;

        r = check(request, reterr);
        if (r < 0)
                return r;

        r = make_headers(request, curl, headers);
        if (r < 0)
                return error_fill(reterr, r);

        set_string(&s, CURLOPT_URL, request->url);
        set_method(&s, request);
        set_connection(&s, request);
        set_identity(&s, request);
        if (s.code == CURLE_OK)
                s.code = curl->easy_setopt(easy, CURLOPT_HTTPHEADER, *headers);

        if (s.code == CURLE_OUT_OF_MEMORY)
                return error_fill(reterr, -ENOMEM);
        if (s.code != CURLE_OK)
                return error_set(reterr, -EINVAL, "libcurl refuses the request: %s",
                                 curl->easy_strerror(s.code));

        return 0;
}
