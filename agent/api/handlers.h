/*
 * Handlers: the resources of the API, each in a file of its own; api.c has the table of paths.
 */
#pragma once

#include "agent/api/request.h"

/* units.c, units_put.c */
void units_list(ApiRequest *q);
void units_get(ApiRequest *q);
void units_put(ApiRequest *q);
void units_delete(ApiRequest *q);

/* state.c */
void state_list(ApiRequest *q);
void state_get(ApiRequest *q);

/* machines.c */
void machines_list(ApiRequest *q);
void machines_patch(ApiRequest *q);

/* discovery.c, metrics.c */
void discovery_get(ApiRequest *q);
void metrics_get(ApiRequest *q);

/* status.c, reasons.c, journal.c, events.c */
void status_get(ApiRequest *q);
void reasons_list(ApiRequest *q);
void journal_get(ApiRequest *q);
void events_get(ApiRequest *q);

/* Those who listen to events; made with the Api. The caller owns *ret. */
int events_new(Api *api, ApiEvents **ret);
ApiEvents *events_free(ApiEvents *e); /* accepts NULL, returns NULL */
