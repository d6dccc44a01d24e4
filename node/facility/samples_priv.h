/* node/facility/samples_priv.h - what samples.S holds; each text ends with a zero. */
#ifndef NODE_FACILITY_SAMPLES_PRIV_H
#define NODE_FACILITY_SAMPLES_PRIV_H

extern const char samples_centre_1[];
extern const char samples_centre_2[];
extern const char samples_station_1[];

#endif /* NODE_FACILITY_SAMPLES_PRIV_H */
