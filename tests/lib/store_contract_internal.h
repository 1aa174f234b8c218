/* What store_contract.c and store_contract_watch.c share. */
#pragma once

#include "tests/lib/store_contract.h"

extern const StoreFactory *contract_factory;
extern sd_event *contract_event;
extern Store *contract_store;

void contract_setup(void);
void contract_setup_short(void); /* keeps five revisions */
void contract_teardown(void);
int64_t contract_put(const char *key, const char *value);
void store_contract_add_watches(Suite *s);
