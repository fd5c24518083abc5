import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatPercentage } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { lineConfig, lineDataset } from "./chart_config";
import { ValueChart } from "./value_chart";

import { Component, xml } from "@odoo/owl";

const TENTHS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1];

function percent(share) {
    return formatPercentage(share, { digits: [16, 0] });
}

/** What the largest carry, by a Lorenz curve of [share of all from the smallest, share they carry]. */
export function carriedByLargest(curve, share) {
    const from = 1 - share;
    const after = curve.findIndex(([customers]) => customers >= from - 1e-9);
    const [x1, y1] = curve[after];
    const [x0, y0] = curve[Math.max(after - 1, 0)];
    return 1 - (x1 > x0 ? y0 + ((y1 - y0) * (from - x0)) / (x1 - x0) : y1);
}

/** How far the value rests on few: the largest first, as people say it ("a fifth carries 80 %"). */
export class LorenzField extends Component {
    static template = xml`<ValueChart t-if="chart" t-props="chart"/>`;
    static components = { ValueChart };
    static props = { ...standardFieldProps };

    get chart() {
        const curve = this.props.record.data[this.props.name];
        if (!curve || !curve.length) {
            return null;
        }
        if (this.drawn !== curve) {
            this.drawn = curve;
            this.made = this.make(curve);
        }
        return this.made;
    }

    make(curve) {
        const fromLargest = curve.map(([x, y]) => ({ x: 1 - x, y: 1 - y })).reverse();
        const datasets = [
            { ...lineDataset(_t("What they carry"), fromLargest, "main"), pointRadius: 0 },
            lineDataset(
                _t("If all were alike"),
                [
                    { x: 0, y: 0 },
                    { x: 1, y: 1 },
                ],
                "reference"
            ),
        ];
        return {
            name: "lorenz",
            text: _t(
                "The largest fifth carries %s of the current value. The higher the line above the dotted one, the more rests on few.",
                percent(carriedByLargest(curve, 0.2))
            ),
            config: lineConfig(datasets, {
                xTitle: _t("Share of all, the largest first"),
                yTitle: _t("Share of the current value"),
                format: percent,
                tooltip: ({ raw }) =>
                    _t("The largest %(share)s carry %(carried)s", {
                        share: percent(raw.x),
                        carried: percent(raw.y),
                    }),
            }),
            columns: [_t("The largest"), _t("Carry")].map(String),
            rows: TENTHS.map((share) => [percent(share), percent(carriedByLargest(curve, share))]),
        };
    }
}

registry.category("fields").add("crm_value_lorenz", {
    component: LorenzField,
    displayName: _t("Lorenz curve"),
    supportedTypes: ["json"],
});
