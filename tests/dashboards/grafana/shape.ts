// What Grafana's own types say of a dashboard, down to the options of the panels that ours has.
import type { Dashboard, FieldConfig, Panel } from "@grafana/schema";
import type * as stat from "@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen";
import type * as table from "@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen";
import type * as timeseries from "@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen";

/** A type as JSON has it: members of enums are their values. */
type Json<T> = unknown extends T ? T : T extends string ? `${T}` : T extends object ? { [K in keyof T]: Json<T[K]> } : T;

/** The queries of the PostgreSQL data source, of which the package has no types. */
interface Query {
  refId: string;
  datasource: { type: "grafana-postgresql-datasource"; uid: "${datasource}" };
  format: "table" | "time_series";
  editorMode: "code";
  rawQuery: true;
  rawSql: string;
}

type Of<Type, Options, Custom> = Omit<Panel, "type" | "options" | "targets" | "fieldConfig"> & {
  type: Type;
  title: string;
  options: Options;
  targets: Query[];
  fieldConfig: Omit<NonNullable<Panel["fieldConfig"]>, "defaults"> & {
    defaults: Omit<FieldConfig, "custom"> & { custom?: Partial<Custom> };
  };
};

type Panels =
  | Of<"stat", stat.Options, {}>
  | Of<"table", table.Options, table.FieldConfig>
  | Of<"timeseries", timeseries.Options, timeseries.FieldConfig>;

export type OurDashboard = Json<Omit<Dashboard, "panels"> & { panels: Panels[] }>;
