/*
 * The docker driver: units whose Exec lines are docker commands, run through the Engine's API.
 */
#pragma once

#include "drivers/driver.h"

extern const DriverType docker_driver_type;
