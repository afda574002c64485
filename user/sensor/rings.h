/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two rings: opened with the sensor, drained by sensor_drain(). */
#pragma once

struct sensor;

int rings_open(struct sensor *sensor);
void rings_close(struct sensor *sensor);
