import { formatCurrency } from "@web/core/currency";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { KeepLast } from "@web/core/utils/concurrency";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { formatInteger, formatPercentage } from "@web/views/fields/formatters";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { bridgeBars } from "../charts/equity_bridge_field";
import { MovementFlow } from "./movement_flow";

import { Component, onWillStart, useState } from "@odoo/owl";

const MODEL = "crm.value.dashboard";
// Of a normal distribution, for a range that holds four times in five.
const EIGHTY_PERCENT = 1.2816;
const SEGMENT_LOOKS = {
    key_stable: "success",
    promising: "success",
    new: "info",
    standard: "info",
    prospect: "info",
    burden: "warning",
    dormant: "warning",
    key_at_risk: "danger",
    lost_worth_winning_back: "danger",
    lost: "danger",
};

const BAR_LOOKS = { total: "primary", up: "success", down: "danger" };

/** What a sales manager looks at first; every figure opens the customers behind it. */
export class ValueDashboard extends Component {
    static template = "crm_value_addon.ValueDashboard";
    static components = { Layout, MovementFlow };
    static props = { ...standardActionServiceProps };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
        this.layout = { controlPanel: {} };
        this.lastMovement = new KeepLast();
        this.by = [
            { value: "user", name: _t("Salesperson") },
            { value: "team", name: _t("Sales Team") },
            { value: "format", name: _t("Business Format") },
        ];
        this.state = useState({ overview: null, movement: null, cohorts: undefined, by: "user" });
        onWillStart(async () => {
            this.introduces = await user.hasGroup("crm_value_addon.group_manager");
            this.state.overview = await this.orm.call(MODEL, "read_overview", []);
            if (this.state.overview.customers) {
                // What takes longer comes when it comes.
                this.loadMovement();
                this.loadCohorts();
            }
        });
    }

    async loadMovement(label = "value_segment", since = null) {
        const asked = this.orm.silent.call(MODEL, "read_movement", [label, since]);
        this.state.movement = await this.lastMovement.add(asked);
    }

    async loadCohorts() {
        this.state.cohorts = await this.orm.silent.call(MODEL, "read_cohorts", []);
    }

    // ------------------------------------------------------------- figures

    get data() {
        return this.state.overview;
    }

    integer(value) {
        return formatInteger(Math.round(value));
    }

    percent(share, digits = 0) {
        return formatPercentage(share, { digits: [16, digits] });
    }

    money(value) {
        const large = Math.abs(value) >= 100000;
        const options = large ? { humanReadable: true, digits: [16, 1] } : { digits: [16, 0] };
        return formatCurrency(value, this.data.currency_id, options);
    }

    range(row) {
        const margin = EIGHTY_PERCENT * row.spread;
        return [Math.max(row.at_risk - margin, 0), row.at_risk + margin];
    }

    rangeText(row) {
        const [low, high] = this.range(row);
        return _t("%(low)s to %(high)s", { low: this.money(low), high: this.money(high) });
    }

    /** How something moved since the last month-end that is kept, in words and with a sign; nothing without one. */
    sinceMonthEnd(now, before) {
        const { month_end } = this.data;
        if (!month_end || !before) {
            return "";
        }
        const share = now / before - 1;
        const sign = share > 0 ? "+" : share < 0 ? "−" : "±";
        // Isolated, so that the sign stays before the number in text that is written from right to left.
        const change = `\u2066${sign}${this.percent(Math.abs(share), 1)}\u2069`;
        return _t("%(change)s since %(day)s", { change, day: month_end.date });
    }

    get tiles() {
        const { total, key_at_risk, month_end, grades } = this.data;
        const tiles = [
            {
                name: _t("Current value"),
                figure: this.money(total.current_value),
                note: this.sinceMonthEnd(total.current_value, month_end?.current_value),
                title: _t("What customers brought within the current window."),
                open: () => this.openCustomers("all"),
            },
            {
                name: _t("Customer equity"),
                figure: this.money(total.lifetime_value),
                note: this.sinceMonthEnd(total.lifetime_value, month_end?.lifetime_value),
                title: _t("Sum of lifetime values: historical, current and potential."),
                open: () => this.openCustomers("all"),
            },
            {
                name: _t("Value at risk"),
                figure: total.risky ? this.money(total.at_risk) : _t("Not told"),
                note: total.risky ? this.rangeText(total) : _t("The forecast is not reliable here"),
                title: _t(
                    "Current value of each customer times the probability that no order comes within %s days; the range holds four times in five, were customers to leave independently of each other.",
                    this.data.horizon_days
                ),
                open: () => this.openCustomers("at_risk"),
            },
            {
                name: _t("Key customers at risk"),
                figure: this.integer(key_at_risk.customers),
                note: this.money(key_at_risk.current_value),
                title: _t("Customers that carry the company and may leave, with their current value."),
                open: () => this.openCustomers("segment", "key_at_risk"),
            },
        ];
        if (grades.length) {
            tiles.push({
                name: _t("Forecast quality"),
                figure: grades[0].grade || _t("No grade"),
                note: _t("judged on %s", grades[0].as_of),
                title: grades[0].verdict || "",
                open: () => this.openGrade(grades[0]),
            });
        }
        return tiles;
    }

    look(segment) {
        return SEGMENT_LOOKS[segment] || "info";
    }

    /** Percent of the longest bar; what is not nothing is seen. */
    width(value, rows, key) {
        const largest = Math.max(...rows.map((row) => row[key]), 0);
        return value > 0 ? Math.max((100 * value) / largest, 0.5) : 0;
    }

    get bars() {
        const rows = this.data.at_risk[this.state.by];
        const end = Math.max(...rows.map((row) => this.range(row)[1]), 0);
        return rows.map((row) => {
            const [low, high] = this.range(row);
            return {
                ...row,
                width: end && (100 * row.at_risk) / end,
                from: end && (100 * low) / end,
                span: end && (100 * (high - low)) / end,
            };
        });
    }

    /** Each step of the bridge begins where the one before ended; opening and closing stand on the ground. */
    get bridge() {
        const bars = bridgeBars(this.data.equity);
        const low = Math.min(0, ...bars.map((bar) => Math.min(bar.from, bar.to)));
        const span = Math.max(0, ...bars.map((bar) => Math.max(bar.from, bar.to))) - low || 1;
        return bars.map(({ from, to, look }, place) => ({
            ...this.data.equity[place],
            total: look === "total",
            left: (100 * (Math.min(from, to) - low)) / span,
            width: from === to ? 0 : Math.max((100 * Math.abs(to - from)) / span, 0.3),
            look: BAR_LOOKS[look],
        }));
    }

    get curve() {
        // Kept from the smallest, drawn from the largest.
        const points = [...this.data.concentration.curve].reverse();
        return points.map(([customers, value]) => `${100 - 100 * customers},${100 * value}`).join(" ");
    }

    get concentrationText() {
        const { carriers, top_10 } = this.data.concentration;
        return _t(
            "%(carriers)s of %(customers)s buying customers carry %(most)s of the current value; the largest 10 carry %(top)s.",
            {
                carriers: this.integer(carriers),
                customers: this.integer(this.data.total.buying),
                most: this.percent(0.8),
                top: this.percent(top_10),
            }
        );
    }

    get economicsText() {
        const { total, horizon_days, window_days } = this.data;
        return _t(
            "Some %(leaving)s of %(risky)s buying customers are expected to fall silent within %(days)s days, and with them %(value)s of what was brought in the last %(window)s days.",
            {
                leaving: this.integer(total.leaving),
                risky: this.integer(total.risky),
                days: horizon_days,
                value: this.money(total.at_risk),
                window: window_days,
            }
        );
    }

    get fewerLosses() {
        return this.money(this.data.total.at_risk * this.data.fewer_losses);
    }

    get cohortQuarters() {
        return Math.max(...this.state.cohorts.map((cohort) => cohort.shares.length), 0);
    }

    // --------------------------------------------------------------- opens

    async openCustomers(figure, value = null, by = null) {
        this.action.doAction(await this.orm.call(MODEL, "open_customers", [figure, value, by]));
    }

    async openMovement(flow = null) {
        const { label, since } = this.state.movement;
        const ends = flow ? [flow.from, flow.to] : [];
        this.action.doAction(await this.orm.call(MODEL, "open_movement", [label, since, ...ends]));
    }

    openGrade(grade) {
        this.action.doAction({
            type: "ir.actions.act_window",
            name: _t("Forecast Quality"),
            res_model: "crm.value.grade",
            res_id: grade.id,
            views: [[false, "form"]],
        });
    }

    open(action) {
        this.action.doAction(`crm_value_addon.${action}`);
    }
}

registry.category("actions").add("crm_value_dashboard", ValueDashboard);
