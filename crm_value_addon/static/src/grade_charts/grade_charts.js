import { loadBundle } from "@web/core/assets";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatPercentage } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { lineConfig, lineDataset } from "../charts/chart_config";

import { Component, onWillStart, useEffect, useRef, useState } from "@odoo/owl";

const MEASURES = {
    customers: { label: _t("Customers"), ours: "found", rule: "rule_found" },
    value: { label: _t("Money"), ours: "found_value", rule: "rule_found_value" },
};

function percent(share) {
    return typeof share === "number" ? formatPercentage(share, { digits: [16, 0] }) : "";
}

/**
 * How good a forecast was, in two pictures: whether its probabilities came true, and how many of those who
 * left it finds, against the best simple rule and a draw by lot. The same figures are there as tables.
 */
export class GradeCharts extends Component {
    static template = "crm_value_addon.GradeCharts";
    static props = { ...standardFieldProps };

    setup() {
        this.measures = MEASURES;
        this.percent = percent;
        this.state = useState({ measure: "customers" });
        this.canvases = { calibration: useRef("calibration"), lift: useRef("lift") };
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => this.draw("calibration", this.calibrationConfig()),
            () => [this.calibration]
        );
        useEffect(
            () => this.draw("lift", this.liftConfig()),
            () => [this.lift, this.state.measure]
        );
    }

    get calibration() {
        return this.props.record.data[this.props.name] || [];
    }

    get lift() {
        return this.props.record.data.lift || [];
    }

    get measure() {
        return MEASURES[this.state.measure];
    }

    /** The point of the lift curve that people ask for: a fifth of the customers. */
    get fifth() {
        return this.lift.find((point) => point.share >= 0.2 - 1e-6) || {};
    }

    get calibrationText() {
        return _t("Churn probability forecast against the share that did not come back, by tenths of customers.");
    }

    get liftText() {
        const { ours, rule } = this.measure;
        if (typeof this.fifth[ours] !== "number" || typeof this.fifth[rule] !== "number") {
            return _t("Share of those who left that is among the customers called most at risk.");
        }
        const values = {
            share: percent(this.fifth.share),
            ours: percent(this.fifth[ours]),
            rule: percent(this.fifth[rule]),
        };
        return this.state.measure === "customers"
            ? _t(
                  "Of the customers who left, %(ours)s are among the %(share)s called most at risk; %(rule)s by the best simple rule.",
                  values
              )
            : _t(
                  "Of the money of customers who left, %(ours)s is among the %(share)s called most at risk; %(rule)s by the best simple rule.",
                  values
              );
    }

    draw(name, config) {
        const canvas = this.canvases[name].el;
        if (!canvas) {
            return;
        }
        const chart = new Chart(canvas, config);
        return () => chart.destroy();
    }

    line(label, points, look) {
        const line = lineDataset(label, points, look);
        // No customers called is where a curve begins, not a point of it.
        return { ...line, pointRadius: ({ raw }) => (line.pointStyle && raw?.x ? 4 : 0) };
    }

    config(datasets, titles) {
        return lineConfig(datasets, { ...titles, format: percent });
    }

    calibrationConfig() {
        const points = this.calibration
            .filter((point) => point.predicted !== null && point.actual !== null)
            .map((point) => ({ x: point.predicted, y: point.actual, customers: point.customers }));
        const largest = Math.max(0.1, ...points.flatMap((point) => [point.x, point.y]));
        const maximum = Math.min(1, Math.ceil(largest * 10) / 10);
        const datasets = [
            this.line(_t("What came"), points, "main"),
            this.line(
                _t("Had it all come as forecast"),
                [
                    { x: 0, y: 0 },
                    { x: maximum, y: maximum },
                ],
                "reference"
            ),
        ];
        return this.config(datasets, {
            xTitle: _t("Forecast churn probability"),
            yTitle: _t("Did not come back"),
            maximum,
            tooltip: ({ raw }) =>
                _t("Forecast %(predicted)s, came %(actual)s", {
                    predicted: percent(raw.x),
                    actual: percent(raw.y),
                }),
        });
    }

    liftConfig() {
        const { ours, rule } = this.measure;
        const curve = (key) => [
            { x: 0, y: 0 },
            ...this.lift
                .filter((point) => point.share !== null && point[key] !== null)
                .map((point) => ({ x: point.share, y: point[key] })),
        ];
        const datasets = [
            this.line(_t("Forecast"), curve(ours), "main"),
            this.line(_t("Best simple rule"), curve(rule), "other"),
            this.line(
                _t("Drawn by lot"),
                [
                    { x: 0, y: 0 },
                    { x: 1, y: 1 },
                ],
                "reference"
            ),
        ];
        return this.config(datasets, {
            xTitle: _t("Share of customers called most at risk"),
            yTitle:
                this.state.measure === "customers"
                    ? _t("Found of those who left")
                    : _t("Found of the money of those who left"),
            tooltip: ({ raw, dataset }) => `${dataset.label}: ${percent(raw.y)} / ${percent(raw.x)}`,
        });
    }
}

export const gradeCharts = {
    component: GradeCharts,
    displayName: _t("Forecast quality charts"),
    supportedTypes: ["json"],
    fieldDependencies: [{ name: "lift", type: "json" }],
};

registry.category("fields").add("crm_value_grade_charts", gradeCharts);
