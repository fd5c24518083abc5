import { loadBundle } from "@web/core/assets";

import { Component, onWillStart, useEffect, useRef } from "@odoo/owl";

/**
 * A picture with what it says in a sentence and its figures as a table: who cannot see it, or wants to copy the
 * numbers, misses nothing. It fetches nothing: `config` is Chart.js's, as `lineConfig` or `barConfig` make it.
 */
export class ValueChart extends Component {
    static template = "crm_value_addon.ValueChart";
    static props = {
        name: String,
        title: { type: String, optional: true },
        text: String,
        config: Object,
        columns: { type: Array, element: String },
        rows: { type: Array, element: Array },
        open: { type: Boolean, optional: true },
    };

    setup() {
        this.canvas = useRef("canvas");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            (canvas, config) => {
                const chart = canvas && new Chart(canvas, config);
                return () => chart?.destroy();
            },
            () => [this.canvas.el, this.props.config]
        );
    }
}
