import { formatDate } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatFloat, formatPercentage } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { courseConfig, lineDataset } from "../charts/chart_config";
import { ValueChart } from "../charts/value_chart";

import { Component, xml } from "@odoo/owl";

/** Writes the figures of an axis: with a decimal where a step is less than one. */
function formatFigure(unit) {
    const digits = (value) => [16, Math.abs(value - Math.round(value)) < 1e-6 ? 0 : 1];
    return unit === "share"
        ? (value) => formatPercentage(value, { digits: digits(100 * value) })
        : (value) => formatFloat(value, { digits: digits(value) });
}

/** How a goal goes: what was measured, where it leads, and the target. */
export class GoalCourseField extends Component {
    static template = xml`<ValueChart t-if="chart" t-props="chart"/>`;
    static components = { ValueChart };
    static props = { ...standardFieldProps };

    get chart() {
        const course = this.props.record.data[this.props.name];
        if (!course || !course.points.length) {
            return null;
        }
        if (this.drawn !== course) {
            this.drawn = course;
            this.made = this.make(course);
        }
        return this.made;
    }

    make(course) {
        const last = course.points.at(-1);
        const datasets = [lineDataset(_t("Actual"), course.points, "main")];
        if (course.forecast !== null) {
            const end = { x: course.days, y: course.forecast, text: course.forecast_text };
            datasets.push(lineDataset(_t("Forecast"), [last, end], "other"));
        }
        const target = { y: course.target, text: course.target_text };
        datasets.push(
            lineDataset(
                _t("Target"),
                [
                    { x: 0, ...target },
                    { x: course.days, ...target },
                ],
                "reference"
            )
        );
        const first = luxon.DateTime.fromISO(course.first);
        return {
            name: "goal_course",
            text: course.text,
            config: courseConfig(datasets, {
                days: course.days,
                formatDay: (days) => formatDate(first.plus({ days })),
                format: formatFigure(course.unit),
                tooltip: ({ raw, dataset }) => `${dataset.label}: ${raw.text}`,
            }),
            columns: [_t("Day"), _t("Actual"), _t("Target")].map(String),
            rows: course.points.map(({ day, text }) => [day, text, course.target_text]),
        };
    }
}

registry.category("fields").add("crm_value_goal_course", {
    component: GoalCourseField,
    displayName: _t("Course of a goal"),
    supportedTypes: ["json"],
});
