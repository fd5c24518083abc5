import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component, useEffect, useState } from "@odoo/owl";

const DAY = 24 * 3600 * 1000;
const WIDTH = 1000;
const ICONS = { up: "fa-arrow-up text-danger", down: "fa-arrow-down text-success", same: "fa-arrows-h text-muted" };

function number(day) {
    return Date.parse(day) / DAY;
}

/** The days with orders of a year, when the next is expected, and how the risk went; read when the form is there. */
export class ValueTimeline extends Component {
    static template = "crm_value_addon.ValueTimeline";
    static props = { ...standardFieldProps };

    setup() {
        this.orm = useService("orm");
        this.width = WIDTH;
        this.state = useState({ data: null });
        useEffect(
            (resId, scored) => {
                this.load(resId, scored);
            },
            () => [this.props.record.resId, Boolean(this.props.record.data[this.props.name])]
        );
    }

    async load(resId, scored) {
        const data = resId && scored ? await this.orm.silent.call("res.partner", "read_value_timeline", [[resId]]) : {};
        if (resId === this.props.record.resId) {
            this.state.data = data;
        }
    }

    get data() {
        return this.state.data || {};
    }

    get trendIcon() {
        return ICONS[this.data.trend.direction];
    }

    /** Where things stand on a line from the first day told to the last. */
    get places() {
        const { since, today, orders, low, high } = this.data;
        const first = number(since);
        const last = Math.max(number(today), high ? number(high) : 0) + 10;
        const x = (day) => (WIDTH * (number(day) - first)) / (last - first);
        return {
            orders: orders.map(x),
            today: x(today),
            low: low && Math.max(x(low), 0),
            span: low && high && Math.max(x(high) - Math.max(x(low), 0), 6),
        };
    }

    /** Points of a line of the risk over the month-ends; a picture only where there are three. */
    get riskLine() {
        const told = (this.data.month_ends || []).filter((each) => each.risk !== null);
        if (told.length < 3) {
            return "";
        }
        const first = number(told[0].date);
        const span = number(told.at(-1).date) - first;
        return told.map((each) => `${(100 * (number(each.date) - first)) / span},${30 - 30 * each.risk}`).join(" ");
    }
}

registry.category("fields").add("crm_value_timeline", {
    component: ValueTimeline,
    displayName: _t("Customer value timeline"),
    supportedTypes: ["json", "selection"],
});
