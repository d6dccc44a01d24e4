/* node/facility/assets_priv.h - what assets.S holds; each text ends with a zero. */
#ifndef NODE_FACILITY_ASSETS_PRIV_H
#define NODE_FACILITY_ASSETS_PRIV_H

extern const char facility_asset_schema[];
extern const char facility_asset_views[];
extern const char facility_asset_views_rows[];
extern const char facility_asset_views_district[];
extern const char facility_asset_codes[];
extern const char facility_asset_norms[];
extern const char facility_asset_vaccines[];
extern const char facility_asset_growth[];
extern const char facility_asset_css[];

#endif /* NODE_FACILITY_ASSETS_PRIV_H */
