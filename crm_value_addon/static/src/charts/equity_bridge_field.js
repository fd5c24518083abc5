import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatFloat } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { barConfig } from "./chart_config";
import { ValueChart } from "./value_chart";

import { Component, xml } from "@odoo/owl";

const TOTALS = ["opening", "closing"];

/** The bars of a bridge: totals stand on zero, each change begins where the one before it ended. */
export function bridgeBars(steps) {
    let level = 0;
    return steps.map(({ step, label, amount, text }) => {
        const from = TOTALS.includes(step) ? 0 : level;
        level = from + amount;
        const look = TOTALS.includes(step) ? "total" : amount < 0 ? "down" : "up";
        return { label, from, to: level, text, look };
    });
}

/** What changed customer equity between two runs: opening, the changes, closing. */
export class EquityBridgeField extends Component {
    static template = xml`<ValueChart t-if="chart" t-props="chart"/>`;
    static components = { ValueChart };
    static props = { ...standardFieldProps };

    get chart() {
        const bridge = this.props.record.data[this.props.name];
        if (!bridge || !bridge.steps.length) {
            return null;
        }
        if (this.drawn !== bridge) {
            this.drawn = bridge;
            this.made = {
                name: "equity_bridge",
                text: bridge.text,
                config: barConfig(bridgeBars(bridge.steps), {
                    yTitle: bridge.currency,
                    format: (value) =>
                        formatFloat(value, { humanReadable: true, decimals: Math.abs(value) < 1000 ? 0 : 1 }),
                }),
                columns: [_t("Step"), _t("Amount"), _t("Customers")].map(String),
                rows: bridge.steps.map(({ label, text, customers }) => [label, text, customers]),
                open: true,
            };
        }
        return this.made;
    }
}

registry.category("fields").add("crm_value_equity_bridge", {
    component: EquityBridgeField,
    displayName: _t("Bridge of customer equity"),
    supportedTypes: ["json"],
});
