import { localization } from "@web/core/l10n/localization";
import { _t } from "@web/core/l10n/translation";
import { formatInteger } from "@web/views/fields/formatters";

import { Component } from "@odoo/owl";

const WIDTH = 600;
const HEIGHT = 340;
const GAP = 13;
const LEFT = 150;
const RIGHT = 450;
const BAR = 8;
const MOST_TOLD = 8;
const ICONS = {
    up: "fa-arrow-up text-success",
    new: "fa-plus text-success",
    down: "fa-arrow-down text-danger",
    gone: "fa-minus text-danger",
    sideways: "fa-arrows-h text-muted",
};

/** Where customers were and where they are now: a band for each move, as wide as many customers it is. */
export class MovementFlow extends Component {
    static template = "crm_value_addon.MovementFlow";
    static props = { flows: Array, money: Function, open: Function };

    setup() {
        this.width = WIDTH;
        this.height = HEIGHT;
        // Who reads from right to left begins at the right.
        this.mirrored = localization.direction === "rtl";
        this.bar = BAR;
        this.left = LEFT;
        this.right = RIGHT;
    }

    /** Where on the picture a text stands, and the side of it that is there. */
    textAt(x, after) {
        return { x: this.mirrored ? WIDTH - x : x, anchor: after === this.mirrored ? "end" : "start" };
    }

    get moved() {
        return this.props.flows.filter((flow) => flow.direction !== "same");
    }

    /** Those who moved, the most first; who stayed where they were is told in words. */
    get told() {
        return [...this.moved].sort((one, other) => other.customers - one.customers).slice(0, MOST_TOLD);
    }

    get stayed() {
        const same = this.props.flows.filter((flow) => flow.direction === "same");
        return formatInteger(same.reduce((sum, flow) => sum + flow.customers, 0));
    }

    integer(value) {
        return formatInteger(value);
    }

    directionText(flow) {
        return {
            up: _t("up"),
            down: _t("down"),
            sideways: _t("sideways"),
            new: _t("new"),
            gone: _t("gone"),
        }[flow.direction];
    }

    icon(flow) {
        return ICONS[flow.direction];
    }

    flowText(flow) {
        return _t("From %(from)s to %(to)s: %(customers)s", {
            customers: this.integer(flow.customers),
            from: flow.from_name,
            to: flow.to_name,
        });
    }

    /** Nodes and bands in the units of the picture. */
    get picture() {
        const flows = this.moved;
        const total = flows.reduce((sum, flow) => sum + flow.customers, 0) || 1;
        const sides = ["from", "to"].map((side) => {
            const nodes = new Map();
            for (const flow of flows) {
                const node = nodes.get(flow[side]) || { key: flow[side], name: flow[`${side}_name`], customers: 0 };
                node.customers += flow.customers;
                nodes.set(flow[side], node);
            }
            return nodes;
        });
        const gaps = Math.max(...sides.map((nodes) => nodes.size), 1) - 1;
        const scale = (HEIGHT - gaps * GAP) / total;
        for (const nodes of sides) {
            let top = (HEIGHT - total * scale - (nodes.size - 1) * GAP) / 2;
            for (const node of nodes.values()) {
                Object.assign(node, { top, height: node.customers * scale, used: 0 });
                top += node.height + GAP;
            }
        }
        const [from, to] = sides;
        const middle = (LEFT + RIGHT) / 2;
        const bands = flows.map((flow) => {
            const [start, end] = [from.get(flow.from), to.get(flow.to)];
            const width = flow.customers * scale;
            const [y0, y1] = [start.top + start.used, end.top + end.used];
            start.used += width;
            end.used += width;
            const there = `M${LEFT + BAR},${y0} C${middle},${y0} ${middle},${y1} ${RIGHT},${y1}`;
            const back = `L${RIGHT},${y1 + width} C${middle},${y1 + width} ${middle},${y0 + width} ${LEFT + BAR},${y0 + width} Z`;
            return { flow, path: `${there} ${back}` };
        });
        return { from: [...from.values()], to: [...to.values()], bands };
    }
}
