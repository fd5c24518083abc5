import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Component } from "@odoo/owl";

// The form of an icon tells the direction too, not its colour alone; what it means is its label.
const ICONS = {
    up: "fa-arrow-up text-danger",
    down: "fa-arrow-down text-success",
    advice: "fa-lightbulb-o text-warning",
};

/** Reasons as sentences, each with links to the very records behind it. */
export class CustomerReasons extends Component {
    static template = "crm_value_addon.CustomerReasons";
    static props = { reasons: Array, record: Object };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
    }

    icon(reason) {
        return ICONS[reason.direction] || "fa-circle-o text-muted";
    }

    async open(reason, link) {
        const { resModel, resId } = this.props.record;
        this.action.doAction(
            await this.orm.call(resModel, "action_open_value_reason", [[resId], reason.code, link.model])
        );
    }
}

/** What is known of a customer, as the server put it in words: in whole, or a part of it. */
export class CustomerPage extends Component {
    static template = "crm_value_addon.CustomerPage";
    static components = { CustomerReasons };
    static props = { ...standardFieldProps, part: { type: String, optional: true } };

    setup() {
        this.orm = useService("orm");
        this.action = useService("action");
    }

    get page() {
        return this.props.record.data[this.props.name] || {};
    }

    percent(share) {
        return Math.round(100 * Math.min(Math.max(share, 0), 1));
    }

    async openHistory(what) {
        const { resModel, resId } = this.props.record;
        this.action.doAction(await this.orm.call(resModel, "action_open_value_history", [[resId], what]));
    }
}

export const customerPage = {
    component: CustomerPage,
    displayName: _t("Customer value page"),
    supportedTypes: ["json"],
    extractProps: ({ options }) => ({ part: options.part }),
};

registry.category("fields").add("crm_value_page", customerPage);
